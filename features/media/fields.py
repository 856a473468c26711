"""Whether the fields of a WAV, AIFF or AU header agree with one another, and with the file.

These formats say the same thing more than once: a WAV has the channels, the bytes of a frame and
the bytes of a second, an AIFF its frames beside its bytes, and all have the size of the samples in
a file that has a size itself. libsndfile believes one field and notes the others in its log. So a
file whose data size was halved would be heard as half a sentence, and mono marked as stereo would
be heard at twice its pace. Where two fields contradict each other, nobody knows which is right.

A lie on which all fields agree cannot be seen: channels, bytes of a frame and bytes of a second
changed alike, or all sizes changed and the file cut to fit. An AU file names nothing but the size
of its samples twice; its channels, rate and encoding have to be believed.

Left alone is what real writers do: chunks before and behind the samples, tags behind them, a pad
byte that is missing, and sizes that a writer into a pipe could not know.
"""

import os
import struct
from dataclasses import dataclass
from io import FileIO

from gensr.features.audio.errors import AudioError
from gensr.features.media.headers import UNKNOWN_SIZE, after_tag, read_at

_FEW = 16
"""Bytes that may be left over, or lacking: writers pad, and count headers in or out."""
_MOST_CHUNKS = 1_000
"""A real file has a dozen; each costs a read."""
_TAGS = (b"ID3", b"TAG", b"APETAGEX")
"""What music software appends without a chunk around it."""

_PCM, _FLOAT, _LAWS, _EXTENSIBLE = 1, 3, (6, 7), 0xFFFE
_AIFF_WIDTHS = {
    **dict.fromkeys((b"raw ", b"ulaw", b"ULAW", b"alaw", b"ALAW"), 1),
    **dict.fromkeys((b"in24", b"42ni"), 3),
    **dict.fromkeys((b"in32", b"23ni", b"fl32", b"FL32"), 4),
    **dict.fromkeys((b"fl64", b"FL64"), 8),
}
"""Bytes of a sample, where the name of the encoding says it."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    start: int
    """Of the content, in bytes of the file."""
    size: int
    """Of the content in bytes, as its header has it."""

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class _Container:
    """A file made of chunks."""

    file: FileIO
    start: int
    length: int
    """Of the whole file, in bytes."""
    order: str
    """Of bytes, as `struct` has it."""

    def chunks(self, place: int, last: bytes = b"") -> tuple[list[_Chunk], int]:
        """Follow well-formed chunks from a place on, up to one of the name `last`.

        Returns:
            The chunks, and where the chain ends or breaks.
        """
        found: list[_Chunk] = []
        while len(found) < _MOST_CHUNKS and (chunk := self._at(place, last)):
            found.append(chunk)
            if chunk.name == last:
                break
            place = self.after(chunk, last)
        return found, place

    def after(self, chunk: _Chunk, last: bytes = b"") -> int:
        """Return where the next chunk begins: some writers forget the pad byte of an odd one.

        Others pad with what is no zero. So both places are looked at, and one chunk further: a
        byte too early or too late a name may seem to begin, but not two in a row.
        """
        padded = chunk.end + chunk.size % 2
        bare = self._leads(chunk.end, last) and not self._leads(padded, last)
        return chunk.end if bare else padded

    def _leads(self, place: int, last: bytes) -> bool:
        """Whether a chunk begins at a place, and behind it another one, or nothing."""
        chunk = self._at(place, last)
        if chunk is None:
            return False
        if chunk.name == last or chunk.end >= self.length - _FEW:
            return True
        return any(self._at(chunk.end + pad, last) for pad in range(chunk.size % 2 + 1))

    def _at(self, place: int, last: bytes) -> _Chunk | None:
        """Return the chunk that begins at a place, if it has a name and fits into the file."""
        head = read_at(self.file, place, 8)
        if len(head) < 8:
            return None
        name, size = struct.unpack(f"{self.order}4sI", head)
        if not all(0x20 <= letter < 0x7F for letter in name):
            return None
        chunk = _Chunk(name, place + 8, size)
        return chunk if name == last or chunk.end <= self.length + _FEW else None


def check_fields(file: FileIO) -> None:
    """Refuse a file whose header contradicts itself; one of another format passes.

    Args:
        file: open, and known to hold at least the samples that its header promises.

    Raises:
        AudioError: two fields cannot both be right; the message names them.
    """
    length = file.seek(0, os.SEEK_END)
    start = after_tag(file)
    head = read_at(file, start, 12)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:] == b"WAVE":
        _check_wav(_Container(file, start, length, ">" if head[:4] == b"RIFX" else "<"), head)
    elif head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        _check_aiff(_Container(file, start, length, ">"), head)
    elif head[:4] in (b".snd", b"dns."):
        container = _Container(file, start, length, ">" if head[:4] == b".snd" else "<")
        offset, size = struct.unpack(f"{container.order}II", head[4:])
        if 0 < size < UNKNOWN_SIZE:
            _check_behind(container, start + offset + size)


def _check_wav(wav: _Container, head: bytes) -> None:
    chunks, _ = wav.chunks(wav.start + 12, b"data")
    content = {chunk.name: read_at(wav.file, chunk.start, 40) for chunk in reversed(chunks[:-1])}
    if not chunks or chunks[-1].name != b"data":  # libsndfile found the samples its own way
        return
    if len(content.get(b"fmt ", b"")) >= 16:
        _check_format(wav, content[b"fmt "])
    data = chunks[-1]
    (whole,) = struct.unpack(f"{wav.order}I", head[4:8])
    if head[:4] == b"RF64" and len(content.get(b"ds64", b"")) >= 16:
        whole, size = struct.unpack("<QQ", content[b"ds64"][:16])
        data = _Chunk(data.name, data.start, size)
    elif not 0 < data.size < UNKNOWN_SIZE:  # written into a pipe
        return
    _check_whole(wav, whole, data)
    _check_behind(wav, wav.after(data))


def _check_format(wav: _Container, content: bytes) -> None:
    """Hold the channels, the rate and the width of a WAV's samples against each other."""
    kind, channels, rate, speed, frame, bits = struct.unpack(f"{wav.order}HHIIHH", content[:16])
    if kind == _EXTENSIBLE and len(content) >= 26:
        (kind,) = struct.unpack(f"{wav.order}H", content[24:26])
    if kind not in (_PCM, _FLOAT, *_LAWS):
        return
    width = 1 if kind in _LAWS else -(-bits // 8)
    # Android's recorders are known to write the frame of two channels for one, and all else right;
    # libsndfile goes by channels and bits, but for three bytes in a frame of four.
    known = speed == rate * channels * width and not (width == 3 and frame == 4 * channels)
    if frame and frame != channels * width and not known:
        raise AudioError(
            f"damaged header: {channels} channels of {bits} bits cannot make"
            f" frames of {frame} bytes: write it anew from its raw samples"
        )
    if frame and speed and speed != rate * frame and not known:
        raise AudioError(
            f"damaged header: {rate} Hz with frames of {frame} bytes cannot make"
            f" {speed} bytes a second"
        )


def _check_aiff(aiff: _Container, head: bytes) -> None:
    chunks, _ = aiff.chunks(aiff.start + 12, b"SSND")
    if not chunks or chunks[-1].name != b"SSND":
        return
    sound = chunks[-1]
    if not 0 < sound.size < UNKNOWN_SIZE:
        return
    behind, _ = aiff.chunks(aiff.after(sound))  # COMM may stand on either side
    common = next((chunk for chunk in chunks + behind if chunk.name == b"COMM"), None)
    if common is not None:
        content = read_at(aiff.file, common.start, 22)
        _check_frames(aiff, sound, content, compressed=head[8:] == b"AIFC")
    (whole,) = struct.unpack(">I", head[4:8])
    _check_whole(aiff, whole, sound)
    _check_behind(aiff, aiff.after(sound))


def _check_frames(aiff: _Container, sound: _Chunk, content: bytes, *, compressed: bool) -> None:
    """Hold the frames of an AIFF against the bytes of its samples."""
    skipped = read_at(aiff.file, sound.start, 4)
    if len(content) < (22 if compressed else 18) or len(skipped) < 4:
        return
    channels, frames, bits = struct.unpack(">HIH", content[:8])
    encoding = content[18:22] if compressed else b"NONE"
    width = -(-bits // 8) if encoding in (b"NONE", b"twos", b"sowt") else _AIFF_WIDTHS.get(encoding)
    if not width or not 0 < frames < UNKNOWN_SIZE:  # ADPCM and such; a writer into a pipe
        return
    held = sound.size - 8 - int.from_bytes(skipped, "big")
    promised = frames * channels * width
    if abs(promised - held) > _FEW + held // 100:
        raise AudioError(
            f"damaged header: {frames} frames of {channels} channels and {bits} bits are"
            f" {promised} bytes, but the samples have {held}"
        )


def _check_whole(container: _Container, size: int, samples: _Chunk) -> None:
    """Hold the size of the whole against the file; writers miscount by the header's length."""
    if not 0 < size < UNKNOWN_SIZE:
        return
    end = container.start + 8 + size
    slack = 1024 + container.length // 10
    if end > container.length + slack:
        raise AudioError(
            f"truncated: the header promises a file of {end} bytes, this one has {container.length}"
        )
    if end < samples.end - slack:
        raise AudioError(
            f"damaged header: a file of {end} bytes cannot hold samples up to byte {samples.end}"
        )


def _check_behind(container: _Container, place: int) -> None:
    """Hold what is behind the samples for chunks or tags, or else for more samples."""
    _, end = container.chunks(place)
    left = container.length - end
    if left > _FEW and not read_at(container.file, end, 8).startswith(_TAGS):
        raise AudioError(
            f"damaged header: {container.length - place} bytes follow the end of the samples, and"
            " are no chunks; the size of the samples may be wrong"
        )
