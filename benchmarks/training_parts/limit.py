"""What the hardware could do: products of matrices at the network's own shapes, and its memory.

Shapes: B batch, I inputs and O outputs of a layer, P learnt weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gensr.estimator.models.gen_ser import GenSER

TRAFFIC = 13
"""How often a step must pass over the weights, their gradient and AdamW's moments: read for the
answer and for the gradient, which is written (3), read for its norm (1); AdamW reads four and
writes three (7); the average is read and written (2)."""
_AT_ONCE = 2**28


@dataclass(slots=True)
class _Layer:
    """One linear layer, with everything that its products read and write."""

    weight: Tensor
    """(O, I)."""
    x: Tensor
    """(B, I)."""
    y: Tensor
    """(B, O)."""
    inner: bool
    """Whether what comes before is learnt too, so that a gradient goes on."""
    to_x: Tensor
    to_weight: Tensor

    def forward(self) -> None:
        torch.mm(self.x, self.weight.t(), out=self.y)

    def backward(self) -> None:
        torch.mm(self.y.t(), self.x, out=self.to_weight)
        if self.inner:
            torch.mm(self.y, self.weight, out=self.to_x)


class Products:
    """Every product of one pass through a network, as plain `torch.mm`: nothing between them.

    Args:
        model: whose layers.
        batch: B.
        dtype: type of the products.
        learning: make room for gradients too.
    """

    def __init__(
        self, model: GenSER, batch: int, dtype: torch.dtype, *, learning: bool = True
    ) -> None:
        self._layers: list[_Layer] = []
        found: list[tuple[nn.Linear, int, bool]] = []

        def note(layer: nn.Linear, given: tuple[Tensor, ...]) -> None:
            found.append((layer, len(given[0]), given[0].requires_grad))

        linear = [each for each in model.modules() if isinstance(each, nn.Linear)]
        hooks = [each.register_forward_pre_hook(note) for each in linear]
        x = torch.randn(batch, model.layers, model.width, device=model.device)
        y = torch.zeros(batch, dtype=torch.int64, device=model.device)
        model.train().loss(x, y, model.draw(batch))
        for hook in hooks:
            hook.remove()
        for layer, rows, inner in found:
            weight = layer.weight.detach().to(dtype, copy=True)
            outputs, inputs = weight.shape
            room = (rows, inputs) if learning else (0, 0)
            self._layers.append(
                _Layer(
                    weight,
                    torch.randn(rows, inputs, device=x.device).to(dtype),
                    weight.new_zeros(rows, outputs),
                    inner,
                    weight.new_empty(room),
                    torch.empty_like(weight) if learning else weight.new_empty(0),
                )
            )

    def forward(self) -> None:
        """Those of an answer."""
        for layer in self._layers:
            layer.forward()

    def step(self) -> None:
        """Those of an answer and of its gradient."""
        self.forward()
        for layer in reversed(self._layers):
            layer.backward()


class Triad:
    """Two arrays read and one written, too large for any cache: what memory can do."""

    def __init__(self, device: torch.device, size: int = _AT_ONCE) -> None:
        self._a, self._b = (torch.ones(size // 4, device=device) for _ in range(2))
        self._sum = torch.empty_like(self._a)
        self.bytes = 3 * self._a.nbytes

    def __call__(self) -> None:
        """Once."""
        torch.add(self._a, self._b, out=self._sum)


def weight_traffic(model: GenSER) -> int:
    """Bytes that a step must move for the weights alone, in float32."""
    return TRAFFIC * 4 * sum(p.numel() for p in model.parameters())
