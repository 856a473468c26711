"""From a file to 16 kHz mono samples, or to the reason why not.

Every encoder here was trained on 16 kHz mono speech, so that is what a clip is. A file is
decoded by what it contains, not by its suffix (real corpora hold AIFF-C under .wav names).
A file that is damaged is refused with a reason and never mended: half a sentence with the
label of the whole would be a wrong training example.

Nothing here imports torch: reading workers stay light.
"""

import hashlib
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from gensr.estimator.errors import AudioError
from gensr.features.chunks import check_fields
from gensr.features.cut import Cut
from gensr.features.frames import Frames
from gensr.features.headers import is_video_container, ogg_ends, promised_seconds
from gensr.features.once import Once, identity
from gensr.features.resample import RESAMPLER, SAMPLE_RATE, resample
from gensr.features.segments import Segment, locate

__all__ = [
    "LONGEST_SECONDS",
    "MIN_SAMPLES",
    "SAMPLE_RATE",
    "Waveform",
    "content_address",
    "decode",
    "hash_bytes",
    "hash_once",
    "open_audio",
    "read_audio",
    "resampling_provenance",
    "to_16_khz",
]

MIN_SAMPLES = 400
"""Samples at 16 kHz (25 ms): the receptive field of one frame of the encoders' front ends."""

LONGEST_SECONDS = 7_200
"""2 h; a longer file is a recording, not an utterance. Files above 16 kHz are held to as many
samples, whatever time that is: memory follows the samples."""

_RATES = (1_000, 768_000)
"""Hz; outside, the header is damaged (and a very low rate would grow the clip a thousandfold)."""
_MAX_CHANNELS = 64
_TOLERATED_SECONDS = 0.01
"""A header may promise this much more than the file holds: writers round, encoders pad."""
_LOUDEST = 2.0**31
"""Full scale is 1; some files hold whole numbers as floats. Beyond, sums of squares overflow."""

_FFMPEG = "convert it first: ffmpeg -i clip.mp4 -ac 1 -ar 16000 clip.wav"


@dataclass(frozen=True, slots=True)
class Waveform:
    """One clip as the encoders hear it."""

    samples: NDArray[np.float32]
    """(n,) mono, 16 kHz, nominally within [-1, 1]."""
    file_sha256: str
    """Hex digest of the file's bytes."""

    @property
    def sha256(self) -> str:
        """Hex digest of `samples`, see `content_address`; computed anew at each call."""
        return content_address(self.samples)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


def content_address(samples: NDArray[np.float32]) -> str:
    """SHA-256 of samples as little-endian float32: the same audio in WAV and FLAC has one."""
    return hashlib.sha256(np.ascontiguousarray(samples, "<f4").data).hexdigest()


def read_audio(path: Path, *, file_sha256: str | None = None) -> Waveform:
    """Decode a clip: mean of the channels, resampled to 16 kHz where it has another rate.

    Args:
        path: a file in any format that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, ...), or
            the name of a part of one (`segments.py`).
        file_sha256: hex digest that the file's bytes must have. Bytes that were decoded before,
            in a process of their own, can be decoded in this one: libsndfile sees no others.

    Raises:
        AudioError: the clip cannot be used; the message is the reason, without the path.
        GensrError: what resamples cannot be imported.
    """
    whole, segment = locate(path)
    with open_audio(whole) as file:
        found = hash_bytes(file) if segment is None else hash_once(file)
        if file_sha256 is not None and found != file_sha256:
            raise AudioError("changed since it was first heard")
        return Waveform(samples=to_16_khz(*decode(file, segment)), file_sha256=found)


@contextmanager
def open_audio(path: Path) -> Iterator[FileIO]:
    """Open a clip once, for hashing and decoding alike.

    Raises:
        AudioError: it cannot be opened, or what is done with it fails; without the path.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise AudioError("a directory, not an audio file")
        if not stat.S_ISREG(status.st_mode):
            raise AudioError("not a regular file")
        if status.st_size == 0:
            raise AudioError("empty file (0 bytes)")
        # Unbuffered: seeking moves the descriptor itself, which libsndfile shares.
        with open(path, "rb", buffering=0, opener=_without_waiting) as file:
            yield file
    except OSError as error:
        raise AudioError((error.strerror or str(error)).lower()) from error
    except soundfile.LibsndfileError as error:
        raise AudioError(f"unreadable: {error.error_string.rstrip('.') or error}") from error


def hash_bytes(file: FileIO) -> str:
    """SHA-256 of all bytes of an open file, as hex digits; the file is at its end then."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


_hashes: Once[str] = Once(1_000)


def hash_once(file: FileIO) -> str:
    """Return what `hash_bytes` does, of the bytes as they were when a process first read them.

    For files of which several parts are heard: each would else read the whole.
    """
    return _hashes.get(identity(file), lambda: hash_bytes(file))


def _without_waiting(name: str, flags: int) -> int:
    """Open a file: one that became a named pipe since it was looked at would wait for ever."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def to_16_khz(mono: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return (n,) samples at 16 kHz, or refuse what no encoder can use.

    Raises:
        AudioError: silent or too short.
        GensrError: what resamples cannot be imported.
    """
    if mono.min() == mono.max():
        raise AudioError(f"silent: all {len(mono)} samples are {mono[0]:g}")
    samples = mono if rate == SAMPLE_RATE else resample(mono, rate)
    if len(samples) < MIN_SAMPLES:
        raise AudioError(
            f"too short: {len(samples)} samples at 16 kHz; an encoder needs at least {MIN_SAMPLES}"
        )
    return samples


def resampling_provenance() -> dict[str, str | int]:
    """What was done to every clip before the encoder, for the store."""
    return {
        "sample_rate": SAMPLE_RATE,
        "channels": "mean",
        "resampler": RESAMPLER,
    }


def decode(file: FileIO, segment: Segment | None = None) -> tuple[NDArray[np.float32], int]:
    """Decode an open file, or a part of it: (n,) mono samples and their rate in Hz, n > 0.

    Raises:
        AudioError: damaged, cut off, too long, without such a part, or nothing that libsndfile
            reads. What its header shows to be wrong with the file is wrong with its parts too.
    """
    file.seek(0)
    try:
        # By descriptor: soundfile then has no suffix to go by, and libsndfile no callbacks.
        sound = soundfile.SoundFile(file.fileno(), closefd=False)
    except soundfile.LibsndfileError as error:
        word = error.error_string.rstrip(".")
        if "does not exist" in word:  # libsndfile's word for an MP3 that ends within its header
            word = "the header is damaged"
        reason = f"unreadable: {word}"
        if is_video_container(file):
            reason = f"a video or MPEG-4 container, which libsndfile cannot read; {_FFMPEG}"
        raise AudioError(reason) from error
    with sound:
        rate, channels = sound.samplerate, sound.channels
        if not _RATES[0] <= rate <= _RATES[1]:
            raise AudioError(f"damaged header: a sample rate of {rate} Hz")
        if not 0 < channels <= _MAX_CHANNELS:
            raise AudioError(f"damaged header: {channels} channels")
        if sound.subtype.startswith("MPEG") and sound.format != "MP3":
            raise AudioError(f"MP3 within {sound.format}, whose end libsndfile guesses; {_FFMPEG}")
        cut = Cut(segment, rate, channels)
        frames = Frames(sound, file, cut)
        mono = _mono(frames, rate)
        promised = promised_seconds(sound, file, frames.held)
    held, failure = frames.held / rate, frames.failure
    if failure is not None and promised is None:  # FLAC streams, to whose end soundfile cannot seek
        raise AudioError(f"damaged, or a stream of unknown length ({failure}); {_FFMPEG}")
    if failure is not None:
        raise AudioError(
            f"truncated or damaged: decoding breaks off, the header promises {promised:.2f} s "
            f"({failure})"
        )
    if promised == math.inf:
        raise AudioError("truncated: a header alone, without audio")
    if promised is not None and promised > held + _TOLERATED_SECONDS:
        raise AudioError(
            f"truncated: the header promises {promised:.2f} s, the file holds {held:.2f} s"
        )
    if promised is not None and promised < held - _TOLERATED_SECONDS:  # two files in one, perhaps
        raise AudioError(
            f"damaged: the header promises {promised:.2f} s, the file holds {held:.2f} s"
        )
    if sound.format == "OGG" and not ogg_ends(file):
        raise AudioError(f"truncated: the Ogg stream stops at {held:.2f} s, without its end mark")
    if frames.held == 0:
        raise AudioError("no audio: zero samples")
    check_fields(file)
    cut.check(frames.held)
    return mono, rate


def _mono(frames: Frames, rate: int) -> NDArray[np.float32]:
    """Return the mean of the channels, (n,)."""
    blocks: list[NDArray[np.float32]] = []
    taken = 0
    for block in frames:
        if not np.isfinite(block).all():
            raise AudioError("holds samples that are not finite (NaN or infinity)")
        if (peak := np.abs(block).max()) > _LOUDEST:
            raise AudioError(f"damaged: a sample of {peak:.1g}, where full scale is 1")
        taken += len(block)
        if taken > LONGEST_SECONDS * min(rate, SAMPLE_RATE):
            raise AudioError(
                f"longer than {_longest(rate)}: cut it into utterances, or name its parts in a "
                "manifest (start, end)"
            )
        one = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float64)
        blocks.append(one.astype(np.float32, copy=False))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _longest(rate: int) -> str:
    """Say how long a clip may be."""
    if rate <= SAMPLE_RATE:
        return f"{LONGEST_SECONDS / 3600:g} h"
    return f"{LONGEST_SECONDS * SAMPLE_RATE / rate / 60:.3g} min at {rate} Hz"
