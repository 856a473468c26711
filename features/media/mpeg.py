"""MPEG audio (MP1, MP2, MP3) and ADTS (raw AAC): files that are frames and nothing else.

Each frame says its rate, its channels and its own length, so a file can be followed from frame to
frame without decoding it. What is then seen: that the rate changes half way, that a second file
was put behind the first, that bytes are missing. A decoder sees none of it: libmpg123 stops where
the first file's tag says that its frames end, or converts the second part to the first one's rate.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from gensr.features.media.peek import Peek

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes: TypeAlias = NDArray[np.uint8]
    Numbers: TypeAlias = NDArray[np.int64]

_SURE = 4
"""Frames in a row, each where the one before it says, and of the same rate: no accident."""
_LONGEST = 1 << 13
"""Bytes; no frame of either kind is longer, with the header of the next one."""
_KBIT = {  # (MPEG-1?, layer) -> kbit/s by index
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_ADTS_RATES = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000),
    *(12_000, 11_025, 8_000, 7_350),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, as its header has it."""

    kind: tuple[int, int]
    """Version and layer."""
    rate: int
    """Hz."""
    channels: int
    """1, or 2: how two are coded may change from frame to frame. ADTS: 0 to 7, as coded there."""
    samples: int
    """Of each channel."""
    length: int
    """In bytes, with the header; 0 where only the next frame tells (MPEG's "free format")."""

    def continues(self, other: "Frame") -> bool:
        """Whether both can be of one stream."""
        mine, theirs = (self.kind, self.rate, self.channels), (other.kind, other.rate)
        return mine == (*theirs, other.channels)


Parse = Callable[[bytes], Frame | None]
"""From the first bytes of a frame."""


def mpeg_frame(head: bytes) -> Frame | None:
    """Read the four bytes that an MPEG audio frame begins with.

    >>> mpeg_frame(bytes.fromhex("fffb9064")).length
    417
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    index, pitch, padded = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or index == 15 or pitch == 3 or head[3] & 3 == 2:
        return None
    rate, one = _RATES[version][pitch], version == 3
    bits = 1000 * _KBIT[one, layer][index]
    samples = 384 if layer == 1 else 576 if layer == 3 and not one else 1152
    if layer == 1:
        length = (12 * bits // rate + padded) * 4
    else:
        length = samples // 8 * bits // rate + padded
    channels = 1 if head[3] >> 6 == 3 else 2
    return Frame((version, layer), rate, channels, samples, length if bits else 0)


def adts_frame(head: bytes) -> Frame | None:
    """Read the seven bytes that a frame of raw AAC begins with."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    index = head[2] >> 2 & 15
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if index >= len(_ADTS_RATES) or length < 7:
        return None
    channels = (head[2] & 1) << 2 | head[3] >> 6
    samples = 1024 * (1 + (head[6] & 3))
    return Frame((head[1] >> 3 & 1, head[2] >> 6), _ADTS_RATES[index], channels, samples, length)


def frames(peek: Peek, place: int, parse: Parse) -> Iterator[tuple[int, Frame]]:
    """Yield (place, frame) as long as one follows the other; the last may reach beyond the end."""
    while frame := parse(peek.at(place, 8)):
        yield place, frame
        if not frame.length:
            return
        place += frame.length


def in_a_row(peek: Peek, place: int, parse: Parse, count: int = _SURE) -> bool:
    """Whether so many frames of one stream begin here; fewer do where the file ends with them."""
    first, number, end = None, 0, place
    for at, frame in frames(peek, place, parse):
        first = first or frame
        if not frame.length or not frame.continues(first):
            return False
        number, end = number + 1, at + frame.length
        if number == count:
            return True
    return number > 1 and end == peek.length


def first_in_a_row(peek: Peek, start: int, parse: Parse, within: int = 1 << 17) -> int | None:
    """Return where frames begin at or behind a place, looking at so many bytes."""
    area = peek.at(start, within + _LONGEST)  # a frame that begins at its end is followed once
    for found in pairs(area[:within], area, parse):
        if in_a_row(peek, start + found, parse):
            return start + found
    return None


def pairs(begin: bytes, area: bytes, parse: Parse) -> list[int]:
    """Return the places from which a frame's header leads to another one of its stream, in order.

    Where a recording is quiet every other byte may be what headers begin with: too many to look
    at one by one, and nearly none leads anywhere.

    Args:
        begin: bytes in which the first headers are sought.
        area: the same, and what is behind them.
        parse: which headers.
    """
    import numpy as np  # whoever only asks what a file is does without

    data = np.frombuffer(area, np.uint8)
    need = 4 if parse is mpeg_frame else 7
    last = max(0, min(len(begin), len(data) - need + 1))
    second = data[1 : last + 1]
    marked = second >= 0xE0 if parse is mpeg_frame else second & 0xF6 == 0xF0
    places = np.flatnonzero((data[:last] == 0xFF) & marked)
    sort, length = _headers(data, places, parse)
    places, sort, length = (each[length > 0] for each in (places, sort, length))
    behind = places + length
    there = behind + need <= len(data)
    places, sort, behind = (each[there] for each in (places, sort, behind))
    follows, _ = _headers(data, behind, parse)
    found: list[int] = places[follows == sort].tolist()
    return found


def _headers(data: "Bytes", places: "Numbers", parse: Parse) -> "tuple[Numbers, Numbers]":
    """Return of each place the sort of its frame, -1 where there is none, and its length, or 0."""
    import numpy as np

    b = [data[places + i].astype(np.int64) for i in range(4)]
    if parse is mpeg_frame:
        kinds, lengths = _mpeg_headers()
        head = b[1] << 8 | b[2]
        kind = np.where((b[0] == 0xFF) & (b[3] & 3 != 2), kinds[head], -1)
        return np.where(kind < 0, -1, kind << 1 | (b[3] >> 6 == 3)), lengths[head] * (kind >= 0)
    length = (b[3] & 3) << 11 | data[places + 4].astype(np.int64) << 3 | data[places + 5] >> 5
    frame = (b[0] == 0xFF) & (b[1] & 0xF6 == 0xF0) & (length >= 7)
    frame &= (b[2] >> 2 & 15) < len(_ADTS_RATES)
    sort = (b[1] >> 3 & 1) << 10 | (b[2] & 0xFD) << 2 | b[3] >> 6
    return np.where(frame, sort, -1), length * frame


@cache
def _mpeg_headers() -> "tuple[Numbers, Numbers]":
    """Return, by the second and third byte of a header, a number of kind and rate, and a length."""
    import numpy as np

    kinds, lengths = np.full(1 << 16, -1, np.int64), np.zeros(1 << 16, np.int64)
    sorts: dict[tuple[int, ...], int] = {}
    for head in range(0xE000, 1 << 16):
        if frame := mpeg_frame(bytes((0xFF, head >> 8, head & 0xFF, 0))):
            kinds[head] = sorts.setdefault((*frame.kind, frame.rate), len(sorts))
            lengths[head] = frame.length
    return kinds, lengths


def names_its_length(peek: Peek, place: int, frame: Frame) -> bool:
    """Whether a frame is no sound but a file's first: it says how many are to come.

    LAME and others write `Xing` or `Info`, Fraunhofer's encoder `VBRI`; all else in it is zeros.
    """
    side = {(True, 2): 32, (True, 1): 17, (False, 2): 17, (False, 1): 9}
    place += 4
    skipped = side[frame.kind[0] == 3, frame.channels]
    data = peek.at(place, 40)
    if data[skipped : skipped + 4] in (b"Xing", b"Info"):
        return not any(data[2:skipped])  # two bytes may be a checksum
    return data[32:36] == b"VBRI" and not any(data[2:32])


def promised_frames(peek: Peek, place: int, frame: Frame) -> int | None:
    """Return how many frames follow such a first one; None where it does not say."""
    data = peek.at(place, 200)
    for name in (b"Xing", b"Info"):
        at = data.find(name)
        if at >= 0 and len(data) >= at + 12:
            return int.from_bytes(data[at + 8 : at + 12], "big") if data[at + 7] & 1 else None
    at = data.find(b"VBRI")
    return int.from_bytes(data[at + 14 : at + 18], "big") if at >= 0 else None
