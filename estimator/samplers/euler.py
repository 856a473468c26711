"""Euler steps along the field, Eq. 10. First order in 1/N."""

from torch import Tensor

from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.samplers.sampler import Trajectory, march
from gensr.estimator.targets.target import Estimate


def euler(
    estimate: Estimate,
    path: GaussianPath,
    x1: Tensor,
    times: Tensor,
    record: bool = True,
    x_T: Tensor | None = None,
) -> Trajectory:
    """Euler steps along the field of Eq. 9 (Eq. 10, sign mended). First order in 1/N.

    Args:
        estimate: x_theta with X_c bound.
        path: the path the network was trained on.
        x1: (B, L) speech, which is also the state at T where no other is given.
        times: (N+1,), falling, inside (0, 1).
        record: keep every state and estimate, not only the last: memory grows with N.
        x_T: (B, L) state at T, of a start with noise.

    Returns:
        The trajectory.
    """

    def step(x: Tensor, x0_hat: Tensor, t: Tensor, s: Tensor) -> Tensor:
        return x - (t - s) * path.velocity(x, x0_hat, x1, t)

    return march(step, estimate, x1, times, record, x_T)
