"""A part of a file: which seconds, which channel, and the name that such a clip goes by.

A clip is a whole file, or a part of one. A part's name is the file's path and behind it a media
fragment, as the W3C writes it for the web:

    talk.wav#t=1.5,4      from 1.5 s to 4 s
    talk.wav#t=1.5        from 1.5 s to the end
    talk.wav#channel=1    the second channel alone: they are counted from 0
    talk.wav#t=1.5,4&channel=0

The name is all that is known of the part, so tables, merges, protocols and answers need to know
nothing of parts; it is taken to pieces where a file is opened. Each part has one name: times are
decimals without needless zeros, to the nanosecond, the start always there where there is an end.

Nothing here imports numpy: manifests are read with it.
"""

import os
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from gensr.features.audio.errors import AudioError

_NANOSECOND = Decimal("1e-9")
_LATEST = Decimal(10**9)
"""Seconds, 31 years: beyond, it is no time in a recording."""
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,30})?"
_TIMES = re.compile(rf"t=(?P<start>{_NUMBER})?(?:,(?P<end>{_NUMBER}))?")
_CHANNEL = re.compile(r"channel=(?P<channel>[0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a file, in seconds and channels.

    Raises:
        AudioError: no file has such a part.

    >>> Segment(Decimal("1.50"), Decimal(4)).fragment
    '#t=1.5,4'
    """

    start: Decimal = Decimal(0)
    """Seconds from the beginning of the file."""
    end: Decimal | None = None
    """Seconds from the beginning of the file; None: its end."""
    channel: int | None = None
    """Counted from 0; None: the mean of all."""

    def __post_init__(self) -> None:
        """Refuse what is no part of any file."""
        if self.start < 0:
            raise AudioError(f"begins at {_plain(self.start)} s, before its file")
        if self.end is not None and self.end <= self.start:
            raise AudioError(
                f"ends at {_plain(self.end)} s, and not after its beginning at "
                f"{_plain(self.start)} s"
            )
        if max(self.start, self.end or self.start) >= _LATEST:
            raise AudioError(f"a time of {_LATEST:,} s or more is none in a recording")

    @property
    def timed(self) -> bool:
        """Whether it is less than the whole of the time."""
        return bool(self.start) or self.end is not None

    @property
    def fragment(self) -> str:
        """What stands behind the file's path; nothing for the whole file."""
        times = f"t={_plain(self.start)}" if self.timed else ""
        if self.end is not None:
            times += f",{_plain(self.end)}"
        channel = "" if self.channel is None else f"channel={self.channel}"
        both = "&".join(filter(None, (times, channel)))
        return f"#{both}" if both else ""

    def frames(self, rate: int) -> tuple[int, int | None]:
        """Return the first frame and the one behind the last, at a rate in Hz; None: the end."""
        stop = None if self.end is None else round(self.end * rate)
        return round(self.start * rate), stop


def to_nanoseconds(seconds: Decimal) -> Decimal:
    """Round a time as names have it: 0.1 + 0.2 of a float's making is 0.3 again.

    >>> to_nanoseconds(Decimal("0.30000000000000004"))
    Decimal('0.3')
    """
    return Decimal(_plain(seconds.quantize(_NANOSECOND)))


def name_of(path: str, segment: Segment | None) -> str:
    """Return the one name of a part of a file.

    >>> name_of("talk.wav", Segment(Decimal(0), Decimal("2.5"), 1))
    'talk.wav#t=0,2.5&channel=1'
    """
    return path if segment is None else path + segment.fragment


def take_apart(name: str) -> tuple[str, Segment | None]:
    """Return a clip's file and its part of it, None for the whole; other spellings are read too.

    Raises:
        AudioError: it reads like the name of a part, but no file has such a one.

    >>> take_apart("a/talk#2.wav"), take_apart("talk.wav#channel=1&t=,4")[1].fragment
    (('a/talk#2.wav', None), '#t=0,4&channel=1')
    """
    file, mark, fragment = name.rpartition("#")
    if not mark or not file or file.endswith("/"):
        return name, None
    told: dict[str, str | None] = {}
    for piece in fragment.split("&"):
        found = _TIMES.fullmatch(piece) or _CHANNEL.fullmatch(piece)
        if found is None or piece == "t=" or told.keys() & found.groupdict().keys():
            return name, None
        told |= found.groupdict()
    start, end, channel = (told.get(key) for key in ("start", "end", "channel"))
    segment = Segment(
        start=to_nanoseconds(Decimal(start or 0)),
        end=None if end is None else to_nanoseconds(Decimal(end)),
        channel=None if channel is None else int(channel),
    )
    return file, segment if segment.fragment else None


def fragment_of(path: Path | str) -> str:
    """Return what names the part in a clip's name; nothing for a whole file, or no part at all."""
    try:
        segment = take_apart(os.fspath(path))[1]
    except AudioError:
        return ""
    return "" if segment is None else segment.fragment


def key_of(file_sha256: str, path: Path | str) -> str:
    """Return what a verdict is known by: the hash of a file's bytes, and which part it is on."""
    return file_sha256 + fragment_of(path)


def file_of(path: str) -> str:
    """Return the file that a clip is, or is a part of, whether there is one or not."""
    try:
        return take_apart(path)[0]
    except AudioError:
        return path


def locate(path: Path) -> tuple[Path, Segment | None]:
    """Take a clip's name apart where its file is about to be opened.

    Raises:
        AudioError: there is a file of this very name too, or no file has such a part.
    """
    name = os.fspath(path)
    file, segment = take_apart(name)
    if file != name and os.path.lexists(name):
        raise AudioError(
            f"reads like a part of {Path(file).name}, and is a file itself: rename the file"
        )
    return Path(file), segment


def _plain(seconds: Decimal) -> str:
    """Write a time without exponent and needless zeros.

    >>> _plain(Decimal("1.500")), _plain(Decimal("1E+2")), _plain(Decimal("-0"))
    ('1.5', '100', '0')
    """
    text = f"{seconds:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
