"""The straight line of flow matching, a(t) = t."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gensr.estimator.paths.path import MeanSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMean(MeanSchedule):
    """a(t) = t: the mean of conditional flow matching (Lipman et al. 2023; Tong et al. 2024)."""

    name: ClassVar[str] = "linear"

    def a(self, t: Tensor) -> Tensor:
        """Share of x1 at t."""
        return t

    def d_a(self, t: Tensor) -> Tensor:
        """One, whatever t."""
        return torch.ones_like(t)
