"""Which vector of a way is classified.

Shapes: B batch, L width, N steps.
"""

from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.samplers.sampler import Trajectory
from gensr.estimator.targets.target import Estimate

READOUTS = ("estimate", "state", "after")
"""The last estimate that a step was taken with; the state at t_eps; the estimate made there."""


def check_readout(name: str) -> None:
    """Refuse what is no read-out.

    Raises:
        ConfigError: it is none.
    """
    if name not in READOUTS:
        raise ConfigError(f"readout must be one of {', '.join(READOUTS)}; found {name}")


def read(way: Trajectory, estimate: Estimate, readout: str) -> Tensor:
    """What Eq. 12 classifies.

    `after` is Algorithm 2 as printed: it estimates x0 once more behind the last update, N + 1
    estimates in all; by the other two the last update is in vain, or the last word.

    Args:
        way: where a batch went.
        estimate: x_theta with X_c bound.
        readout: one of `READOUTS`.

    Returns:
        (B, L).
    """
    if readout == "estimate":
        return way.estimates[-1]
    if readout == "state":
        return way.states[-1]
    return estimate(way.states[-1], way.times[-1:])
