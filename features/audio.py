"""From a file to 16 kHz mono samples, or to the reason why not.

Every encoder here was trained on 16 kHz mono speech, so that is what a clip is. A file is
decoded by what it contains, not by its suffix (real corpora hold AIFF-C under .wav names).
A file that is damaged is refused with a reason and never mended: half a sentence with the
label of the whole would be a wrong training example.

Nothing here imports torch unless a clip has to be resampled: reading workers stay light.
"""

import hashlib
import math
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from gensr.estimator.errors import AudioError

SAMPLE_RATE = 16_000
"""Hz."""
MIN_SAMPLES = 400
"""Samples at 16 kHz (25 ms): the receptive field of one frame of the encoders' front ends."""

_RATES = (1_000, 768_000)
"""Hz; outside, the header is damaged (and a very low rate would grow the clip a thousandfold)."""
_MAX_CHANNELS = 64
_BLOCK_SAMPLES = 1 << 20
"""Samples (all channels) decoded at a time: memory follows the content, not the header."""
_TOLERATED_SECONDS = 0.01
"""A header may promise this much more than the file holds: writers round, encoders pad."""
_UNKNOWN_SIZE = 0x7FFF_0000
"""Sizes from here up are what a writer into a pipe puts where it cannot know the length."""

_LOWPASS_FILTER_WIDTH = 6
_ROLLOFF = 0.99
_RESAMPLING_METHOD = "sinc_interp_hann"
_MAX_KERNEL = 1 << 25
"""Elements of the resampling kernel (256 MiB): two rates with hardly a common divisor exceed it."""

_FFMPEG = "convert it first: ffmpeg -i clip.mp4 -ac 1 -ar 16000 clip.wav"


@dataclass(frozen=True, slots=True)
class Waveform:
    """One clip as the encoders hear it."""

    samples: NDArray[np.float32]
    """(n,) mono, 16 kHz, nominally within [-1, 1]."""
    sha256: str
    """Hex digest of `samples` as little-endian float32: the same audio in WAV and FLAC is one."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


def read_audio(path: Path) -> Waveform:
    """Decode a clip: mean of the channels, resampled to 16 kHz where it has another rate.

    Args:
        path: a file in any format that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, ...).

    Raises:
        AudioError: the clip cannot be used; the message is the reason, without the path.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise AudioError("a directory, not an audio file")
        if not stat.S_ISREG(status.st_mode):  # opening a named pipe would wait for ever
            raise AudioError("not a regular file")
        if status.st_size == 0:
            raise AudioError("empty file (0 bytes)")
        with path.open("rb") as file:
            mono, rate = _decode(file)
    except OSError as error:
        raise AudioError((error.strerror or str(error)).lower()) from error
    except soundfile.LibsndfileError as error:
        raise AudioError(f"unreadable: {error.error_string.rstrip('.') or error}") from error
    if mono.min() == mono.max():
        raise AudioError(f"silent: all {len(mono)} samples are {mono[0]:g}")
    samples = mono if rate == SAMPLE_RATE else resample(mono, rate)
    if len(samples) < MIN_SAMPLES:
        raise AudioError(
            f"too short: {len(samples)} samples at 16 kHz; an encoder needs at least {MIN_SAMPLES}"
        )
    content = samples.astype("<f4", copy=False).tobytes()
    return Waveform(samples=samples, sha256=hashlib.sha256(content).hexdigest())


def resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Band-limited interpolation from `rate` to 16 kHz, (n,) -> (ceil(n * 16000 / rate),).

    Computed in float64 and rounded once, so that the last bits, and with them the content
    address, do not depend on the processor or on the number of threads.
    """
    divisor = math.gcd(rate, SAMPLE_RATE)
    old, new = rate // divisor, SAMPLE_RATE // divisor
    width = math.ceil(_LOWPASS_FILTER_WIDTH * old / (min(old, new) * _ROLLOFF))
    if new * (old + 2 * width) > _MAX_KERNEL:
        raise AudioError(f"{rate} Hz has no small ratio to 16000 Hz; {_FFMPEG}")
    import torch
    from torchaudio.functional import resample as interpolate

    resampled = interpolate(
        torch.from_numpy(samples.astype(np.float64)),
        rate,
        SAMPLE_RATE,
        lowpass_filter_width=_LOWPASS_FILTER_WIDTH,
        rolloff=_ROLLOFF,
        resampling_method=_RESAMPLING_METHOD,
    )
    result: NDArray[np.float32] = resampled.numpy().astype(np.float32)
    return result


def resampling_provenance() -> dict[str, str | int]:
    """What was done to every clip before the encoder, for the store."""
    return {
        "sample_rate": SAMPLE_RATE,
        "channels": "mean",
        "resampler": (
            f"torchaudio.functional.resample, {_RESAMPLING_METHOD}, "
            f"lowpass_filter_width {_LOWPASS_FILTER_WIDTH}, rolloff {_ROLLOFF}, float64"
        ),
    }


def _decode(file: IO[bytes]) -> tuple[NDArray[np.float32], int]:
    """Return (n,) mono samples and their rate in Hz."""
    try:
        # By descriptor: soundfile then has no suffix to go by, and libsndfile no callbacks.
        sound = soundfile.SoundFile(file.fileno(), closefd=False)
    except soundfile.LibsndfileError as error:
        file.seek(0)
        word = error.error_string.rstrip(".")
        if "does not exist" in word:  # libsndfile's word for an MP3 that ends within its header
            word = "the header is damaged"
        reason = f"unreadable: {word}"
        if _is_video_container(file.read(16)):
            reason = f"a video or MPEG-4 container, which libsndfile cannot read; {_FFMPEG}"
        raise AudioError(reason) from error
    with sound:
        rate, channels = sound.samplerate, sound.channels
        if not _RATES[0] <= rate <= _RATES[1]:
            raise AudioError(f"damaged header: a sample rate of {rate} Hz")
        if not 0 < channels <= _MAX_CHANNELS:
            raise AudioError(f"damaged header: {channels} channels")
        mono, failure = _read_blocks(sound)
        promised = _promised_seconds(sound, file, len(mono))
    held = len(mono) / rate
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
    if sound.format == "OGG" and not _ogg_ends(file):
        raise AudioError(f"truncated: the Ogg stream stops at {held:.2f} s, without its end mark")
    if len(mono) == 0:
        raise AudioError("no audio: zero samples")
    return mono, rate


def _read_blocks(sound: Any) -> tuple[NDArray[np.float32], str | None]:
    """Decode until the data ends; return what there is, and libsndfile's word if it broke off."""
    frames = max(1, _BLOCK_SAMPLES // sound.channels)
    blocks: list[NDArray[np.float32]] = []
    failure = None
    while True:
        try:
            block = sound.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            failure = error.error_string.rstrip(".") or "damaged data"
            break
        if len(block) == 0:
            break
        if not np.isfinite(block).all():
            raise AudioError("holds samples that are not finite (NaN or infinity)")
        one = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float64)
        blocks.append(one.astype(np.float32, copy=False))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32), failure


def _promised_seconds(sound: Any, file: IO[bytes], held: int) -> float | None:
    """How long the header says the clip is; None where it does not say.

    libsndfile cuts a too large data size of a WAV, AIFF or AU file to what is there and tells
    its log only. For FLAC and MP3 it hands the header's word on; for an MP3 without a Xing or
    Info tag it guesses from the first frame's bit rate, which promises nothing.
    """
    frames: int = sound.frames
    rate: int = sound.samplerate
    if sound.format == "MP3":
        return frames / rate if _mp3_has_length(file) else None
    if sound.format == "NIST":
        found = re.search(rb"sample_count -i (\d+)", _head(file, 0, 1024))
        return int(found[1]) / rate if found else None
    log = sound.extra_info
    if ds64 := re.search(r"frame count \d+ does not match .* of (\d+)\.", log):
        return int(ds64[1]) / rate
    sizes = re.search(r"^ *(?:data|SSND|Data Size|riff) *: (\d+) \(should be (\d+)\)", log, re.M)
    if sizes:
        header_bytes, bytes_held = int(sizes[1]), int(sizes[2])
        if header_bytes >= _UNKNOWN_SIZE:
            return None
        if not held:
            return math.inf
        return header_bytes / bytes_held * held / rate  # compressed or not, in proportion
    return frames / rate if frames < 2**62 else None  # 2^63 - 1: "unknown"


def _mp3_has_length(file: IO[bytes]) -> bool:
    """Whether the first MPEG frame carries the number of frames."""
    head = _head(file, 0, 10)
    start = 0
    if head[:3] == b"ID3" and len(head) == 10:  # four bytes of seven bits each
        start = 10 + sum(
            byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
        )
    first = _head(file, start, 256)
    return any(tag in first for tag in (b"Xing", b"Info", b"VBRI"))


def _ogg_ends(file: IO[bytes]) -> bool:
    """Whether the last Ogg page is whole and flagged as the end of its stream."""
    tail = _head(file, max(0, file.seek(0, os.SEEK_END) - (1 << 17)), 1 << 17)
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or page[:4] != b"OggS":
        return False
    table = page[27 : 27 + page[26]]
    return bool(page[5] & 4) and len(page) >= 27 + page[26] + sum(table)


def _head(file: IO[bytes], start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


def _is_video_container(head: bytes) -> bool:
    magic = (b"\x1aE\xdf\xa3", b"FLV", b"\x30\x26\xb2\x75", b"\x00\x00\x01\xba")
    avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return head[4:8] == b"ftyp" or avi or head.startswith(magic)
