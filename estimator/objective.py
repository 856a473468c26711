"""The target-matching objective: Eq. 8 and Algorithm 1.

Shapes: B batch, L width.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from gensr.estimator.path import GaussianPath

Estimate = Callable[[Tensor, Tensor], Tensor]
"""x_theta with X_c bound: (x_t (B, L), t (B,)) -> x0_hat (B, L)."""


def target_matching_loss(
    estimate: Estimate, path: GaussianPath, x0: Tensor, x1: Tensor, t: Tensor, z: Tensor
) -> Tensor:
    """E |x_theta(x_t, X_c, t) - x0|^2 over one batch (Eq. 8).

    The norm is a sum over the width, then a mean over the batch, as written: an estimate of
    zero costs |x0|^2 = L/2. The trainer divides by that, so that 1 means "knows nothing" at
    every width and one clip norm fits all.

    Args:
        estimate: the network, its conditioning bound.
        path: mean and variance of x_t.
        x0: (B, L) codes of the labels.
        x1: (B, L) speech vectors.
        t: (B,) times.
        z: (B, L) standard normal noise.

    Returns:
        Scalar.
    """
    x_t = path.perturb(x0, x1, t, z)
    return (estimate(x_t, t) - x0).square().sum(-1).mean()


def draw_times(n: int, t_eps: float, T: float, device: torch.device) -> Tensor:
    """T ~ U([t_eps, T]) (Algorithm 1), (n,) float32."""
    return t_eps + (T - t_eps) * torch.rand(n, device=device)
