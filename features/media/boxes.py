"""Containers that FFmpeg reads, followed from part to part before it reads them.

FFmpeg plays what it can: it stops at the end of the first file of two, resynchronises behind a
hole, and ends where the bytes end. A person who watches wants that; a clip that is half a sentence
does not become a training example. So here the parts that each container is made of are counted
and measured: one beginning, no part longer than the file, nothing between the parts.
"""

from collections.abc import Callable

from gensr.features.audio.errors import AudioError
from gensr.features.media.magic import Kind, after_tags
from gensr.features.media.mpeg import adts_frame, first_in_a_row
from gensr.features.media.peek import Peek
from gensr.features.media.second import check_frames, check_nothing_begins, skip_tags
from gensr.features.media.transport import check_program, check_transport

_UNKNOWN = (0, 0xFFFF_FFFF)
"""Sizes that writers into a pipe put."""


def check_parts(peek: Peek, kind: Kind) -> None:
    """Refuse a container that is cut, torn, or followed by another file.

    Raises:
        AudioError: saying where.
    """
    start = after_tags(peek)
    follow = _FOLLOW.get(kind.demuxer)
    end = follow(peek, start) if follow else start + 1
    check_nothing_begins(peek, end + skip_tags(peek, end) if end > start + 1 else end)


def _mp4(peek: Peek, place: int) -> int:
    """Follow the boxes of MP4 and QuickTime: [size, name, content], or with a size of 64 bits."""
    seen: set[bytes] = set()
    while place < peek.length:
        size, name, least = peek.number(place, 4), peek.at(place + 4, 4), 8
        if size == 1:
            size, least = peek.number(place + 8, 8), 16
        if len(name) < 4 or not all(0x20 <= letter < 0x7F for letter in name):
            break
        size = size or peek.length - place  # 0: the last, to the end
        if size < least:
            raise AudioError(f"damaged: a part of {size} bytes at byte {place}")
        if name in (b"ftyp", b"moov") and name in seen:
            raise AudioError(_second(place))
        seen.add(name)
        place = _behind(peek, place, place + size)
    return place


def _matroska(peek: Peek, place: int) -> int:
    """Follow the elements: [name, size, content].

    A live recording does not know the size of what holds others; then these are followed.
    """
    start, inside, segments = place, place, 0
    while place < peek.length:
        name, after_name = _vint(peek, place)
        size, content = _vint(peek, after_name, marked=False)
        if name not in _ELEMENTS or not content:
            break
        segments += name == _SEGMENT
        if (name == _EBML and place > start) or segments > 1:
            raise AudioError(_second(place))
        known = size != (1 << 7 * (content - after_name)) - 1
        if known:
            end = _behind(peek, place, content + size)
            inside = max(inside, end) if name == _SEGMENT else inside
        elif name not in (_SEGMENT, _CLUSTER):
            raise AudioError(f"damaged: an element without a size at byte {place}")
        place = end if known and name != _SEGMENT else content
    if place < inside:
        raise AudioError(f"damaged: no element at byte {place}, where one should be")
    if place < peek.length and _CLUSTER.to_bytes(4, "big") in peek.at(place, 1 << 20):
        raise AudioError(f"damaged: no element at byte {place}, but more behind it")
    return place


_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_ELEMENTS = frozenset(
    {_EBML, _SEGMENT, _CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1043A770}
    | {0x1254C367, 0x1941A469, 0xEC, 0xBF, 0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0x5854, 0xAF}
)
"""What stands in a file, a segment and a cluster."""


def _vint(peek: Peek, place: int, *, marked: bool = True) -> tuple[int, int]:
    """Read a number whose first bit that is set says its length; return it and the next place.

    The place is 0 where there is none.
    """
    first = peek.number(place, 1)
    length = 9 - first.bit_length()
    if not first or place + length > peek.length:
        return 0, 0
    number = peek.number(place, length)
    return (number if marked else number ^ 1 << 7 * length), place + length


def _avi(peek: Peek, place: int) -> int:
    """Follow the lists: one `AVI `, and behind it more `AVIX` where a file is long."""
    start = place
    while peek.at(place, 4) == b"RIFF":
        size, form = peek.number(place + 4, 4, "little"), peek.at(place + 8, 4)
        if form == b"AVI " and place > start:
            raise AudioError(_second(place))
        if form not in (b"AVI ", b"AVIX") or size in _UNKNOWN:
            return place + 12
        place = _behind(peek, place, place + 8 + size)
        place += size % 2 and peek.at(place, 1) == b"\0"
    return place


def _asf(peek: Peek, place: int) -> int:
    """Follow the objects: [name of 16 bytes, size, content]."""
    header = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
    start = place
    while place + 24 <= peek.length:
        size = peek.number(place + 16, 8, "little")
        if peek.at(place, 16) == header and place > start:
            raise AudioError(_second(place))
        if not size:  # a broadcast, or zeros behind the end
            return place + 1
        if size < 24:
            break
        place = _behind(peek, place, place + size)
    return place


def _flash(peek: Peek, place: int) -> int:
    """Follow the tags: [kind, size, time, content, size of all this]."""
    start = place
    place += peek.number(place + 5, 4) + 4
    while place < peek.length:
        size = 11 + peek.number(place + 1, 3)
        if peek.number(place, 1) & 0x1F not in (8, 9, 18):
            break
        _behind(peek, place, place + size)
        if peek.at(place + size, 4) not in (size.to_bytes(4, "big"), bytes(4), b""):
            raise AudioError(f"damaged: the tag at byte {place} has another size than its end says")
        place += size + 4
    if place < peek.length and peek.at(place, 3) == b"FLV" and place > start:
        raise AudioError(_second(place))
    return place


def _amr(peek: Peek, place: int) -> int:
    """Follow the frames, 20 ms each, whose first byte says which of 16 lengths they have."""
    wide = peek.at(place, 9) == b"#!AMR-WB\n"
    if not wide and peek.at(place, 6) != b"#!AMR\n":
        raise AudioError("AMR of several channels, or a damaged header")
    lengths = _AMR_WIDE if wide else _AMR_NARROW
    place += 9 if wide else 6
    while place < peek.length:
        if peek.at(place, 5) == b"#!AMR":
            raise AudioError(_second(place))
        length = lengths[peek.number(place, 1) >> 3 & 15]
        if length < 0:
            raise AudioError(f"damaged: no frame of AMR at byte {place}")
        place = _behind(peek, place, place + 1 + length)
    return place


_AMR_NARROW = (12, 13, 15, 17, 19, 20, 26, 31, 5, -1, -1, -1, -1, -1, -1, 0)
_AMR_WIDE = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, -1, -1, -1, -1, 0, 0)


def _aac(peek: Peek, place: int) -> int:
    if peek.at(place, 4) == b"ADIF":
        return place + 1
    if (first := first_in_a_row(peek, place, adts_frame)) is None:
        raise AudioError("damaged: no frame of AAC follows another")
    check_frames(peek, first, adts_frame)
    return peek.length


def _behind(peek: Peek, place: int, end: int) -> int:
    if end > peek.length:
        raise AudioError(
            f"truncated: the part at byte {place} should end at byte {end}, the file has"
            f" {peek.length}"
        )
    return end


def _second(place: int) -> str:
    return f"another file begins at byte {place}: split it into one file each"


_FOLLOW: dict[str, Callable[[Peek, int], int]] = {
    "mov": _mp4,
    "matroska": _matroska,
    "avi": _avi,
    "asf": _asf,
    "flv": _flash,
    "amr": _amr,
    "aac": _aac,
    "mpegts": check_transport,
    "mpeg": check_program,
}
"""From the file and where it begins to where its parts end, by FFmpeg's name of the container."""
