"""The same noise at every time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from gensr.estimator.paths.path import NOISY, VarianceSchedule
from gensr.estimator.ranges import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantVariance(VarianceSchedule):
    """sigma_t = sigma, as in independent conditional flow matching (Tong et al. 2024)."""

    name: ClassVar[str] = "constant"
    defaults: ClassVar[Mapping[str, Any]] = NOISY

    strength: float = 0.5
    """sigma. Ours; a bridge of the same strength has half of it where it is widest."""

    def __post_init__(self) -> None:
        check_range("strength (sigma)", self.strength, above=0, most=1e6)

    def sigma(self, t: Tensor) -> Tensor:
        """sigma_t."""
        return torch.full_like(t, self.strength)

    def d_log_sigma(self, t: Tensor) -> Tensor:
        """Zero: the field of Eq. 5 is the motion of the mean alone."""
        return torch.zeros_like(t)
