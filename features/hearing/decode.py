"""From a file to 16 kHz mono samples, or to the reason why not.

Every encoder here was trained on 16 kHz mono speech, so that is what a clip is. A file is
decoded by what it contains, not by its suffix (real corpora hold AIFF-C under .wav names).
A file that is damaged is refused with a reason and never mended: half a sentence with the
label of the whole would be a wrong training example.

Nothing here imports torch: reading workers stay light.
"""

import hashlib
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from gensr.features.audio.cut import Cut
from gensr.features.audio.errors import AudioError
from gensr.features.audio.frames import Frames
from gensr.features.audio.hashes import hash_of, without_waiting
from gensr.features.audio.mixdown import LONGEST_SECONDS, Mixdown
from gensr.features.audio.once import Once, identity
from gensr.features.audio.resample import RESAMPLER, SAMPLE_RATE, resample
from gensr.features.audio.segments import Segment, locate
from gensr.features.media.ffmpeg import CONVERT, MAX_CHANNELS, RATES, decode_media
from gensr.features.media.fields import check_fields
from gensr.features.media.headers import ogg_ends, promised_seconds
from gensr.features.media.magic import (
    AIFF,
    AU,
    CAF,
    FLAC,
    HEAD,
    MP3,
    OGG,
    W64,
    WAV,
    Kind,
    after_tags,
    kind_of,
    placeholder,
)
from gensr.features.media.peek import Peek
from gensr.features.media.second import check_nothing_within, check_ogg, check_one_stream

__all__ = [
    "LONGEST_SECONDS",
    "MIN_SAMPLES",
    "SAMPLE_RATE",
    "Waveform",
    "content_address",
    "decode",
    "open_audio",
    "read_audio",
    "resampling_provenance",
    "to_16_khz",
]

MIN_SAMPLES = 400
"""Samples at 16 kHz (25 ms): the receptive field of one frame of the encoders' front ends."""

_GUESSED_SECONDS = 0.25
"""A decoder may lose so much at the ends of an MP3: frames that refer to others."""
CHANGED = "changed since it was first heard"
"""Why a file is refused whose bytes are others by now."""
_TOLERATED_SECONDS = 0.01
"""A header may promise this much more than the file holds: writers round, encoders pad."""


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

    In this process, whatever it holds; `read_again` leaves some kinds to another.

    Args:
        path: a file in any format that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, ...), or that
            FFmpeg does, where it is installed; or the name of a part of one (`segments.py`).
        file_sha256: hex digest that the file's bytes must have. Bytes that were decoded before,
            in a process of their own, can be decoded in this one: libsndfile sees no others.

    Raises:
        AudioError: the clip cannot be used; the message is the reason, without the path.
        GensrError: what resamples cannot be imported.
    """
    whole, segment = locate(path)
    with open_audio(whole) as file:
        found = hash_of(file, segment)
        if file_sha256 is not None and found != file_sha256:
            raise AudioError(CHANGED)
        return decode_opened(file, found, segment)


def decode_opened(
    file: FileIO, file_sha256: str, segment: Segment | None, *, heard: bool = False
) -> Waveform:
    """Decode an open file whose bytes have this hash, or a part of it; see `read_audio`.

    Args:
        file: open.
        file_sha256: of its bytes.
        segment: the part that is meant; None: all of it.
        heard: see `decode`.
    """
    samples = to_16_khz(*decode(file, segment, heard=heard))
    return Waveform(samples=samples, file_sha256=file_sha256)


def is_media(file: FileIO) -> bool:
    """Whether an open file is FFmpeg's to decode, or may be: an Ogg file may hold anything."""
    kind = kind_of(Peek(file))
    return kind is not None and bool(kind.demuxer)


def is_for_here(file: FileIO) -> bool:
    """Whether an open file that was heard may be decoded in this process as well.

    So libsndfile's own formats are, whose decoders are silent and have seen the same bytes before.
    FFmpeg stays in its process; and so does libmpg123, which writes what it thinks of a file to
    standard error, and would do so between the lines of a progress bar and without the name. To
    turn standard error away meanwhile would turn it away from all threads.
    """
    kind = kind_of(Peek(file))
    return kind in (WAV, AIFF, FLAC, W64, CAF, AU)


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
        with open(path, "rb", buffering=0, opener=without_waiting) as file:
            yield file
    except OSError as error:
        raise AudioError((error.strerror or str(error)).lower()) from error
    except soundfile.LibsndfileError as error:
        raise AudioError(f"unreadable: {error.error_string.rstrip('.') or error}") from error


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


def decode(
    file: FileIO, segment: Segment | None = None, *, heard: bool = False
) -> tuple[NDArray[np.float32], int]:
    """Decode an open file, or a part of it: (n,) mono samples and their rate in Hz, n > 0.

    What libsndfile does not read FFmpeg does, where it is installed. Neither is handed a file of
    the other's: what FFmpeg makes of a damaged WAV nobody has tried.

    Args:
        file: open.
        segment: the part that is meant; None: all of it.
        heard: the same bytes were found to be one stream before, by these rules: they are not
            followed to their end again, which takes as long as decoding them.

    Raises:
        AudioError: damaged, cut off, too long, of several streams, without such a part, or nothing
            that is read here. What is wrong with the file is wrong with its parts too, as far as
            its header shows it.
    """
    peek = Peek(file)
    if word := placeholder(peek.at(0, HEAD)):
        raise AudioError(word)
    kind = kind_of(peek)
    if kind is not None and (kind.demuxer or not kind.readable):
        mixed = decode_media(file, peek, kind, segment)
    else:
        mixed = _decode_sound(file, peek, kind, segment, heard=heard)
    mixed.check()
    return mixed.mono(), mixed.rate


def _decode_sound(
    file: FileIO, peek: Peek, kind: Kind | None, segment: Segment | None, *, heard: bool
) -> Mixdown:
    """Decode what libsndfile reads, and hold it against what its header promises."""
    file.seek(0)
    try:
        # By descriptor: soundfile then has no suffix to go by, and libsndfile no callbacks.
        sound = soundfile.SoundFile(file.fileno(), closefd=False)
    except soundfile.LibsndfileError as error:
        if kind == OGG and not check_ogg(peek, after_tags(peek)):  # video, Speex
            return decode_media(file, peek, replace(OGG, demuxer="ogg"), segment)
        if kind not in (None, OGG, MP3):  # it stumbles over a second file in some
            check_nothing_within(peek, after_tags(peek))
        word = error.error_string.rstrip(".")
        if "does not exist" in word:  # libsndfile's word for an MP3 that ends within its header
            word = "the header is damaged"
        raise AudioError(f"unreadable: {word}") from error
    with sound:
        rate, channels = sound.samplerate, sound.channels
        if not RATES[0] <= rate <= RATES[1]:
            raise AudioError(f"damaged header: a sample rate of {rate} Hz")
        if not 0 < channels <= MAX_CHANNELS:
            raise AudioError(f"damaged header: {channels} channels")
        if sound.subtype.startswith("MPEG") and sound.format != "MP3":
            raise AudioError(f"MP3 within {sound.format}, whose end libsndfile guesses; {CONVERT}")
        place = file.tell()  # libsndfile's as well
        counted = None if heard else _count(file, peek, sound.format, segment)
        file.seek(place)
        cut, mixed = Cut(segment, rate, channels), Mixdown(rate)
        frames = Frames(sound, file, cut)
        for block in frames:
            mixed.add(block)
        promised = promised_seconds(sound, file, frames.held)
    held = frames.held / rate
    _check_length(held, promised, frames.failure)
    if counted is not None and counted > held + _GUESSED_SECONDS:
        raise AudioError(
            f"MP3 that does not say its length: libsndfile hears {held:.2f} s of"
            f" {counted:.2f} s; {CONVERT}"
        )
    if sound.format == "OGG" and not ogg_ends(file):
        raise AudioError(f"truncated: the Ogg stream stops at {held:.2f} s, without its end mark")
    if not frames.held:
        raise AudioError("no audio: zero samples")
    check_fields(file)
    cut.check(frames.held)
    return mixed


_counted: Once[float | None] = Once(1_000)


def _count(file: FileIO, peek: Peek, form: str, segment: Segment | None) -> float | None:
    """Follow a file to its end, see `check_one_stream`; one of several parts once."""
    key = None if segment is None else identity(file)
    return _counted.get(key, lambda: check_one_stream(peek, form))


def _check_length(held: float, promised: float | None, failure: str | None) -> None:
    """Hold the seconds that were decoded against those that the header promises."""
    if failure is not None and promised is None:  # FLAC streams, to whose end soundfile cannot seek
        raise AudioError(f"damaged, or a stream of unknown length ({failure}); {CONVERT}")
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
