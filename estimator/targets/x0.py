"""Target matching, the paper's: the network gives x0 itself (Eq. 8)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.targets.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class X0Target(Target):
    """The label's code is wanted, whatever the time and the noise."""

    name: ClassVar[str] = "x0"
    strong: ClassVar[bool] = True

    def wanted(self, path: GaussianPath, x0: Tensor, x1: Tensor, t: Tensor, z: Tensor) -> Tensor:
        """x0. See `Target.wanted`."""
        return x0

    def estimate(
        self, path: GaussianPath, given: Tensor, x_t: Tensor, x1: Tensor, t: Tensor
    ) -> Tensor:
        """What was given. See `Target.estimate`."""
        return given

    def nothing(self, wanted: Tensor, codes: Tensor) -> Tensor:
        """|x0|^2, the same for every class. See `Target.nothing`."""
        return codes[0].square().sum()
