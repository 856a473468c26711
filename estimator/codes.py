"""Class labels as points of a continuous space, and back: Eq. 2 and Eq. 12.

Shapes: B batch, C classes, L width.

Every code has norm sqrt(L/2) and every two codes are sqrt(L) apart, so the order of the
classes does not change the geometry. The estimate that minimises Eq. 8 is the posterior mean
sum_b p(b | x) x0(b); its inner product with each code, over L/2, is p(b | x). Hence cosine
argmax (Eq. 12) is Bayes argmax at the optimum, and `probabilities` only has to bring a
trained network's near-probabilities onto the simplex.
"""

import math

import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError


def max_classes(width: int) -> int:
    """Largest number of classes whose sinusoidal codes of `width` are mutually orthogonal.

    Code m has m cycles over the width. Beyond (L-1)/2 cycles a sampled sine is zero (m = L/2)
    or the negative of an earlier one (m and L-m), so orthogonality ends there.

    >>> max_classes(1024)
    511
    """
    return (width - 1) // 2


def sinusoidal_codes(n_classes: int, width: int) -> Tensor:
    """Sinusoidal taxonomy encoding x0(b) = sin(2 pi l (i_b + 1) / L), l = 0 .. L-1 (Eq. 2).

    The phase is reduced in integers, (l m) mod L, before the sine is taken: in fp32, at L = 1024,
    the largest inner product of two codes then drops from 3.1e-5 to 2.1e-8 of L/2.

    Args:
        n_classes: C, at least 1 and at most `max_classes(width)`.
        width: L, the encoder's width.

    Returns:
        (C, L) float32, row i is the code of the class of index i.

    Raises:
        ConfigError: more classes than the width has orthogonal codes for.
    """
    limit = max_classes(width)
    if not 1 <= n_classes <= limit:
        raise ConfigError(
            f"{n_classes} classes do not fit vectors of width {width}: sinusoidal codes are "
            f"orthogonal for 1 to {limit} classes (Eq. 2); use fewer classes or a wider encoder"
        )
    length = torch.arange(width)
    cycles = torch.arange(1, n_classes + 1)
    phase = (cycles[:, None] * length[None, :]) % width  # (C, L), exact
    return torch.sin(phase.double() * (2 * math.pi / width)).float()


def cosine(x0_hat: Tensor, codes: Tensor) -> Tensor:
    """Cosine of each estimate with each code, the similarity of Eq. 12.

    Args:
        x0_hat: (B, L) estimates of the terminal sample.
        codes: (C, L).

    Returns:
        (B, C) in [-1, 1]; a zero estimate has cosine 0 with every code.
    """
    unit = torch.nn.functional.normalize
    return unit(x0_hat, dim=-1) @ unit(codes, dim=-1).T


def classify(x0_hat: Tensor, codes: Tensor) -> Tensor:
    """Index of the code most similar to each estimate (Eq. 12), (B,) int64."""
    return cosine(x0_hat, codes).argmax(dim=-1)


def probabilities(x0_hat: Tensor, codes: Tensor, temperature: float = 1.0) -> Tensor:
    """Class probabilities of each estimate: <x0_hat, x0(b)> / |x0(b)|^2, put on the simplex.

    Args:
        x0_hat: (B, L).
        codes: (C, L), orthogonal and of equal norm.
        temperature: > 0; below 1 sharpens, above 1 flattens. 1 is the Bayes reading.

    Returns:
        (B, C), non-negative, rows sum to one, argmax as in `classify`.
    """
    if temperature <= 0:
        raise ConfigError(f"temperature must be above 0, found {temperature}")
    scores = x0_hat @ codes.T / codes.square().sum(-1)  # (B, C)
    return project_onto_simplex(scores / temperature)


def project_onto_simplex(scores: Tensor) -> Tensor:
    """Euclidean projection of each row onto the probability simplex.

    The sorting algorithm of Held, Wolfe and Crowder (1974): max(s - theta, 0) with the one
    theta that makes the row sum to one. Order is kept, so the argmax is too.

    Args:
        scores: (B, C), finite.

    Returns:
        (B, C).
    """
    ranked = scores.sort(dim=-1, descending=True).values
    rank = torch.arange(1, scores.shape[-1] + 1, device=scores.device)
    theta = (ranked.cumsum(-1) - 1) / rank  # (B, C): theta if `rank` entries stay positive
    support = (ranked > theta).sum(-1, keepdim=True).clamp(min=1)
    return (scores - theta.gather(-1, support - 1)).clamp(min=0)
