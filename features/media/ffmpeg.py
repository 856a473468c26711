"""Audio from what libsndfile does not read: FFmpeg, by the package `av` (the extra `media`).

Only ever imported in the process that decodes files (`decode_child.py`): its demuxers are half a
million lines of C, and see whatever a file holds. They are given no way out of the file: they read
through a Python object, the demuxer is the one that the first bytes name (a playlist would open
other files, or addresses), and MP4's references to other files stay off, as is FFmpeg's default.

The encoder's delay and an MP4's edit list are FFmpeg's to apply, as its command line does; nothing
else is cut, filled or skipped. A packet that FFmpeg calls corrupt refuses the file.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from io import FileIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import one_line
from gensr.features.audio.cut import Block, Cut
from gensr.features.audio.errors import AudioError
from gensr.features.audio.kept import Decoded, Gathered, kept
from gensr.features.audio.mixdown import Mixdown
from gensr.features.audio.once import identity
from gensr.features.audio.segments import Segment
from gensr.features.media.boxes import check_parts
from gensr.features.media.magic import Kind
from gensr.features.media.peek import Peek
from gensr.features.media.times import Times, check_clock, check_times

RATES = (1_000, 768_000)
"""Hz; outside, the header is damaged (and a very low rate would grow the clip a thousandfold)."""
MAX_CHANNELS = 64
CONVERT = "convert it first: ffmpeg -i clip.mp4 -ac 1 -ar 16000 clip.wav"

_INSTALL = "pip install 'gensr[media]'"
_BLOCK_SAMPLES = 1 << 16
"""Frames of FFmpeg are some ms; so many samples go through numpy at a time."""
_SCALES = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63, "flt": 1.0, "dbl": 1.0}
"""Full scale, by FFmpeg's name of a sample's format."""

Add = Callable[[int, int, Block], bool]
"""Takes (rate in Hz, first frame, block); says whether more is wanted."""


@cache
def load_av() -> Any:
    """Import PyAV; 0.2 s, and more from a cold disk.

    Raises:
        ImportError: it is not installed, or does not load.
    """
    return import_module("av")


def decode_media(file: FileIO, peek: Peek, kind: Kind, segment: Segment | None) -> Mixdown:
    """Decode the only audio stream of a file, or a part of it: from its beginning to its end.

    A file of several parts is decoded to its end once, and kept for the others.

    Args:
        file: open.
        peek: the same file.
        kind: what it is; one with a demuxer.
        segment: the part; None: all of it.

    Raises:
        AudioError: several audio streams or none, damaged, cut off, or `av` is not installed.
    """
    part = _Part(segment)
    key = None if segment is None else identity(file)
    if key is None:
        return part.of(_decode(file, peek, kind, part.add))
    whole = kept.get(key, lambda: _keep(file, peek, kind))
    if whole.samples is not None:
        part.add(whole.rate, 0, whole.samples)
    else:
        _decode(file, peek, kind, part.add, known=whole)
    return part.of(whole)


class _Part:
    """Takes a part out of what is decoded, block by block."""

    def __init__(self, segment: Segment | None) -> None:
        self._segment = segment
        self._cut: Cut | None = None

    def add(self, rate: int, first: int, block: Block) -> bool:
        """Take the block that begins with frame `first`; say whether more is wanted."""
        if self._cut is None:
            self._cut, self._mixed = Cut(self._segment, rate, block.shape[1]), Mixdown(rate)
        if len(part := self._cut.part(first, block)):
            self._mixed.add(part)
        return first + len(block) < self._cut.stop

    def of(self, whole: Decoded) -> Mixdown:
        """Return the part, held against what its file has."""
        assert self._cut is not None  # a file without samples is refused
        if self._segment is not None and self._segment.timed:
            check_clock(whole.late, CONVERT)
        self._cut.check(whole.held)
        return self._mixed


def _keep(file: FileIO, peek: Peek, kind: Kind) -> Decoded:
    """Decode all of a file, and keep it if there is room."""
    found = Gathered()

    def add(rate: int, first: int, block: Block) -> bool:
        found.add(block)
        return True

    whole = _decode(file, peek, kind, add)
    return replace(whole, samples=found.all(whole.channels))


def _decode(
    file: FileIO, peek: Peek, kind: Kind, add: Add, known: Decoded | None = None
) -> Decoded:
    """Decode a file block by block.

    Args:
        file: open.
        peek: the same file.
        kind: what it is.
        add: takes the rate, a block's first frame, and the block, (n, channels).
        known: what the file holds, if it was decoded to its end before: then decoding stops where
            `add` wants no more.

    Returns:
        What it holds, without the samples.
    """
    times, held, rate, channels = Times(), 0, 0, 0
    with _opened(file, peek, kind) as (container, stream):
        for rate, block in _blocks(container, stream, times):
            more, channels = add(rate, held, block), block.shape[1]
            held += len(block)
            if known is not None and not more:
                return known
        if not held:
            raise AudioError("no audio: zero samples")
        check_times(container, stream, times, held / rate, CONVERT)
        late = times.late(container)
    return Decoded(samples=None, held=held, rate=rate, channels=channels, late=late)


@contextmanager
def _opened(file: FileIO, peek: Peek, kind: Kind) -> Iterator[tuple[Any, Any]]:
    """Open a file by FFmpeg: (container, its audio stream); what FFmpeg raises, in one line.

    Raises:
        AudioError: as of `decode_media`.
    """
    if not kind.readable:
        raise AudioError(f"{kind.name}, which nothing here reads; convert it to WAV first")
    if kind.demuxer != "ogg":
        check_parts(peek, kind)
    try:
        av = load_av()
    except ImportError as error:
        told = "" if isinstance(error, ModuleNotFoundError) else f" ({one_line(error)})"
        raise AudioError(
            f"{kind.name}, which libsndfile does not read{told}: {_INSTALL}, or {CONVERT}"
        ) from None
    file.seek(0)
    try:
        with av.open(
            file,
            format=kind.demuxer,
            metadata_errors="replace",
            container_options={"protocol_whitelist": "file", "err_detect": "crccheck"},
            io_open=_nothing_else,
        ) as container:
            yield container, _only_sound(container, kind)
    except AudioError:
        raise
    except (av.FFmpegError, ValueError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == 5:  # EIO, the disk's
            raise
        word = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"{kind.name} that is damaged or unreadable: {word}; {CONVERT}") from error


def _nothing_else(url: str, flags: int, options: object) -> Any:
    raise AudioError("it refers to other files; " + CONVERT)


def _only_sound(container: Any, kind: Kind) -> Any:
    """Return the only audio stream, ready to be decoded."""
    sounds = [stream for stream in container.streams if stream.type == "audio"]
    if not sounds:
        raise AudioError(f"{kind.name} without audio: no stream of it is sound")
    if len(sounds) > 1:
        told = ", ".join(filter(None, (stream.metadata.get("language") for stream in sounds)))
        raise AudioError(
            f"{len(sounds)} audio streams{f' ({told})' if told else ''}; keep one of them:"
            " ffmpeg -i clip.mkv -map 0:a:0 clip.wav"
        )
    (stream,) = sounds
    if stream.codec_context is None:
        raise AudioError(f"{kind.name} with audio that FFmpeg has no decoder for; {CONVERT}")
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"err_detect": "crccheck+explode"}
    return stream


def _blocks(container: Any, stream: Any, times: Times) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (rate, samples of all channels), (n, channels), some frames at a time."""
    waiting: list[NDArray[np.float32]] = []
    sort: tuple[int, int] | None = None
    for frame in _frames(container, stream, times):
        found = (frame.sample_rate, frame.layout.nb_channels)
        if sort is None:
            sort = found
            if not RATES[0] <= sort[0] <= RATES[1]:
                raise AudioError(f"damaged header: a sample rate of {sort[0]} Hz")
            if not 0 < sort[1] <= MAX_CHANNELS:
                raise AudioError(f"damaged header: {sort[1]} channels")
        if found != sort:
            raise AudioError(
                f"the audio changes from {sort[0]} Hz, {sort[1]} channels to {found[0]} Hz,"
                f" {found[1]} channels: a second stream, or damage; {CONVERT}"
            )
        waiting.append(_samples(frame))
        if sum(map(len, waiting)) >= _BLOCK_SAMPLES:
            yield found[0], np.concatenate(waiting)
            waiting.clear()
    if waiting and sort:
        yield sort[0], np.concatenate(waiting)


def _frames(container: Any, stream: Any, times: Times) -> Iterator[Any]:
    """Yield the frames of one stream; nothing that is damaged is passed over."""
    for packet in container.demux():
        if packet.stream_index == stream.index and packet.is_corrupt:
            raise AudioError(f"damaged: a packet of the audio is torn; {CONVERT}")
        if packet.pts is not None and packet.time_base:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            times.last_packet = max(times.last_packet, end)
        if packet.stream_index != stream.index:
            continue
        for frame in packet.decode():
            if frame.is_corrupt:
                raise AudioError(
                    f"damaged: the audio is torn at {frame.time or 0:.2f} s; {CONVERT}"
                )
            if frame.samples:
                if frame.time is not None:
                    times.first = frame.time if math.isnan(times.first) else times.first
                    times.end = frame.time + frame.samples / frame.sample_rate
                yield frame


def _samples(frame: Any) -> NDArray[np.float32]:
    """Return a frame's samples, (n, channels), full scale 1."""
    form = frame.format.name.removesuffix("p")
    data = frame.to_ndarray()
    table = data.T if frame.format.is_planar else data.reshape(frame.samples, -1)
    if form == "u8":
        table = table.astype(np.float32) - 128
    result: NDArray[np.float32] = (table / _SCALES[form]).astype(np.float32)
    return result
