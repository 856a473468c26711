"""A fingerprint of speech that survives other encodings, levels and cuts, and no second take.

    E[t, b]   energy of band b in frame t: Hann windows of `FRAME` samples every `HOP`
    D[t, b] = (E[t, b] - E[t, b + 1]) - (E[t - LAG, b] - E[t - LAG, b + 1])
    bit b of word t = D[t, b] > 0

after Haitsma and Kalker, "A highly robust audio fingerprinting system", ISMIR 2002: signs of
differences know no level, and long frames a small hop apart forgive a cut between two hops. 33
bands, evenly spaced on the mel scale from 200 to 3800 Hz (a telephone keeps them), give words of
32 bits. Frames more than `QUIET_DB` below the loudest are silence and say nothing.

Ours: frames of 128 ms, not 370, since an utterance lasts two or three seconds; a difference over
`LAG` hops, as large as the frame is long, so that both terms share no sample.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from gensr.features.audio.resample import SAMPLE_RATE

FRAME, HOP = 2048, 160
"""Samples at 16 kHz: 128 and 10 ms."""
LAG = 6
"""Hops between the frames whose energies are compared."""
BANDS = 33
LOWEST, HIGHEST = 200.0, 3800.0
"""Hz."""
QUIET_DB = 35.0
_BLOCK = 256
"""Frames transformed at once, 2 MiB: they stay in the cache."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A word for each frame."""

    words: NDArray[np.uint32]
    """(T,)."""
    loud: NDArray[np.bool_]
    """(T,) whether there is speech in a frame."""
    doubtful: NDArray[np.uint32]
    """(T, 2) the bit of each word that is nearest to being the other, and the next."""

    def variants(self) -> NDArray[np.uint32]:
        """(4, loud) the words of loud frames, with either of their doubtful bits, or both, flipped.

        An encoding at few bits a second flips such bits first: of its words hardly one in a
        hundred may be whole.
        """
        words, first, second = self.words[self.loud], *self.doubtful[self.loud].T
        return np.stack([words, words ^ first, words ^ second, words ^ first ^ second])


def fingerprint(samples: NDArray[np.float32]) -> Fingerprint:
    """The fingerprint of a clip.

    Args:
        samples: (n,) at 16 kHz; shorter ones than a frame are filled up with silence.
    """
    padded = np.pad(samples, (0, max(0, FRAME - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    filters = _filters()
    width = len(filters)
    blocks = []
    for k in range(0, len(frames), _BLOCK):
        spectrum = rfft(frames[k : k + _BLOCK] * _window(), axis=1)[:, :width]
        blocks.append((np.square(spectrum.real) + np.square(spectrum.imag)) @ filters)
    return of_energies(np.concatenate(blocks).astype(np.float64))  # (T, BANDS)


def of_energies(energy: NDArray[np.float64]) -> Fingerprint:
    """The fingerprint of band energies, (T, BANDS)."""
    slope = energy[:, :-1] - energy[:, 1:]
    slope /= energy.sum(1, keepdims=True) + 1e-20
    change = slope[LAG:] - slope[:-LAG]
    bits = (change > 0).astype(np.uint32)
    words = (bits << np.arange(BANDS - 1, dtype=np.uint32)).sum(1, dtype=np.uint32)
    total = energy[LAG:].sum(1)
    loud = total > total.max(initial=0.0) * 10 ** (-QUIET_DB / 10)
    weakest = np.argpartition(np.abs(change), 1, axis=1)[:, :2].astype(np.uint32)
    return Fingerprint(words, loud, np.uint32(1) << weakest)


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(FRAME).astype(np.float32)


@cache
def _filters() -> NDArray[np.float32]:
    """Which bins make a band, as far as the highest: (bins, BANDS)."""
    low, high = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST, HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 1) / 2595) - 1)
    hz = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)[:, None]
    inside = np.asarray((hz >= edges[:-1]) & (hz < edges[1:]))
    return np.asarray(inside[: int(np.flatnonzero(inside.any(1))[-1]) + 1], np.float32)
