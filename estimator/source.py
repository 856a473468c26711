"""Where labelled clips come from: held in memory (resident.py), or streamed from a store.

Shapes: N clips, K conditioning layers, L width, B batch, S steps. A clip's vectors are one
(K+1, L) block, x1 last, as the store holds them.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gensr.estimator.order import Order
from gensr.estimator.standardize import moments

BLOCK = 256
"""Clips of a block of `Source.blocks`: it decides the last bits of the moments."""


class Scale(Protocol):
    """What is done to every clip before it is learnt from, each number for itself."""

    def __call__(self, x: Tensor) -> Tensor:
        """(B, K+1, L) -> (B, K+1, L)."""

    def into(self, x: Tensor) -> None:
        """The same, in place."""


@dataclass(frozen=True, slots=True)
class Window:
    """Clips that are at hand, and the steps that they are shown in."""

    x: Tensor
    """(M, K+1, L): these clips, or all."""
    rows: Tensor
    """(S, B) int64 into `x`."""
    y: Tensor
    """(S, B) int64 class indices."""
    scale: Scale | None = None
    """What is still to be done to each batch."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: Tensor) -> Tensor:
        """(B,) rows of `x` -> their vectors (B, K+1, L), as they are learnt from."""
        x = self.x[rows]
        return x if self.scale is None else self.scale(x)


class Source(ABC):
    """Labelled clips, N of them."""

    y: Tensor
    """(N,) int64 class indices, on the CPU."""
    groups: Tensor | None = None
    """(N,) int64, on the CPU: which clips hang together (a speaker's, a dialogue's), so that what
    is chosen inside a training part can be chosen on others than it learnt from (`inner.py`)."""
    device: torch.device
    """Where batches are."""
    shape: tuple[int, int]
    """(K+1, L) of one clip."""

    def __len__(self) -> int:
        return len(self.y)

    @abstractmethod
    def batch(self, rows: Tensor) -> Tensor:
        """Vectors (B, K+1, L) of clips by their numbers, (B,) int64 in 0 .. N-1."""

    @abstractmethod
    def blocks(self) -> Iterator[Tensor]:
        """All vectors in order, (256, K+1, L) at a time; the last block may be shorter."""

    @abstractmethod
    def windows(self, order: Order, step: int) -> Generator[Window, None, None]:
        """The steps from `step` on, without end; to be closed."""

    @abstractmethod
    def take(self, rows: Tensor, *, alone: bool = False) -> "Source":
        """Some of the clips, by their numbers; no vector is copied.

        Args:
            rows: (n,) int64.
            alone: nobody else learns from these clips, so that they may be changed in place.
        """

    def shared(self) -> "Source":
        """The same clips, which others learn from as well: never copied, nor changed in place."""
        return self

    @abstractmethod
    def scaled(self, scale: Scale) -> "Source":
        """The same clips, each scaled once, where memory allows."""

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation over clips, float64 (K+1, L), in one pass by blocks."""
        return moments(self.blocks())

    def whole(self) -> Tensor:
        """All vectors (N, K+1, L) at once, for a model that is fitted in one go."""
        return torch.cat(list(self.blocks()))
