"""Samples that a caller holds, as a file: so that they are heard as any file is, by one way only.

Kept as they are: whole numbers of 16 or 32 bits, and floats of 32 or 64, each have a WAV of their
own. What is heard then goes through the same checks, mixdown and resampling as everything else.
"""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from gensr.estimator.errors import one_line
from gensr.features.audio.errors import AudioError
from gensr.features.media.ffmpeg import MAX_CHANNELS, RATES

_SUBTYPES = {"int16": "PCM_16", "int32": "PCM_32", "float32": "FLOAT", "float64": "DOUBLE"}
_LARGE = 1 << 31
"""Bytes from which a WAV may not hold them, and its 64-bit brother does."""


def write_array(path: Path, samples: Any, rate: Any) -> None:
    """Write samples to a WAV.

    Args:
        path: the file.
        samples: (n,) or (n, channels), as soundfile reads them; int16, int32, float32 or float64,
            full scale 1 for floats. Anything that numpy takes for such an array.
        rate: in Hz.

    Raises:
        AudioError: they are no samples; the message holds the reason, the caller adds which.
    """
    try:
        block = np.asarray(samples)
        hertz = int(rate)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AudioError(f"no samples and rate: {one_line(error)}") from None
    if hertz != rate or not RATES[0] <= hertz <= RATES[1]:
        raise AudioError(f"a rate of {rate} Hz; it must be whole, from {RATES[0]} to {RATES[1]}")
    if block.dtype.name not in _SUBTYPES:
        raise AudioError(f"samples of type {block.dtype}; they must be {', '.join(_SUBTYPES)}")
    if block.ndim not in (1, 2) or not block.size:
        raise AudioError(f"samples of shape {block.shape}; they must be (n,) or (n, channels)")
    if block.ndim == 2 and block.shape[1] > min(MAX_CHANNELS, block.shape[0]):
        raise AudioError(
            f"samples of shape {block.shape}, which is more channels than can be: (n, channels) "
            "is meant; transpose them"
        )
    form = "WAV" if block.nbytes < _LARGE else "RF64"
    soundfile.write(path, block, hertz, subtype=_SUBTYPES[block.dtype.name], format=form)
