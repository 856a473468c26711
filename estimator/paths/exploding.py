"""The exploding variance of score-based models, with or without the pull towards x1."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.path import NOISY, VarianceSchedule
from gensr.estimator.ranges import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplodingVariance(VarianceSchedule):
    """sigma_t^2 = sigma_min^2 (rho^(2t) - exp(-2 gamma t)) log rho / (gamma + log rho).

    With rho = sigma_max / sigma_min: the closed form of OUVE's variance (Richter et al. 2023,
    SGMSE+), which belongs to the mean `ve` of the same gamma. Without the pull, gamma = 0, it is
    that of the VE SDE of Song et al. 2021, sigma_min^2 (rho^(2t) - 1). The noise grows
    exponentially, and is nothing at t = 0.
    """

    name: ClassVar[str] = "exploding"
    defaults: ClassVar[Mapping[str, Any]] = NOISY

    sigma_min: float = 0.05
    """Richter et al.'s."""
    sigma_max: float = 0.5
    """Richter et al.'s; with gamma = 10 sigma_1 is 0.22, without a gamma 0.50."""
    gamma: float = 10.0
    """Stiffness of the mean, as `ve` has it by default; 0 for other means (Song et al.)."""

    def __post_init__(self) -> None:
        check_range("sigma_min", self.sigma_min, above=0, most=1e6)
        check_range("sigma_max", self.sigma_max, above=0, most=1e6)
        check_range("gamma", self.gamma, least=0, most=1000)
        if self.sigma_max <= self.sigma_min:
            raise ConfigError(
                f"sigma_max must be above sigma_min ({self.sigma_min}), found {self.sigma_max}"
            )

    def sigma(self, t: Tensor) -> Tensor:
        """sigma_t."""
        rate, both = self._rate, self.gamma + self._rate
        grown = torch.exp(2 * rate * t) * -torch.expm1(-2 * both * t)
        return self.sigma_min * (grown * rate / both).sqrt()

    def d_log_sigma(self, t: Tensor) -> Tensor:
        """sigma'_t / sigma_t = (log rho + gamma q) / (1 - q), q = exp(-2 (gamma + log rho) t).

        Infinite at t = 0, which sampling avoids.
        """
        both = 2 * (self.gamma + self._rate) * t
        return (self._rate + self.gamma * torch.exp(-both)) / -torch.expm1(-both)

    @property
    def _rate(self) -> float:
        """The logarithm of rho."""
        return math.log(self.sigma_max / self.sigma_min)
