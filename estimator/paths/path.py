"""The probability path between speech and label: Eq. 4 to 7, and the field of Eq. 5 and 9.

Shapes: B batch, L width. Time t is 1 at the speech vector x1 and 0 at the class code x0.

A mean schedule gives a(t), the share of x1 in the mean, and its exact derivative; a variance
schedule gives sigma_t and its logarithmic derivative. `GaussianPath` composes the two, so a
rival schedule is one small class, known by its name (`registry.py`), and nothing else changes.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gensr.estimator.part import Part

NOISY: Mapping[str, Any] = {"start": "noisy", "draws": 4}
"""What goes with a variance that is not nothing at T: answers begin where trainings did."""


class MeanSchedule(Part):
    """Share a(t) of x1 in the mean: a(0) = 0, a(1) = 1, rising."""

    __slots__ = ()

    @abstractmethod
    def a(self, t: Tensor) -> Tensor:
        """Share of x1 at t, same shape as t."""

    @abstractmethod
    def d_a(self, t: Tensor) -> Tensor:
        """Derivative of a at t, same shape as t."""


class VarianceSchedule(Part):
    """Standard deviation sigma_t of the path, positive inside (0, 1)."""

    __slots__ = ()
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Settings of the method that go with it where none are asked for, as a target's."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """sigma_t, same shape as t."""

    @abstractmethod
    def d_log_sigma(self, t: Tensor) -> Tensor:
        """sigma'_t / sigma_t, same shape as t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianPath:
    """p(x_t) = N(mu_t(x0, x1), sigma_t^2 I) (Eq. 4), from two schedules."""

    mean: MeanSchedule
    variance: VarianceSchedule

    def mu(self, x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
        """mu_t(x0, x1) (Eq. 6). x0, x1: (B, L); t: (B,) or a scalar; returns (B, L)."""
        return x0 + column(self.mean.a(t)) * (x1 - x0)

    def d_mu(self, x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
        """Derivative of mu_t by t. Shapes as in `mu`."""
        return column(self.mean.d_a(t)) * (x1 - x0)

    def at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """a(t) and sigma_t: all that the path is at t, same shape as t."""
        return self.mean.a(t), self.variance.sigma(t)

    def perturb(self, x0: Tensor, x1: Tensor, t: Tensor, z: Tensor) -> Tensor:
        """x_t = mu_t(x0, x1) + sigma_t z (Algorithm 1). z: (B, L) standard normal."""
        return sample(x0, x1, *self.at(t), z)

    def velocity(self, x_t: Tensor, x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
        """U = (sigma'/sigma)(x_t - mu_t(x0, x1)) + mu'_t(x0, x1) (Eq. 5).

        With an estimate in place of x0 it is Eq. 9, whose printed form swaps the arguments of
        mu'_t: as printed it would point the wrong way.
        """
        r = column(self.variance.d_log_sigma(t))
        return r * (x_t - self.mu(x0, x1, t)) + self.d_mu(x0, x1, t)


def sample(x0: Tensor, x1: Tensor, a: Tensor, sigma: Tensor, z: Tensor) -> Tensor:
    """x_t of Algorithm 1, of what `GaussianPath.at` gave."""
    return x0 + column(a) * (x1 - x0) + column(sigma) * z


def column(value: Tensor) -> Tensor:
    """A number for each clip, or one for all, beside vectors (B, L)."""
    return value[:, None] if value.ndim == 1 else value  # (B,) -> (B, 1)
