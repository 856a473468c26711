"""The objective: Eq. 8 and Algorithm 1, for any target.

Shapes: B batch, C classes, L width.
"""

from torch import Tensor

from gensr.estimator.paths.path import GaussianPath, sample
from gensr.estimator.targets.target import Estimate, Target


def matching_loss(
    network: Estimate,
    path: GaussianPath,
    target: Target,
    codes: Tensor,
    y: Tensor,
    x1: Tensor,
    t: Tensor,
    z: Tensor,
    at: tuple[Tensor, Tensor],
    weight: Tensor | None = None,
) -> Tensor:
    """E |x_theta(x_t, X_c, t) - x0|^2 over one batch (Eq. 8), or another target's in x0's place.

    The norm is a sum over the width, then a mean over the batch, as written: an answer of zero
    costs |x0|^2 = L/2. The loss is divided by that, so that 1 means "knows nothing" at every
    width and one clip norm fits all.

    Args:
        network: with its conditioning bound, its raw answer.
        path: mean and variance of x_t.
        target: what is wanted of it.
        codes: (C, L).
        y: (B,) class indices.
        x1: (B, L) speech vectors.
        t: (B,) times.
        z: (B, L) standard normal noise.
        at: a(t) and sigma_t, (B,) each: `path.at(t)`.
        weight: (B,) of the clips, 1 in the mean over a training part; None is 1 for all.

    Returns:
        Scalar.
    """
    x0 = codes[y]
    x_t = sample(x0, x1, *at, z)
    wanted = target.wanted(path, x0, x1, t, z)
    cost = (network(x_t, t) - wanted).square().sum(-1)
    cost = (cost if weight is None else cost * weight).mean()
    return cost / target.nothing(wanted, codes)
