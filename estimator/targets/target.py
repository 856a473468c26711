"""What the network is asked to give, and how an estimate of x0 follows from what it gives.

Shapes: B batch, L width.

The path converts label, velocity and noise into one another, so a rival of target matching is
two short methods: what is wanted of the network at x_t, and the x0_hat that its answer means.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from gensr.estimator.part import Part
from gensr.estimator.paths.path import GaussianPath

Estimate = Callable[[Tensor, Tensor], Tensor]
"""x_theta with X_c bound: (x_t (B, L), t (B,), or (1,) for all) -> x0_hat (B, L)."""


class Target(Part):
    """What is wanted of the network, and what its answer means."""

    __slots__ = ()
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Settings of the method that go with it where none are asked for: its own start, T, sampler,
    N and read-out."""
    strong: ClassVar[bool] = False
    """Whether `--preset small` has strong noise (`paths/bridge.py`): with it development parts were
    better by some half a point or more (docs/results/study.md)."""
    learning_rate: ClassVar[float | None] = None
    """Its own, in place of the preset's; None is the preset's."""

    @abstractmethod
    def wanted(self, path: GaussianPath, x0: Tensor, x1: Tensor, t: Tensor, z: Tensor) -> Tensor:
        """What the network is to give at x_t = mu_t(x0, x1) + sigma_t z.

        Args:
            path: mean and variance of x_t.
            x0: (B, L) codes of the labels.
            x1: (B, L) speech vectors.
            t: (B,) times.
            z: (B, L) standard normal noise.

        Returns:
            (B, L).
        """

    @abstractmethod
    def estimate(
        self, path: GaussianPath, given: Tensor, x_t: Tensor, x1: Tensor, t: Tensor
    ) -> Tensor:
        """x0_hat (B, L), where the network has given `given` (B, L) at x_t (B, L) and t (1,)."""

    def amplified(self, path: GaussianPath, t: Tensor) -> Tensor:
        """By how much an error of what is given grows on its way into x0_hat, same shape as t.

        Zero divisors are told by it before anything is trained; 1 unless a target says otherwise.
        """
        return torch.ones_like(t)

    def nothing(self, wanted: Tensor, codes: Tensor) -> Tensor:
        """What an answer of zero costs, a scalar: the loss is divided by it, so that 1 is that.

        Args:
            wanted: (B, L) of this batch; the mean of its squared norms is the default.
            codes: (C, L).
        """
        return wanted.detach().square().sum(-1).mean()


def draw_times(n: int, t_eps: float, T: float, device: torch.device, power: float = 1.0) -> Tensor:
    """T ~ U([t_eps, T]) (Algorithm 1), (n,) float32; or nearer T.

    t = t_eps + (T - t_eps) u^(1/p), whose density rises as the (p-1)th power of the way from
    t_eps: 1 is Algorithm 1's.
    """
    u = torch.rand(n, device=device)
    return t_eps + (T - t_eps) * (u if power == 1 else u.pow(1 / power))
