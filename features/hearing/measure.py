"""What is measured of a clip beside its verdict: rate, level, clipping, fingerprint.

Levels and clipping are those of the file's own samples where it may be decoded here, and of the
16 kHz samples where a process of its own decodes it (MP3, video), whose rate is then not known.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensr.features.audio.errors import AudioError
from gensr.features.audio.hashes import hash_of
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.audio.segments import locate
from gensr.features.hearing.decode import CHANGED, decode, open_audio, to_16_khz
from gensr.features.hearing.decode import is_for_here as _is_for_here
from gensr.features.hearing.decoders import shared_decoders
from gensr.features.hearing.fingerprint import Fingerprint, fingerprint

_AT_PEAK, _LOUD, _RUN = 0.999, 0.5, 3
"""A sample is at the ceiling if it has this share of the clip's peak, the peak is as loud as
this, and this many such samples follow one another: what a wave that is cut off looks like."""
_QUIETEST_DB = -120.0
"""Level that is told of what is quieter yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One clip."""

    rate: int
    """Hz of the file; 0: not known."""
    seconds: float
    """Length."""
    level_db: float
    """Root mean square, dB below full scale."""
    clipped: float
    """Share of samples at the ceiling, 0 to 1."""
    fingerprint: Fingerprint
    """By which copies are found."""


def measure(path: Path, file_sha256: str) -> Measured:
    """Decode a clip that was heard, and measure it.

    Args:
        path: the file, or the name of a part of it.
        file_sha256: of its bytes, when it was heard.

    Raises:
        AudioError: it cannot be read, or changed since; named with its path.
    """
    whole, segment = locate(path)
    try:
        with open_audio(whole) as file:
            if hash_of(file, segment) != file_sha256:
                raise AudioError(CHANGED)
            if here := _is_for_here(file):
                mono, rate = decode(file, segment, heard=True)
                samples = to_16_khz(mono, rate)
        if not here:
            samples = shared_decoders().read(path, file_sha256).samples
            mono, rate = samples, 0
    except AudioError as error:
        raise AudioError(f"{path}: {error}") from error
    return Measured(
        rate=rate,
        seconds=len(samples) / SAMPLE_RATE,
        level_db=level_db(mono),
        clipped=clipped_share(mono),
        fingerprint=fingerprint(samples),
    )


def level_db(samples: NDArray[np.float32]) -> float:
    """Root mean square in dB below full scale.

    >>> round(level_db(np.full(100, 0.1, np.float32)), 1)
    -20.0
    """
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(_QUIETEST_DB, 10 * float(np.log10(power))) if power > 0 else _QUIETEST_DB


def clipped_share(samples: NDArray[np.float32]) -> float:
    """Share of samples in runs at the clip's own ceiling.

    >>> wave = np.sin(np.linspace(0, 60, 2000)).astype(np.float32)
    >>> clipped_share(wave) < 0.1 < clipped_share(np.clip(wave, -0.6, 0.6))
    True
    """
    found = 0
    for wave in (samples, -samples):  # a ceiling and a floor may differ: 32767 and -32768
        peak = float(wave.max(initial=0.0))
        if peak < _LOUD:
            continue
        at = np.concatenate([[False], wave >= _AT_PEAK * peak, [False]])
        change = np.flatnonzero(at[1:] != at[:-1])
        runs = change[1::2] - change[::2]
        found += int(runs[runs >= _RUN].sum())
    return found / max(1, len(samples))
