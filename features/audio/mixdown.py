"""Channels on their way to one: their mean, and whether they cancel in it.

A microphone wired the other way round, or a balanced line taken for stereo, gives two channels of
which one is minus the other. Their mean is silence, or a residue of what differs between them,
which is not the speech. So levels are summed up beside the mean:

    r = rms(x_1 + ... + x_n) / max_i rms(x_i)        each without its constant part

Where one channel of n is live r is 1, for channels that have nothing in common it is 1 or more,
for n copies it is n. Below 1 something cancels. Two microphones before one mouth cancel in bands,
never as a whole: for `LEAST_LEVEL` they would have to be alike within a tenth, with opposite sign.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gensr.features.audio.errors import AudioError
from gensr.features.audio.resample import SAMPLE_RATE

LONGEST_SECONDS = 7_200
"""2 h; a longer file is a recording, not an utterance. Files above 16 kHz are held to as many
samples, whatever time that is: memory follows the samples."""
LEAST_LEVEL = 0.1
"""The sum of the channels has at least this much of the loudest one's level: -20 dB."""
_LOUDEST = 2.0**31
"""Full scale is 1; some files hold whole numbers as floats. Beyond, sums of squares overflow."""


class Mixdown:
    """Takes what is decoded block by block; keeps the mean, and sums for each channel.

    Args:
        rate: of the samples, in Hz.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.held = 0
        """Samples so far."""
        self._blocks: list[NDArray[np.float32]] = []
        self._origin: NDArray[np.float64] | None = None
        self._sums: NDArray[np.float64] = np.zeros(0)
        self._squares: NDArray[np.float64] = np.zeros(0)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples.

        Args:
            block: (n, channels), n > 0; as many channels as before. A channel that was picked
                comes alone, and nothing can cancel.

        Raises:
            AudioError: samples that are no numbers, or far beyond full scale; or too many.
        """
        if not np.isfinite(block).all():
            raise AudioError("holds samples that are not finite (NaN or infinity)")
        if (peak := np.abs(block).max()) > _LOUDEST:
            raise AudioError(f"damaged: a sample of {peak:.1g}, where full scale is 1")
        self.held += len(block)
        if self.held > LONGEST_SECONDS * min(self.rate, SAMPLE_RATE):
            raise AudioError(
                f"longer than {self._limit()}: cut it into utterances, or name its parts in a "
                "manifest (start, end)"
            )
        if block.shape[1] == 1:
            mean = block[:, 0]
        else:
            self._weigh(block)
            mean = block.mean(axis=1, dtype=np.float64)
        self._blocks.append(mean.astype(np.float32, copy=False))

    def mono(self) -> NDArray[np.float32]:
        """Return the mean of the channels, (n,)."""
        return np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.float32)

    def level(self) -> float:
        """Return r; infinity where nothing can cancel: one channel, or silence in all."""
        if not len(self._sums):
            return math.inf
        variances = np.maximum(self._squares / self.held - (self._sums / self.held) ** 2, 0.0)
        loudest = float(variances[:-1].max())
        return math.sqrt(float(variances[-1]) / loudest) if loudest > 0 else math.inf

    def check(self) -> None:
        """Refuse channels that cancel, once all is there.

        Raises:
            AudioError: the mean is not what was recorded.
        """
        level = self.level()
        if level >= LEAST_LEVEL:
            return
        left = f"at {20 * math.log10(level):.0f} dB of the loudest" if level else "silence"
        raise AudioError(
            f"its {len(self._sums) - 1} channels cancel: their sum is {left}; keep one of them:"
            ' ffmpeg -i clip.wav -af "pan=mono|c0=c0" mono.wav'
        )

    def _weigh(self, block: NDArray[np.float32]) -> None:
        """Add up each channel and, as the last, the sum of all.

        The first sample is taken off, which keeps a constant part from drowning the rest.
        """
        wide = np.empty((len(block), block.shape[1] + 1))
        wide[:, :-1] = block
        if self._origin is None:
            self._origin = wide[0, :-1].copy()
            self._sums, self._squares = np.zeros((2, wide.shape[1]))
        wide[:, :-1] -= self._origin
        wide[:, -1] = wide[:, :-1].sum(axis=1)
        self._sums += wide.sum(axis=0)
        self._squares += np.einsum("nc,nc->c", wide, wide)

    def _limit(self) -> str:
        """Say how long a clip may be."""
        if self.rate <= SAMPLE_RATE:
            return f"{LONGEST_SECONDS / 3600:g} h"
        return f"{LONGEST_SECONDS * SAMPLE_RATE / self.rate / 60:.3g} min at {self.rate} Hz"
