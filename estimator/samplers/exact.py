"""The exact solution over each step of a frozen estimate, ours. First order in 1/N."""

from torch import Tensor

from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.samplers.sampler import Trajectory, march
from gensr.estimator.targets.target import Estimate


def exact(
    estimate: Estimate,
    path: GaussianPath,
    x1: Tensor,
    times: Tensor,
    record: bool = True,
    x_T: Tensor | None = None,
) -> Trajectory:
    """The exact solution of Eq. 3 over each step, for the estimate frozen at its start.

    x_s = mu_s(x0_hat) + (sigma_s/sigma_t)(x_t - mu_t(x0_hat)). First order in 1/N like Euler,
    but it never leaves the path seen in training, for any N. Arguments as in `euler`.
    """

    def step(x: Tensor, x0_hat: Tensor, t: Tensor, s: Tensor) -> Tensor:
        shrink = path.variance.sigma(s) / path.variance.sigma(t)
        return path.mu(x0_hat, x1, s) + shrink * (x - path.mu(x0_hat, x1, t))

    return march(step, estimate, x1, times, record, x_T)
