"""Flow matching: the network gives the velocity of the path, Eq. 5."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gensr.estimator.paths.path import GaussianPath, column
from gensr.estimator.targets.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTarget(Target):
    """u = (sigma'/sigma)(x_t - mu_t) + mu'_t is wanted (Lipman et al. 2023; Tong et al. 2024).

    Samplers ask for x0_hat, and Eq. 9's field of that very x0_hat is u again: Euler's method
    integrates what the network gave. The x0_hat between is ill-conditioned near t = 1 (the divisor
    of Eq. 9 solved for x0 is .034 at t = .999), so what is classified is the state at t_eps.
    """

    name: ClassVar[str] = "flow"
    defaults: ClassVar[Mapping[str, Any]] = {
        "T": 0.99,
        "start": "noisy",
        "draws": 4,
        "sampler": "euler",
        "sampler_steps": 20,
        "readout": "state",
    }

    def wanted(self, path: GaussianPath, x0: Tensor, x1: Tensor, t: Tensor, z: Tensor) -> Tensor:
        """The velocity at x_t, of which x_t - mu_t is sigma_t z. See `Target.wanted`."""
        sigma, r = path.variance.sigma(t), path.variance.d_log_sigma(t)
        return column(r * sigma) * z + path.d_mu(x0, x1, t)

    def estimate(
        self, path: GaussianPath, given: Tensor, x_t: Tensor, x1: Tensor, t: Tensor
    ) -> Tensor:
        """x0 = (r (x_t - a x1) + a' x1 - u) / (r (1 - a) + a'). See `Target.estimate`."""
        a, d_a = column(path.mean.a(t)), column(path.mean.d_a(t))
        r = column(path.variance.d_log_sigma(t))
        return (r * (x_t - a * x1) + d_a * x1 - given) / (r * (1 - a) + d_a)

    def amplified(self, path: GaussianPath, t: Tensor) -> Tensor:
        """1 / (r (1 - a) + a'). See `Target.amplified`."""
        a, r = path.mean.a(t), path.variance.d_log_sigma(t)
        return 1 / (r * (1 - a) + path.mean.d_a(t))
