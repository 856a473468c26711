"""Examples that are read while they are learnt from: a window at a time, the next one meanwhile.

For vectors that memory does not hold. dask reads the shards that a window's blocks lie in, by
threads, each shard compared with its hash; two windows are in memory, one that is learnt from and
one that is being filled. The order is that of order.py, as for vectors in memory: where they are
changes no weight.

Shapes: N clips, K conditioning layers, L width.
"""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensr.estimator.device import send
from gensr.estimator.order import Order
from gensr.estimator.source import BLOCK, Scale, Source, Window
from gensr.features.store.lazy import read_rows
from gensr.pipeline.training.vectors import Vectors

Centre = Callable[[NDArray[np.int64], NDArray[np.float32]], None]
"""See `Vectors.centre`."""
_READERS = 2
"""Threads that read shards at once: each holds one."""


class Streamed(Source):
    """Labelled clips among those of opened stores.

    Args:
        vectors: the stores; they stay open.
        rows: (N,) their rows.
        y: (N,) int64 class indices.
        device: where batches go.
        groups: (N,) int64, see `Source.groups`.
        scale: what is done to each clip as it comes.
    """

    def __init__(
        self,
        vectors: Vectors,
        rows: NDArray[np.int64],
        y: Tensor,
        device: torch.device,
        *,
        groups: Tensor | None = None,
        scale: Scale | None = None,
    ) -> None:
        self.groups = groups
        self.y, self.device, self.shape = y.cpu(), device, vectors.shape
        self._vectors, self._rows, self._scale = vectors, rows, scale

    def batch(self, rows: Tensor) -> Tensor:
        """See `Source.batch`; read anew, whole shards, each compared with its hash."""
        wanted = self._rows[rows.cpu().numpy()]
        out = torch.empty(len(wanted), *self._vectors.shape)
        for places, part in self._vectors.shards(wanted):
            out[torch.from_numpy(places)] = torch.from_numpy(part)
        return self._finished(out)

    def blocks(self) -> Iterator[Tensor]:
        """See `Source.blocks`; where rows rise, every shard is read once."""
        if (np.diff(self._rows) < 0).any():
            for numbers in torch.split(torch.arange(len(self)), BLOCK):
                yield self.batch(numbers)
            return
        held: list[NDArray[np.float32]] = []
        count = 0
        for _, part in self._vectors.shards(self._rows):
            held.append(part)
            count += len(part)
            while count >= BLOCK:
                every = np.concatenate(held)
                yield self._finished(torch.from_numpy(every[:BLOCK]))
                held, count = [every[BLOCK:]], count - BLOCK
        if count:
            yield self._finished(torch.from_numpy(np.concatenate(held)))

    def windows(self, order: Order, step: int) -> Generator[Window, None, None]:
        """See `Source.windows`."""
        lazy = self._vectors.lazy()
        slots = cycle(_Slot(max(order.sizes), self._vectors.shape, self.device) for _ in range(2))
        shown = order.windows(step)
        with ThreadPoolExecutor(1, thread_name_prefix="window") as pool:
            coming = pool.submit(self._filled, lazy, next(slots), next(shown))
            while True:
                slot, window = coming.result()
                coming = pool.submit(self._filled, lazy, next(slots), next(shown))
                slot.wait()
                yield window
                slot.leave()

    def take(self, rows: Tensor, *, alone: bool = False) -> "Streamed":
        """See `Source.take`."""
        rows = rows.cpu()
        chosen = self._rows[rows.numpy()]
        groups = None if self.groups is None else self.groups[rows]
        return Streamed(
            self._vectors, chosen, self.y[rows], self.device, groups=groups, scale=self._scale
        )

    def scaled(self, scale: Scale) -> "Streamed":
        """See `Source.scaled`: each clip, when it comes into a window."""
        return Streamed(
            self._vectors, self._rows, self.y, self.device, groups=self.groups, scale=scale
        )

    def _filled(self, lazy: Any, slot: "_Slot", shown: Tensor) -> tuple["_Slot", Window]:
        """Read a window into a slot."""
        clips, places = np.unique(shown.numpy(), return_inverse=True)
        slot.fill(lazy, self._rows[clips], self._scale, self._vectors.centre)
        rows = torch.from_numpy(places.reshape(shown.shape))
        return slot, Window(slot.x, send(rows, self.device), send(self.y[shown], self.device))

    def _finished(self, x: Tensor) -> Tensor:
        there = send(x, self.device)
        return there if self._scale is None else self._scale(there)


class _Slot:
    """Memory for one window, on the host and, for a GPU, there too: always the same."""

    def __init__(self, most: int, shape: tuple[int, int], device: torch.device) -> None:
        on_gpu = device.type == "cuda"
        self._host = torch.empty(most, *shape, pin_memory=on_gpu)
        self.x = torch.empty(most, *shape, device=device) if on_gpu else self._host
        self._stream: Any = torch.cuda.Stream(device) if on_gpu else None  # type: ignore[no-untyped-call]
        self._rows: NDArray[np.int64] | None = None

    def fill(self, lazy: Any, rows: NDArray[np.int64], scale: Scale | None, centre: Centre) -> None:
        """Read rows into the first places, centre and scale them.

        A GPU's copy is sent for, not awaited.

        What is there already stays: a part that fits one window is read twice, for two slots.
        """
        if self._rows is not None and np.array_equal(rows, self._rows):
            return
        self._rows = rows
        if self._stream is not None:
            self._stream.synchronize()  # the window before was sent from here
        host = self._host.numpy()[: len(rows)]
        read_rows(lazy, rows, host, _READERS)
        centre(rows, host)
        if self._stream is None:
            if scale is not None:
                scale.into(self.x[: len(rows)])
            return
        with torch.cuda.stream(self._stream):
            self.x[: len(rows)].copy_(self._host[: len(rows)], non_blocking=True)
            if scale is not None:
                scale.into(self.x[: len(rows)])

    def wait(self) -> None:
        """Let what is launched from now on find the window here."""
        if self._stream is not None:
            torch.cuda.current_stream(self.x.device).wait_stream(self._stream)

    def leave(self) -> None:
        """Let the next window wait until what was launched has read this one."""
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self.x.device))
