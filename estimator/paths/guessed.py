"""How often the class is guessed from the noisy state: the best guess, in closed form.

    x_t = (1 - a) x0(b) + a x1 + sigma_t z,  x1 ~ N(0, spread^2 I) whatever the class
        ~ N((1 - a) x0(b), (a^2 spread^2 + sigma_t^2) I),  all classes equally likely

The best guess, the code nearest to x_t / (1 - a), is right with the probability that is computed
here. Who knows x1 itself takes it away first: for him the spread is 0.

Shapes: n times, C classes, L width, E draws of a class.
"""

import math

import numpy as np
import torch
from torch import Tensor

from gensr.estimator.paths.path import GaussianPath

POINTS = 64
"""Of the quadrature."""
DRAWS = 4096
"""E, where there is no closed form: a share is then within half a point."""


def guessed(path: GaussianPath, codes: Tensor, times: Tensor, spread: float = 1.0) -> Tensor:
    """Share of classes that are guessed right from x_t, (n,) float64.

    Args:
        path: mean and variance of x_t.
        codes: (C, L).
        times: (n,), inside (0, 1).
        spread: standard deviation of x1 in each dimension; 0 for one who knows x1.
    """
    a, sigma = path.at(times.double())
    # One number each: how far the codes are from zero, in standard deviations, if of norm one.
    distance = (1 - a) / (a.square() * spread**2 + sigma.square()).sqrt()
    gram = codes.double() @ codes.double().T
    norm = gram.diagonal().mean()
    if torch.allclose(gram, norm * torch.eye(len(codes)).double(), atol=1e-4 * norm.item()):
        return _of_orthogonal(distance * norm.sqrt(), len(codes))
    return _by_draws(distance, gram)


def _of_orthogonal(d: Tensor, C: int) -> Tensor:
    """E Phi(u + d)^(C-1), u standard normal, by Gauss and Hermite: C orthogonal signals, d long.

    The score of the true code is N(d, 1), those of the others are N(0, 1), and none knows another.
    """
    points, weights = (torch.from_numpy(each) for each in np.polynomial.hermite.hermgauss(POINTS))
    below = torch.special.ndtr(d[:, None] + math.sqrt(2) * points)
    share: Tensor = (below ** (C - 1) * weights).sum(-1) / math.sqrt(math.pi)
    return share


def _by_draws(distance: Tensor, gram: Tensor) -> Tensor:
    """The same of codes of any shape, by seeded draws in the space that they span."""
    C = len(gram)
    values, vectors = torch.linalg.eigh(gram)
    root = vectors * values.clamp(min=0).sqrt()  # (C, C): root root^T is the Gram matrix
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(DRAWS, C, generator=generator, dtype=torch.float64) @ root.T  # (E, C)
    shares = []
    for d in distance:
        # Of each class b and code c: d <x0_b, x0_c> + <e, x0_c> - d |x0_c|^2 / 2.
        scores = d * gram[:, None] + noise - d * gram.diagonal() / 2  # (C, E, C)
        right = scores.argmax(-1) == torch.arange(C)[:, None]
        shares.append(right.double().mean())
    return torch.stack(shares)
