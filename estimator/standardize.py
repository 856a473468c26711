"""Each layer and dimension at zero mean and unit variance, by the training part.

Ours: the paper does not say. The conditioning layers of a stable-layer-norm encoder are an
un-normalised residual stream while x1 is layer-normed, so their scales differ by layer.

Shapes: N clips, K conditioning layers, L width.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

FLOOR = 1e-3
"""Smallest standard deviation, over |mean|: a dimension that hardly moves in training (a sd of
1e-4 around 5) would make 10,000 of a test value of 6. Below 1e-6 it is constant: centred only."""
CLAMP = 10.0
"""Largest |z|: beyond it a value is outside all that was learnt from, and would drown the rest."""


class Standardizer(nn.Module):
    """(x - mean) / std, within +-10."""

    mean: Tensor
    std: Tensor

    def __init__(self, layers: int, L: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(layers, L))
        self.register_buffer("std", torch.ones(layers, L))

    def fit(self, mean: Tensor, std: Tensor) -> None:
        """Take the moments of the training part, float64 (K+1, L)."""
        size = mean.abs()
        constant = std <= 1e-6 * size.clamp(min=1e-6)
        self.mean.copy_(mean)
        self.std.copy_(torch.maximum(std, FLOOR * size).masked_fill(constant, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        """(B, K+1, L) -> (B, K+1, L)."""
        return ((x - self.mean) / self.std).clamp_(-CLAMP, CLAMP)

    def into(self, x: Tensor) -> None:
        """The same, in place of x."""
        x.sub_(self.mean).div_(self.std).clamp_(-CLAMP, CLAMP)


def moments(blocks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over clips, in float64, block by block.

    Blocks are merged by their means and squared deviations (Chan, Golub and LeVeque 1983), so
    that a mean far from zero costs no digits. Which clips make a block decides the last bits.

    Args:
        blocks: (n, K+1, L) float32, in the order of the clips.

    Returns:
        Two float64 (K+1, L).

    Raises:
        ValueError: there is no block.
    """
    count = 0
    mean = square = torch.zeros((), dtype=torch.float64)
    for block in blocks:
        n, x = len(block), block.double()
        var, new = torch.var_mean(x, dim=0, correction=0)
        total = count + n
        off = new - mean
        square = square + var * n + off.square() * (count * n / total)
        mean = mean + off * (n / total)
        count = total
    if not count:
        raise ValueError("no clip to take moments of")
    return mean, (square / count).sqrt()
