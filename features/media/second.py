"""One file, one stream: what was chained, put side by side or end to end is refused by name.

libsndfile hears the first stream of a file and says nothing of the rest. So a clip that holds two
utterances would be heard as one, with the label of both. Which of them is meant nobody can know.

What real files have behind their end stays allowed: tags of every kind, padding, and bytes that
are nothing at all.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from gensr.features.audio.errors import AudioError
from gensr.features.media.described import Spans, described
from gensr.features.media.magic import after_tags, id3_size, kind_at
from gensr.features.media.mpeg import (
    Frame,
    adts_frame,
    first_in_a_row,
    frames,
    mpeg_frame,
    names_its_length,
    promised_frames,
)
from gensr.features.media.peek import Peek

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SPLIT = "split it into one file each"
_TAIL = 1 << 16
"""Bytes at the end that are searched for frames: two seconds and more of any MP3."""
_SLACK_FRAMES = 2
"""Frames by which encoders miscount."""
_BLOCK, _LONGEST_BEGINNING = 1 << 20, 64
_NO_SOUND = (
    *(b"\x80theora", b"BBCD\0", b"\x80kate", b"CMML\0", b"fishead\0", b"\x01video", b"OVP8"),
    *(b"\x01text", b"\x8bJNG", b"\x8aMNG"),
)
"""How the streams of an Ogg file begin that nobody hears: video, subtitles, Skeleton's index."""
_PLAIN = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC")


def check_one_stream(peek: Peek, form: str) -> float | None:
    """Refuse a file with more than one stream of audio.

    Returns:
        How long an MP3 is that does not say so, in s, by its frames; else None.

    Args:
        peek: the file.
        form: libsndfile's name of its format.

    Raises:
        AudioError: what there is beside the first, and where.
    """
    start = after_tags(peek)
    if form == "OGG":
        check_ogg(peek, start)
        return None
    if form == "MP3":
        if (first := first_in_a_row(peek, start, mpeg_frame)) is not None:
            return check_frames(peek, first, mpeg_frame)
        return None
    check_nothing_within(peek, start)
    _check_tail(peek, max(start + 1, peek.length - _TAIL))
    return None


def _check_tail(peek: Peek, place: int) -> None:
    """Refuse frames behind what has none; they have no signature, but each tells the next."""
    for name, parse in (("MPEG audio", mpeg_frame), ("raw AAC", adts_frame)):
        if (found := first_in_a_row(peek, place, parse, _TAIL)) is not None:
            raise AudioError(f"another file ({name}) is behind it, at byte {found}: {_SPLIT}")


def check_ogg(peek: Peek, place: int) -> bool:
    """Follow the pages of an Ogg file, and count the streams that begin.

    Returns:
        Whether libsndfile should know all there is: one stream of Vorbis, Opus or FLAC.

    Raises:
        AudioError: a second one begins, or the pages are torn apart.
    """
    sounds, pages, plain = 0, 0, True
    streams: set[int] = set()
    while place < peek.length:
        head = peek.at(place, 27)
        if head[:5] != b"OggS\0" or len(head) < 27:
            break
        serial, body = head[14:18], place + 27 + head[26]
        if head[5] & 2:
            begin = peek.at(body, 12)
            sound = not begin.startswith(_NO_SOUND)
            plain &= begin.startswith(_PLAIN)
            if sound and sounds:
                beside = pages < 1 + len(streams)
                how = "side by side" if beside else f"the next begins at byte {place}"
                raise AudioError(f"more than one audio stream ({how}): {_SPLIT}")
            sounds += sound
            streams.add(int.from_bytes(serial, "little"))
        elif int.from_bytes(serial, "little") not in streams:
            raise AudioError(f"damaged: the Ogg page at byte {place} is of no stream")
        pages += 1
        place = body + sum(peek.at(place + 27, head[26]))
    if place < peek.length:
        check_nothing_begins(peek, place)
        _check_tail(peek, place)
        if (found := find(peek, b"OggS\0", place)) is not None:
            raise AudioError(f"damaged: bytes {place} to {found} are no Ogg page")
    return plain


def check_frames(peek: Peek, place: int, parse: Callable[[bytes], Frame | None]) -> float | None:
    """Follow the frames of MPEG audio or ADTS to their end.

    Args:
        peek: the file.
        place: where the first frame is.
        parse: reads a frame's header.

    Returns:
        Seconds of all frames; None where the header, or nothing, says how long the file is.

    Raises:
        AudioError: rate or channels change, a second file begins, or bytes are missing.
    """
    first: Frame | None = None
    promised: int | None = None
    told = False
    count, end = 0, place
    for at, frame in frames(peek, place, parse):
        if not frame.length:  # of free format: nothing says where the next one is
            return None
        seconds = count * frame.samples / frame.rate
        if first and not frame.continues(first):
            raise AudioError(
                f"the audio changes from {_sort(first)} to {_sort(frame)} after {seconds:.2f} s: a"
                f" second stream ({_SPLIT}), or damage"
            )
        if parse is mpeg_frame and names_its_length(peek, at, frame):
            if first:
                raise AudioError(f"a second file begins after {seconds:.2f} s: {_SPLIT}")
            told, promised, count = True, promised_frames(peek, at, frame), -1
        first, count, end = frame, count + 1, at + frame.length
    if first and end > peek.length:
        raise AudioError(f"truncated: the last frame lacks {end - peek.length} bytes")
    if promised and count > promised + _SLACK_FRAMES:
        raise AudioError(
            f"the header promises {promised} frames, the file holds {count}: a second file behind "
            f"the first ({_SPLIT}), or a wrong header"
        )
    _check_behind_frames(peek, end, parse)
    return None if told or not first else count * first.samples / first.rate


def _check_behind_frames(peek: Peek, end: int, parse: Callable[[bytes], Frame | None]) -> None:
    behind = end + skip_tags(peek, end)
    if (found := first_in_a_row(peek, behind, parse, max(1, peek.length - behind))) is not None:
        gap = "a tag" if behind > end and found == behind else f"{found - end} bytes that are none"
        raise AudioError(
            f"more frames follow behind {gap}, at byte {found}: a second file ({_SPLIT}), or damage"
        )
    check_nothing_begins(peek, behind)


def skip_tags(peek: Peek, place: int) -> int:
    """Return how many bytes of tags and zeros stand at a place."""
    begin = place
    while place < peek.length:
        head = peek.at(place, 32)
        if head[:3] == b"TAG":  # ID3v1, or its extension
            place += 227 if head[3:4] == b"+" else 128
        elif head[:8] == b"APETAGEX":
            place += 32 + int.from_bytes(head[12:16], "little")
        elif size := id3_size(head[:10]):
            place += size
        elif head[:11] == b"LYRICSBEGIN":
            ends = [
                found for name in (b"LYRICS200", b"LYRICSEND") if (found := find(peek, name, place))
            ]
            if not ends:
                break
            place = min(ends) + 9
        elif head[:1] == b"\0":
            place += len(head) - len(head.lstrip(b"\0"))
        else:
            break
    return min(place, peek.length) - begin


def check_nothing_within(peek: Peek, start: int) -> None:
    """Refuse a file that begins at `start` in whose sound, or behind it, another one begins.

    Raises:
        AudioError: saying which, and where.
    """
    check_nothing_begins(peek, start + 1, described(peek, start))


def check_nothing_begins(peek: Peek, place: int, but: Spans = ()) -> None:
    """Refuse a file in which another one begins, of a kind whose beginning is no accident.

    Args:
        peek: the file.
        place: where to begin looking.
        but: where any bytes may stand.

    Raises:
        AudioError: saying which, and where.
    """
    for start in range(place, peek.length, _BLOCK):
        block = peek.at(start, _BLOCK + _LONGEST_BEGINNING)
        for name, before in _NEEDLES if _has_needle(block) else ():
            found = block.find(name)
            while 0 <= found < _BLOCK + before:
                at = start + found - before
                free = any(begin <= at < end for begin, end in but)
                if at >= place and not free and _begins(peek, at):
                    kind = kind_at(peek, at)
                    told = kind.name if kind else "audio"
                    raise AudioError(f"another file ({told}) begins at byte {at}: {_SPLIT}")
                found = block.find(name, found + 1)


_VOC = b"Creative Voice File\x1a"
_W64 = b"riff\x2e\x91\xcf\x11"
_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
_NEEDLES = (
    *((name, 0) for name in (b"fLaC", b"OggS\0\x02", b"caff\0\x01\0\0", b".snd\0\0", b"NIST_1A\n")),
    *((name, 0) for name in (_VOC, b"2BIT", _W64, _ASF, b"#!AMR", b"\x1aE\xdf\xa3", b"FLV\x01")),
    *((name, 0) for name in (b"RIFF", b"RIFX", b"RF64", b"FORM")),
    (b"ftyp", 4),
)
"""(Bytes to look for, how many of the file stand before them)."""


def _has_needle(block: bytes) -> bool:
    """Whether one of the needles is there: looked for all at once, as most files have none."""
    import numpy as np

    pairs, names = _needle_pairs()
    for odd in (0, 1):  # pairs of bytes that begin at an even place, and at an odd one
        count = max(0, len(block) - odd) // 2
        found = np.flatnonzero(pairs[np.frombuffer(block[odd:], "<u2", count)])
        if any(block.startswith(names, 2 * at + odd) for at in found.tolist()):
            return True
    return False


@cache
def _needle_pairs() -> "tuple[NDArray[np.bool_], tuple[bytes, ...]]":
    """Return, of each pair of bytes, whether a needle begins with it; and the needles."""
    import numpy as np

    names = tuple(name for name, _ in _NEEDLES)
    pairs = np.zeros(1 << 16, np.bool_)
    pairs[[int.from_bytes(name[:2], "little") for name in names]] = True
    return pairs, names


def _begins(peek: Peek, place: int) -> bool:
    """Whether a file begins here: its name, and at least as much behind it, are what they must be.

    A name by itself is none: any bytes may be that, and no file ends with its name.
    """
    head = peek.at(place, 64)
    name, size = head[:4], int.from_bytes(head[4:8], "big")
    if name == b"fLaC":
        return head[4:8] in (b"\0\0\0\x22", b"\x80\0\0\x22")
    if name == b"caff":
        return head[8:12] == b"desc"
    if head.startswith(b"NIST_1A"):
        return head[8:16].strip().isdigit()  # the length of its header
    if head.startswith(_VOC):
        return head[20:22] == b"\x1a\0"  # likewise
    if head.startswith(_W64):
        return head[24:28] == b"wave"
    if head.startswith(_ASF):
        return head[28:30] == b"\x01\x02"  # reserved, and always so
    if name == b"OggS":
        return head[6:14] == bytes(8)
    if name == b".snd":
        encoding, rate, channels = (int.from_bytes(head[i : i + 4], "big") for i in (12, 16, 20))
        return 24 <= size <= 4096 and 0 < encoding < 40 and rate < 1_000_000 and 0 < channels < 256
    if name in (b"RIFF", b"RIFX", b"RF64"):
        return head[8:12] in (b"WAVE", b"AVI ", b"QLCM")
    if name == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC", b"8SVX", b"16SV")
    if name == b"\x1aE\xdf\xa3":
        return b"webm" in head or b"matroska" in head
    if name == b"2BIT":  # AVR
        return head[12:14] in (b"\0\0", b"\xff\xff") and head[14:16] in (b"\0\x08", b"\0\x10")
    if name == b"FLV\x01":
        return head[5:9] == b"\0\0\0\x09"
    if name == b"#!AM":
        begun = re.match(rb"#!AMR(-WB)?(_MC1\.0)?\n(.)", head, re.DOTALL)
        return begun is not None and not begun[3][0] & 0x83  # of a frame's head, or the channels'
    if head[4:8] == b"ftyp":
        return int.from_bytes(name, "big") < 1024 and head[8:12].isascii() and head[8:11].isalnum()
    return False


def find(peek: Peek, name: bytes, place: int) -> int | None:
    """Return where some bytes are at or behind a place."""
    for start in range(place, peek.length, _BLOCK):
        if (found := peek.at(start, _BLOCK + len(name)).find(name)) >= 0:
            return start + found
    return None


def _sort(frame: Frame) -> str:
    return f"{frame.rate} Hz, {frame.channels} channel{'s' * (frame.channels != 1)}"
