"""Score matching: the network gives the noise, of which the score is -z / sigma_t."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gensr.estimator.paths.path import GaussianPath, column
from gensr.estimator.targets.target import Target

CODE = 0.5
"""Mean square of a code's numbers: all codes are sqrt(L/2) long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTarget(Target):
    """The noise z is estimated (Ho et al. 2020; Song et al. 2021; Richter et al. 2023, SGMSE+).

    It begins in noise, x_T = x1 + sigma_T z, and follows the probability-flow ODE, whose exact
    step for what the network gave is DDIM's; what is classified is the state at t_eps.

    x0 = (x_t - a x1 - sigma_t z) / (1 - a) divides by 7e-5 at t = .999: a network that gives z
    itself would have to copy the noise to four digits. So it is preconditioned, as Karras et al.
    2022 do: with e = x_t - a x1, of which the best linear guess at z is s e, the network gives
    (z - s e) / o, of unit variance at every t, and z_hat = s e + o times what it gave.
    """

    name: ClassVar[str] = "score"
    defaults: ClassVar[Mapping[str, Any]] = {
        "T": 0.99,
        "start": "noisy",
        "draws": 4,
        "sampler": "exact",
        "sampler_steps": 20,
        "readout": "state",
    }

    strong: ClassVar[bool] = True

    precondition: bool = True
    """Whether the network gives what is left of z behind the linear guess; without, z itself."""

    def wanted(self, path: GaussianPath, x0: Tensor, x1: Tensor, t: Tensor, z: Tensor) -> Tensor:
        """The noise z, or what is left of it. See `Target.wanted`."""
        if not self.precondition:
            return z
        left, sigma, guess, scale = self._guess(path, t)
        return (z - guess * (left * x0 + sigma * z)) / scale

    def estimate(
        self, path: GaussianPath, given: Tensor, x_t: Tensor, x1: Tensor, t: Tensor
    ) -> Tensor:
        """x0 = (x_t - a x1 - sigma_t z_hat) / (1 - a). See `Target.estimate`."""
        e = x_t - column(path.mean.a(t)) * x1
        left, sigma, _, scale = self._guess(path, t)
        if not self.precondition:
            return (e - sigma * given) / left
        # e - sigma guess e in closed form: near T it is the difference of two like numbers.
        return (
            e * left * CODE / (left.square() * CODE + sigma.square()) - sigma * scale / left * given
        )

    def amplified(self, path: GaussianPath, t: Tensor) -> Tensor:
        """sigma_t o / (1 - a), o = 1 where z itself is given. See `Target.amplified`."""
        left, sigma, _, scale = (each.flatten() for each in self._guess(path, t))
        return sigma * scale / left if self.precondition else sigma / left

    def _guess(self, path: GaussianPath, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """1 - a, sigma_t, s and o, each as a column."""
        left, sigma = column(1 - path.mean.a(t)), column(path.variance.sigma(t))
        power = left.square() * CODE + sigma.square()
        return left, sigma, sigma / power, left * (CODE / power).sqrt()
