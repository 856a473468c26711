"""Class labels as points of a continuous space, and back: Eq. 12, whatever the codes.

Shapes: B batch, C classes, L width.

Codes are orthogonal and of one norm, so that the order of the classes does not change the
geometry; the paper's are Eq. 2 (`sinusoidal.py`). The estimate that minimises Eq. 8 is the
posterior mean sum_b p(b | x) x0(b); its inner product with each code, over the squared norm, is
p(b | x). Hence cosine argmax (Eq. 12) is Bayes argmax at the optimum, and `probabilities` only
has to bring a trained network's near-probabilities onto the simplex.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from gensr.estimator.errors import ConfigError
from gensr.estimator.part import Part


class Codes(Part):
    """Codes of one kind."""

    __slots__ = ()
    kept: ClassVar[bool] = False
    """Whether they are saved with the weights: those that are drawn or learnt, whose last bits
    another machine would have otherwise."""

    @abstractmethod
    def table(self, n_classes: int, width: int) -> Tensor:
        """The codes x0 of all classes, a function of the settings alone.

        Args:
            n_classes: C, at least 1.
            width: L, the encoder's.

        Returns:
            (C, L) float32, orthogonal and of one norm; row i is the code of class i. Those with a
            `reader` need not be orthogonal.

        Raises:
            ConfigError: there are not so many of them at this width.
        """

    def reader(self, n_classes: int, width: int) -> "Reader | None":
        """What classifies in place of Eq. 12, a function of the settings alone; None is Eq. 12."""
        return None


class Reader(nn.Module, ABC):
    """A classifier of points that came with the codes, and learns no more.

    All that it has learnt is in buffers: an optimizer finds nothing in it, and it is saved with
    the weights.
    """

    @abstractmethod
    def logits(self, x0_hat: Tensor) -> Tensor:
        """(B, L) -> (B, C)."""

    def probabilities(self, x0_hat: Tensor, temperature: float = 1.0) -> Tensor:
        """Softmax of the logits over the temperature, (B, C)."""
        with torch.autocast(x0_hat.device.type, enabled=False):
            return (self.logits(x0_hat.float()) / temperature).softmax(-1)


def class_probabilities(
    x0_hat: Tensor, codes: Tensor, reader: Reader | None, temperature: float = 1.0
) -> Tensor:
    """Class probabilities (B, C) of estimates, by the codes' own reader where they have one."""
    if reader is not None:
        return reader.probabilities(x0_hat, temperature)
    return probabilities(x0_hat, codes, temperature)


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
    with torch.autocast(x0_hat.device.type, enabled=False):  # of what is left, a digit counts
        scores = x0_hat.float() @ codes.T / codes.square().sum(-1)  # (B, C)
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
