"""Which clips meet in which step: one rule, wherever the vectors are.

The clips of a training part are numbered as they lie in the store. An epoch shows each of them
once, but for the incomplete ends of its windows:

    1. consecutive clips make blocks, the rest of less than a block is kept for the end;
    2. the blocks are permuted, and dealt into windows of about equal size;
    3. the clips within a window are permuted, and cut into batches.

So whoever streams needs one window in memory at a time, read block by block. A part that fits
one window is permuted whole. The rule knows neither shards nor containers nor memory: a training
that holds all its vectors and one that streams them see the same batches, and end in the same
weights. What is lost by permuting within windows is in docs/results/training.md.

Shapes: n clips, B batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from gensr.estimator.seeds import mix_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The order of n clips, a function of (seed, step) alone."""

    n: int
    """Clips of the part, at least 1."""
    batch: int
    """Clips a step; a part of fewer is shown whole at each."""
    window: int
    """Most clips that are mixed with each other in an epoch; a multiple of `block`, or all."""
    block: int
    """Consecutive clips that stay together until they are in a window."""
    seed: int
    """Of the permutations."""

    @property
    def size(self) -> int:
        """B: clips of a step."""
        return min(self.batch, self.n)

    @property
    def sizes(self) -> list[int]:
        """Clips of each window of an epoch, the same in every epoch."""
        blocks, rest = divmod(self.n, self.block)
        count = max(1, min(-(-self.n // self.window), blocks))
        share, more = divmod(blocks, count)
        sizes = [(share + (i < more)) * self.block for i in range(count)]
        sizes[-1] += rest
        return sizes

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return sum(size // self.size for size in self.sizes)

    def windows(self, step: int) -> Iterator[Tensor]:
        """The batches from `step` on, without end.

        Yields:
            (steps, B) int64 numbers of clips, window by window.
        """
        epoch, skip = divmod(step, self.steps)
        while True:
            for number, size in enumerate(self.sizes):
                steps = size // self.size
                if skip < steps:
                    yield self._window(epoch, number)[skip:]
                skip = max(0, skip - steps)
            epoch += 1

    def rows(self, step: int) -> Tensor:
        """(B,) the clips of one step."""
        return next(self.windows(step))[0]

    def _window(self, epoch: int, number: int) -> Tensor:
        """(steps, B) of one window of one epoch."""
        sizes = self.sizes
        if len(sizes) == 1:
            clips = torch.randperm(self.n, generator=self._drawn("epoch", epoch))
        else:
            first = sum(sizes[:number]) // self.block
            blocks = _blocks(self, epoch)[first : first + sizes[number] // self.block]
            clips = (blocks[:, None] * self.block + torch.arange(self.block)).flatten()
            if number == len(sizes) - 1:
                clips = torch.cat([clips, torch.arange(self.n - self.n % self.block, self.n)])
            clips = clips[torch.randperm(len(clips), generator=self._drawn(f"{epoch}", number))]
        return clips[: len(clips) // self.size * self.size].view(-1, self.size)

    def _drawn(self, purpose: str, index: int) -> torch.Generator:
        return torch.Generator().manual_seed(mix_seed(self.seed, purpose, index))


@lru_cache(maxsize=8)
def _blocks(order: Order, epoch: int) -> Tensor:
    """The whole blocks, permuted for one epoch."""
    drawn = torch.Generator().manual_seed(mix_seed(order.seed, "blocks", epoch))
    return torch.randperm(order.n // order.block, generator=drawn)
