"""A part of a file in the file's own frames: what is taken of each block that is decoded.

Whoever decodes hands over its blocks with their places, and at the end says how much there was;
which decoder it is does not matter.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gensr.features.audio.errors import AudioError
from gensr.features.audio.segments import Segment

Block: TypeAlias = NDArray[np.float32]
"""(n, channels)."""

TO_THE_END = 2**62
"""More frames than any file has."""
_TOLERATED_SECONDS = 0.01
"""A time may lie this much behind the end: whoever wrote it has rounded."""


class Cut:
    """Takes a part out of what is decoded.

    Args:
        segment: the part; None: everything.
        rate: of the file, Hz.
        channels: of the file.

    Raises:
        AudioError: the file has no such channel.
    """

    def __init__(self, segment: Segment | None, rate: int, channels: int) -> None:
        self._segment, self._rate = segment or Segment(), rate
        self.start, stop = self._segment.frames(rate)
        """The first frame."""
        self.stop = TO_THE_END if stop is None else stop
        """One past the last frame."""
        self.whole = not self._segment.fragment
        """Whether it is all of the file."""
        channel = self._segment.channel
        if channel is not None and channel >= channels:
            raise AudioError(f"channel {channel} is none of its {channels}: they count from 0")

    def part(self, first: int, block: Block) -> Block:
        """Return what a block has of the part, (k, channels), k >= 0; one channel if one is meant.

        Args:
            first: the block's first frame in the file.
            block: (n, channels).
        """
        found = block[max(0, self.start - first) : max(0, self.stop - first)]
        channel = self._segment.channel
        return found if channel is None else found[:, channel : channel + 1]

    def check(self, held: int) -> None:
        """Hold the part against the file, once it is known how many frames that has.

        Raises:
            AudioError: the part is not, or not wholly, in the file; or it holds no frame.
        """
        begin, end, lasts = self._segment.start, self._segment.end, held / self._rate
        if end is not None and self.stop > held + round(_TOLERATED_SECONDS * self._rate):
            raise AudioError(f"ends at {end:f} s, but its file at {lasts:.2f} s")
        if self.start >= held:
            raise AudioError(f"begins at {begin:f} s, but its file ends at {lasts:.2f} s")
        if self.start >= self.stop:
            raise AudioError("too short: between its beginning and its end there is no sample")
