"""Files that were decoded to their end, kept for their other parts while there is room.

What a decoder gives depends on what it read before, so a part of a lossy file, or of one in a
container, is cut from the decoded whole. Without this, a talk of a thousand parts would be decoded
a thousand times. There is one room in a process, whichever decoder filled it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gensr.features.audio.cut import Block
from gensr.features.audio.once import Once

KEPT_BYTES = 128 << 20
"""Room for decoded files in a process: 35 min at 16 kHz mono, 6 at 44.1 kHz stereo."""
_LEAST = 1 << 10
"""Bytes that a file takes of which nothing but its length is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a file holds."""

    samples: Block | None
    """(n, channels); None: there is no room for them."""
    held: int
    """Frames, n."""
    rate: int
    """Hz."""
    channels: int
    failure: str | None = None
    """The decoder's word, where it broke off."""
    late: float = 0.0
    """How much later than the file its sound begins, in s."""


kept: Once[Decoded] = Once(
    KEPT_BYTES,
    size=lambda whole: _LEAST + (0 if whole.samples is None else whole.samples.nbytes),
)
"""By what identifies a file, see once.py."""


class Gathered:
    """Blocks of a file one behind the other, as long as there is room for them."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._bytes = 0

    def add(self, block: Block) -> None:
        """Take the next block, (n, channels)."""
        self._bytes += block.nbytes
        if self._bytes > KEPT_BYTES:
            self._blocks.clear()
        else:
            self._blocks.append(block)

    def add_all(self, blocks: Iterable[Block]) -> None:
        """Take all blocks."""
        for block in blocks:
            self.add(block)

    def all(self, channels: int) -> Block | None:
        """Return them as one, (n, channels); None where there was no room."""
        if self._bytes > KEPT_BYTES:
            return None
        return np.concatenate([np.zeros((0, channels), np.float32), *self._blocks])
