"""Time averages, taken on the device while the encoder runs.

A batch of a 24-layer encoder has 25 hidden states of (B, F, L). Only their averages are wanted,
so each is reduced when the next layer receives it, and never lives longer than the model needs.

Frames up to the shortest clip's last are valid in every clip of a batch. They are most of a
well-planned batch and need no mask, so masks, and copies, are made for the rest alone.

Letters: B clips, F frames (padded), L width, K layers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Frames:
    """How many frames of each clip of a padded batch are its own.

    The smallest and the largest number are kept as plain integers, because asking the device
    for them would make it wait.
    """

    counts: Tensor
    """(B,) int64, on the device; each at least 1."""
    shortest: int
    longest: int

    @classmethod
    def of(cls, counts: Sequence[int], device: torch.device) -> "Frames":
        """Bring the numbers to the device without waiting for it.

        >>> Frames.of([3, 2], torch.device("cpu")).padded(1, 4).int().tolist()
        [[0, 0, 1], [0, 1, 1]]
        """
        here = torch.tensor(counts, pin_memory=device.type == "cuda")
        return cls(here.to(device, non_blocking=True), min(counts), max(counts))

    def padded(self, start: int, stop: int) -> Tensor:
        """(B, stop - start) bool: which of these frames are padding."""
        return torch.arange(start, stop, device=self.counts.device) >= self.counts[:, None]


def masked_mean(hidden: Tensor, frames: Frames) -> Tensor:
    """Average over the valid frames alone, accumulated in float32.

    Args:
        hidden: (B, F, L), any floating dtype; what stands in padded frames does not matter.
        frames: valid frames of each clip, at most F, on the same device.

    Returns:
        (B, L) float32.

    >>> frames = Frames.of([2], torch.device("cpu"))
    >>> masked_mean(torch.tensor([[[1.0], [3.0], [9.0]]]), frames)
    tensor([[2.]])
    """
    start, stop = frames.shortest, frames.longest
    total = hidden[:, :start].sum(dim=1, dtype=torch.float32)
    if stop > start:
        padded = frames.padded(start, stop)[:, :, None]
        total += hidden[:, start:stop].masked_fill(padded, 0.0).sum(dim=1, dtype=torch.float32)
    return total / frames.counts[:, None]


class LayerMeans:
    """Collects the time average of the input of each of a stack of layers, during one forward.

    The input of layer 1 is hidden state 0, the input of layer i + 1 the output of layer i. The
    last layer's own output is not hooked: `last_hidden_state`, which may have passed a final
    layer norm, is added by hand.

        with LayerMeans(model.encoder.layers, frames) as means:
            output = model(...)
        means.add(output.last_hidden_state)
        means.stacked()  # (B, K + 1, L)
    """

    def __init__(self, layers: Iterable[nn.Module], frames: Frames) -> None:
        self._layers = list(layers)
        self._frames = frames
        self._handles: list[Any] = []
        self._means: list[Tensor] = []

    def __enter__(self) -> "LayerMeans":
        for layer in self._layers:
            handle = layer.register_forward_pre_hook(self._collect, with_kwargs=True)
            self._handles.append(handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def add(self, hidden: Tensor) -> None:
        """Average one more hidden state, (B, F, L)."""
        self._means.append(masked_mean(hidden, self._frames))

    def stacked(self) -> Tensor:
        """All averages in the order they ran, (B, K + 1, L) float32."""
        expected = len(self._layers) + 1
        if len(self._means) != expected:
            raise RuntimeError(f"{expected} hidden states expected, {len(self._means)} seen")
        return torch.stack(self._means, dim=1)

    def _collect(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.add(args[0] if args else kwargs["hidden_states"])
