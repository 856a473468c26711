"""The probability path between speech and label: Eq. 4 to 7, and the field of Eq. 5 and 9.

Shapes: B batch, L width. Time t is 1 at the speech vector x1 and 0 at the class code x0.

A mean schedule gives a(t), the share of x1 in the mean, and its exact derivative; a variance
schedule gives sigma_t and its logarithmic derivative. `GaussianPath` composes the two, so a
rival schedule is one small class here and nothing else changes.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gensr.estimator.ranges import check_range


class MeanSchedule(Protocol):
    """Share a(t) of x1 in the mean: a(0) = 0, a(1) = 1, rising."""

    def a(self, t: Tensor) -> Tensor:
        """Share of x1 at t, same shape as t."""
        ...

    def d_a(self, t: Tensor) -> Tensor:
        """Derivative of a at t, same shape as t."""
        ...


class VarianceSchedule(Protocol):
    """Standard deviation sigma_t of the path, positive inside (0, 1)."""

    def sigma(self, t: Tensor) -> Tensor:
        """sigma_t, same shape as t."""
        ...

    def d_log_sigma(self, t: Tensor) -> Tensor:
        """sigma'_t / sigma_t, same shape as t."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticMean:
    """Logistic mean schedule (Eq. 6), in a form that does not overflow.

    Eq. 6 is mu_t = x0 + a(t)(x1 - x0) with a(t) = (1 + tanh(k(2t-1)/4) / tanh(k/4)) / 2. As
    printed, with exponentials, it is NaN in fp32 at k = 200; the two agree to 4e-16 elsewhere.
    """

    k: float = 10.0
    """Steepness of the switch around t = 1/2; 0 is the linear schedule a = t. Ours."""

    def __post_init__(self) -> None:
        check_range("k", self.k, least=0, most=1000)

    def a(self, t: Tensor) -> Tensor:
        """Share of x1 at t (Eq. 6)."""
        if self.k == 0:
            return t
        return (1 + torch.tanh(self.k * (2 * t - 1) / 4) / math.tanh(self.k / 4)) / 2

    def d_a(self, t: Tensor) -> Tensor:
        """a'(t) = k sech^2(k(2t-1)/4) / (4 tanh(k/4))."""
        if self.k == 0:
            return torch.ones_like(t)
        sech = 1 / torch.cosh(self.k * (2 * t - 1) / 4)
        return self.k / (4 * math.tanh(self.k / 4)) * sech.square()


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeVariance:
    """Bridge variance schedule sigma_t = sigma sqrt(t(1-t)) (Eq. 7).

    sigma'/sigma = (1-2t)/(2t(1-t)) does not depend on `sigma`, which therefore matters in
    training only when sampling starts from x1 itself.
    """

    strength: float = 0.5
    """sigma of Eq. 7, twice the largest standard deviation on the path. Ours."""

    def __post_init__(self) -> None:
        check_range("sigma", self.strength, above=0, most=1e6)

    def sigma(self, t: Tensor) -> Tensor:
        """sigma_t of Eq. 7."""
        return self.strength * (t * (1 - t)).clamp(min=0).sqrt()

    def d_log_sigma(self, t: Tensor) -> Tensor:
        """sigma'_t / sigma_t; infinite at t = 0 and t = 1, which sampling therefore avoids."""
        return (1 - 2 * t) / (2 * t * (1 - t))


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianPath:
    """p(x_t) = N(mu_t(x0, x1), sigma_t^2 I) (Eq. 4), from two schedules."""

    mean: MeanSchedule
    variance: VarianceSchedule

    def mu(self, x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
        """mu_t(x0, x1) (Eq. 6). x0, x1: (B, L); t: (B,) or a scalar; returns (B, L)."""
        return x0 + _column(self.mean.a(t)) * (x1 - x0)

    def d_mu(self, x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
        """Derivative of mu_t by t. Shapes as in `mu`."""
        return _column(self.mean.d_a(t)) * (x1 - x0)

    def perturb(self, x0: Tensor, x1: Tensor, t: Tensor, z: Tensor) -> Tensor:
        """x_t = mu_t(x0, x1) + sigma_t z (Algorithm 1). z: (B, L) standard normal."""
        return self.mu(x0, x1, t) + _column(self.variance.sigma(t)) * z

    def velocity(self, x_t: Tensor, x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
        """U = (sigma'/sigma)(x_t - mu_t(x0, x1)) + mu'_t(x0, x1) (Eq. 5).

        With an estimate in place of x0 it is Eq. 9, whose printed form swaps the arguments of
        mu'_t: as printed it would point the wrong way.
        """
        r = _column(self.variance.d_log_sigma(t))
        return r * (x_t - self.mu(x0, x1, t)) + self.d_mu(x0, x1, t)


def _column(value: Tensor) -> Tensor:
    return value[:, None] if value.ndim == 1 else value  # (B,) -> (B, 1)
