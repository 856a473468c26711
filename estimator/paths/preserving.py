"""The mean of the variance-preserving diffusion, seen from x1."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.path import MeanSchedule
from gensr.estimator.ranges import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class PreservingMean(MeanSchedule):
    """a(t) = 1 - exp(-t beta_min / 2 - t^2 (beta_max - beta_min) / 4).

    What is left of the data at t under the VP SDE of Song et al. 2021 ("Score-Based Generative
    Modeling through Stochastic Differential Equations", appendix B), with their beta(t), rising
    linearly. Theirs ends at zero; here x_t - x1 takes the place of their x_t, so that it ends at
    x1, as in the mean-reverting SDE of Luo et al. 2023 (IR-SDE): dx = beta(t)/2 (x1 - x) dt + ....
    """

    name: ClassVar[str] = "vp"

    beta_min: float = 0.1
    """beta(0), Song et al.'s."""
    beta_max: float = 20.0
    """beta(1), Song et al.'s: 0.7 % of x0 is left at t = 1."""

    def __post_init__(self) -> None:
        check_range("beta_min", self.beta_min, least=0, most=10_000)
        check_range("beta_max", self.beta_max, above=0, most=10_000)
        if self.beta_max < self.beta_min:
            raise ConfigError(
                f"beta_max must be at least beta_min ({self.beta_min}), found {self.beta_max}"
            )

    def a(self, t: Tensor) -> Tensor:
        """Share of x1 at t."""
        return -torch.expm1(-self._spent(t))

    def d_a(self, t: Tensor) -> Tensor:
        """a'(t) = beta(t) / 2 times what is left of x0."""
        beta = self.beta_min + (self.beta_max - self.beta_min) * t
        return beta / 2 * torch.exp(-self._spent(t))

    def _spent(self, t: Tensor) -> Tensor:
        """Half the integral of beta from 0 to t."""
        return self.beta_min / 2 * t + (self.beta_max - self.beta_min) / 4 * t.square()
