"""Examples that are held in memory, on the device that trains: rows are indexed, never copied.

Shapes: N clips, M clips in memory, K conditioning layers, L width.
"""

from collections.abc import Generator, Iterator

import torch
from torch import Tensor

from gensr.estimator.device import send
from gensr.estimator.order import Order
from gensr.estimator.source import BLOCK, Scale, Source, Window

COPY = 2**28
"""Bytes up to which a part of a shared array gets a scaled copy, one part at a time."""


class Resident(Source):
    """Labelled clips among those of one array.

    Args:
        x: (M, K+1, L) float32 vectors, on the device that learns from them.
        y: (N,) int64 class indices.
        groups: (N,) int64, see `Source.groups`.
        rows: (N,) int64, which rows of x they are; None: all, in order.
        alone: nobody else learns from these rows, so that they may be changed in place.
        copies: whether a scaled copy of them may be made.
        scale: what is done to each batch.
    """

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        rows: Tensor | None = None,
        *,
        groups: Tensor | None = None,
        alone: bool = False,
        copies: bool = True,
        scale: Scale | None = None,
    ) -> None:
        self.x, self.y, self.device = x, y.cpu(), x.device
        self.shape = x.shape[1], x.shape[2]
        self.groups = None if groups is None else groups.cpu()
        self._rows = None if rows is None else rows.cpu()
        self._alone, self._copies, self._scale = alone, copies, scale

    def batch(self, rows: Tensor) -> Tensor:
        """See `Source.batch`."""
        x = self.x[send(self._numbers(rows), self.device)]
        return x if self._scale is None else self._scale(x)

    def blocks(self) -> Iterator[Tensor]:
        """See `Source.blocks`."""
        for numbers in torch.split(torch.arange(len(self)), BLOCK) if len(self) else ():
            yield self.batch(numbers)

    def windows(self, order: Order, step: int) -> Generator[Window, None, None]:
        """See `Source.windows`; every window is the whole array."""
        for rows in order.windows(step):
            there = send(self._numbers(rows), self.device)
            yield Window(self.x, there, send(self.y[rows], self.device), self._scale)

    def take(self, rows: Tensor, *, alone: bool = False) -> "Resident":
        """See `Source.take`."""
        rows = rows.cpu()
        numbers = self._numbers(rows)
        groups = None if self.groups is None else self.groups[rows]
        return Resident(
            self.x, self.y[rows], numbers, groups=groups, alone=alone, scale=self._scale
        )

    def shared(self) -> "Resident":
        """See `Source.shared`."""
        return self._with(copies=False, scale=self._scale)

    def scaled(self, scale: Scale) -> "Resident":
        """See `Source.scaled`.

        In place where nobody else needs the vectors as they are, in a copy where that is small,
        and else batch by batch: folds that share an array are scaled differently, and a second
        array of its size is what there is no room for.
        """
        if self._alone and self._scale is None:
            for numbers in torch.split(torch.arange(len(self)), BLOCK):
                rows = send(self._numbers(numbers), self.device)
                block = self.x[rows]
                scale.into(block)
                self.x[rows] = block
            return self._with()
        if self._copies and len(self) * self.x[:1].nbytes <= COPY:
            x = self.whole()
            scale.into(x)
            return Resident(x, self.y, groups=self.groups)
        return self._with(scale=scale)

    def _with(self, *, copies: bool = True, scale: Scale | None = None) -> "Resident":
        """The same clips, taken otherwise."""
        return Resident(self.x, self.y, self._rows, groups=self.groups, copies=copies, scale=scale)

    def _numbers(self, rows: Tensor) -> Tensor:
        """Rows of x by numbers of clips."""
        return rows if self._rows is None else self._rows[rows]
