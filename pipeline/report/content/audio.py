"""Clips as a browser plays them, inside the page: PCM WAV, 16 bits, 16 kHz, mono.

A run may come from elsewhere, and names files. Only what lies in the folder that the user named is
read, links followed; and only the very audio that was tested is embedded, known by its hash.
"""

import io
import os
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import GensrError
from gensr.features.audio.errors import AudioError
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.audio.segments import locate
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.fence import Fence
from gensr.features.hearing.decoders import read_again
from gensr.features.hearing.survey import hear_in_children

LONGEST = 15.0
"""Seconds of one clip that are embedded; what is longer is not, and that is said."""
ROOM = 4 * 2**20
"""Bytes of audio in one page."""


Sound = tuple[bytes | None, str]
"""A WAV, and nothing; or none, and why."""


def sounds(folder: Path | None, clips: Sequence[tuple[str, str]]) -> list[Sound]:
    """Clips as WAV, or why they cannot be heard, in the order given.

    Args:
        folder: the corpus; None: none was given.
        clips: path of each in the corpus, as the run names it, and the hash of its samples, empty
            where the run has none.
    """
    if folder is None:
        return [(None, "no --audio")] * len(clips)
    fence = Fence(folder, allow_outside=False)
    left, found = ROOM, list[Sound]()
    for path, sha256 in clips:
        wav, why = _sound(folder, fence, path, sha256)
        if wav is not None and len(wav) > left:
            wav, why = None, f"the page's {ROOM // 2**20} MB of audio are used up"
        left -= len(wav or b"")
        found.append((wav, why))
    return found


def _sound(folder: Path, fence: Fence, path: str, sha256: str) -> Sound:
    if not sha256:
        return None, "the run does not know its audio's hash"
    try:
        samples = _samples(folder / fence.inside("the run", path), sha256)
    except CorpusError:
        return None, "its name leads out of the folder of --audio"
    except (GensrError, OSError) as error:
        return None, str(error)
    return to_wav(samples), ""


def _samples(path: Path, sha256: str) -> NDArray[np.float32]:
    """Decoded apart at first, as any file is that was not heard before, then here.

    Raises:
        AudioError: it cannot be used, is another clip, or too long.
    """
    if not os.path.lexists(locate(path)[0]):
        raise AudioError("not in the folder of --audio")
    ((file_sha256, verdict),) = hear_in_children([path], {})
    if verdict.reason:
        raise AudioError(verdict.reason)
    if verdict.audio_sha256 != sha256:
        raise AudioError("the file is not the one that was tested")
    if verdict.samples > LONGEST * SAMPLE_RATE:
        raise AudioError(f"longer than {LONGEST:.0f} s")
    return read_again(path, file_sha256).samples


def to_wav(samples: NDArray[np.float32]) -> bytes:
    """(n,) at 16 kHz within [-1, 1], and clipped there, as the bytes of a WAV."""
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.tobytes())
    return out.getvalue()
