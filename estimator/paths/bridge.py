"""The paper's variance schedule, Eq. 7."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.path import VarianceSchedule
from gensr.estimator.ranges import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeVariance(VarianceSchedule):
    """Bridge variance schedule sigma_t = sigma sqrt(t(1-t)) (Eq. 7).

    sigma'/sigma = (1-2t)/(2t(1-t)) does not depend on `sigma`, which therefore matters in
    training only when sampling starts from x1 itself.
    """

    name: ClassVar[str] = "bridge"

    strength: float = 0.5
    """sigma of Eq. 7, twice the largest standard deviation on the path. Ours."""

    def __post_init__(self) -> None:
        check_range("strength (sigma)", self.strength, above=0, most=1e6)

    def sigma(self, t: Tensor) -> Tensor:
        """sigma_t of Eq. 7."""
        return self.strength * (t * (1 - t)).clamp(min=0).sqrt()

    def d_log_sigma(self, t: Tensor) -> Tensor:
        """sigma'_t / sigma_t; infinite at t = 0 and t = 1, which sampling therefore avoids."""
        return (1 - 2 * t) / (2 * t * (1 - t))


STRONG: Mapping[str, Any] = {"variance": BridgeVariance(strength=8.0), "times": 4.0}
"""Settings of `--preset small`: noise that hides the label, and times drawn near T, as the
development parts of docs/results/study.md chose them."""


def with_sigma(plain: Mapping[str, Any], named: bool) -> dict[str, Any]:
    """Settings of a model with `sigma`, for short, in its variance schedule.

    Args:
        plain: as they were asked for.
        named: whether the schedule is named too, because it is over no other.

    Raises:
        ConfigError: it is given both ways.
    """
    full = dict(plain)
    if "sigma" in full:
        if "variance" in full:
            raise ConfigError("sigma and variance are both given; put strength into variance")
        name = {"name": BridgeVariance.name} if named else {}
        full["variance"] = {**name, "strength": full.pop("sigma")}
    return full
