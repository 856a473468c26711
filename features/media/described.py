"""Where a file describes itself: pictures, texts, marks. What stands in there is no second file.

A cover's picture may hold any bytes, those that a WAV begins with among them. Chunks that hold
sound, or a file, are none of these, whatever they say of their size.
"""

from collections.abc import Iterator

from gensr.features.media.peek import Peek

Spans = tuple[tuple[int, int], ...]
"""(First byte, one past the last), in order."""

_TEXTS = frozenset(
    {b"LIST", b"bext", b"iXML", b"axml", b"aXML", b"_PMX", b"id3 ", b"ID3 ", b"cart", b"DISP"}
    | {b"NAME", b"AUTH", b"ANNO", b"(c) ", b"APPL", b"afsp", b"JUNK", b"junk", b"PAD "}
)
"""Chunks of WAV and AIFF that hold no sound."""


def described(peek: Peek, start: int) -> Spans:
    """Return the spans of a FLAC, WAV or AIFF file that begins at `start` which describe it."""
    head = peek.at(start, 12)
    if head[:4] == b"fLaC":
        return tuple(_flac(peek, start + 4))
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:] == b"WAVE":
        return tuple(_chunks(peek, start + 12, big=head[:4] == b"RIFX"))
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return tuple(_chunks(peek, start + 12, big=True))
    return ()


def _flac(peek: Peek, place: int) -> Iterator[tuple[int, int]]:
    """Follow the blocks in front of the frames: [last?, kind, size, content]."""
    while place + 4 <= peek.length:
        mark, end = peek.number(place, 1), place + 4 + peek.number(place + 1, 3)
        if end > peek.length or mark & 0x7F > 6:  # 6 is the picture's, the last kind there is
            return
        yield place, end
        if mark & 0x80:
            return
        place = end


def _chunks(peek: Peek, place: int, *, big: bool) -> Iterator[tuple[int, int]]:
    """Follow the chunks: [name, size, content], padded to an even size, or not."""
    while place + 8 <= peek.length:
        name, size = peek.at(place, 4), peek.number(place + 4, 4, "big" if big else "little")
        end = place + 8 + size
        if end > peek.length or not all(0x20 <= letter < 0x7F for letter in name):
            return
        if name in _TEXTS:
            yield place, end
        place = end + (size % 2 and peek.at(end, 1) == b"\0")
