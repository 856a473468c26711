"""How columns and cells say times: `start`, `EndTime`, `begin_ms`, `1.5`, `00:01:02,500`, NaT.

A column's name is taken to pieces, and means a time in seconds only if all its words say so. A
word for another unit, or for another thing than the file, makes it one that must be refused where
it has a value: it may mean a part of the file, and which part nobody knows.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from gensr.features.audio.segments import to_nanoseconds
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.labels import plain

START, END, LENGTH, OFFSET = "start", "end", "length", "offset"
"""Times, and what a column may mean; see `meaning_of`."""
CHANNEL, COUNT, RATE, OTHER = "channel", "count", "rate", "other"
SPAN, NUMBER, BARE, CHANNELS = "span", "number", "bare", "channels"

_EDGES = {
    START: {"start", "begin", "beginning", "onset", "tmin", "xmin"},
    END: {"end", "ending", "stop", "finish", "tmax", "xmax"},
    LENGTH: {"duration", "dur"},
    OFFSET: {"offset"},
}
_EDGE_WORDS = set[str]().union(*_EDGES.values(), {"length", "seek", "skip"})
_SECONDS = {"time", "timestamp", "ts", "t", "s", "sec", "secs", "second", "seconds"}
_SECONDS |= {"in", "at", "hms", "hh", "mm", "ss", "timecode", "tc"}
_PART = {"segment", "seg", "utterance", "utt"}
_FILES = {"audio", "file", "wav", "recording", "total"}
_UNITS = {"ms", "msec", "msecs", "millis", "millisecond", "milliseconds", "us", "ns", "min"}
_UNITS |= {"sample", "samples", "frame", "frames", "byte", "bytes", "pos", "position", "percent"}
_UNITS |= {"index", "idx", "minute", "minutes", "ratio", "num", "n"}
_THINGS = {"clip", "speech", "voice", "vad", "turn", "video", "movie", "episode", "source"}
_THINGS |= {"original", "orig", "region", "interval", "chunk", "crop", "trim", "cut", "window"}
_THINGS |= {"sentence", "abs", "absolute", "rel", "relative"} | _FILES
_WHOLE_NAMES = {
    CHANNEL: {"channel", "channel_id", "channel_index", "channel_idx", "channel_no", "channel_nr"}
    | {"channel_number", "channelid", "channelno", "channelnumber", "ch", "chan", "chn"}
    | {f"{thing}_channel" for thing in ("audio", "file", "wav")},
    CHANNELS: {"channels", "channel_name", "speaker_channel", "side", "audio_side", "mic"},
    COUNT: {"num_frame", "num_frames", "numframes", "n_frames", "nframes"}
    | {"num_samples", "numsamples", "n_samples", "nsamples"},
    RATE: {"sample_rate", "sampling_rate", "samplerate", "sr", "sampling_frequency"},
    OTHER: {"stream", "stream_index", "audio_stream", "audio_track"},
    NUMBER: {"seek", "skip", "t0", "t1", "tstart", "tend", "from", "to", "time_from", "time_to"}
    | {f"{edge}_{unit}" for edge in ("from", "to") for unit in ("time", "s", "sec", "seconds")}
    | {f"{edge}_{unit}" for edge in ("first", "last") for unit in ("sample", "frame")},
    BARE: {"length"},
    SPAN: {"span", "range", "interval", "trim", "crop", "cut", "window", "time", "times"}
    | {"timestamp", "timestamps", "segment", "region", "fragment", "part"},
}
_PAIRS = (
    *((start, end) for start in ("start", "begin", "starts") for end in ("end", "stop", "ends")),
    *(("in", "out"), ("st", "et"), ("stime", "etime"), ("from", "to"), ("bt", "et")),
    *(("beginn", "ende"), ("anfang", "ende"), ("start", "ende"), ("von", "bis"), ("debut", "fin")),
    *(("inicio", "fin"), ("inicio", "final"), ("inizio", "fine"), ("inicio", "fim")),
    *(("开始", "结束"), ("起始", "结束"), ("起始", "终止"), ("开始", "终止"), ("起点", "终点")),
    *(("開始", "結束"), ("開始", "終了"), ("начало", "конец"), ("시작", "종료"), ("시작", "끝")),
)
"""Words that begin and end something, in the languages that corpora come in."""
_OF_TEXT = {"text", "char", "character", "word", "token", "line", "page"}
_OF_LIFE = {"date", "year", "month", "day", "age"}
_JOINED = re.compile(
    "(start|begin|end|stop|onset|offset|duration)"
    "(time|ms|msec|s|sec|secs|seconds?|frames?|samples?|pos|idx)"
)
_JOINED_BACK = re.compile("(frame|sample|time)(offset|start|begin|end|stop)")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_CLOCK = re.compile(
    r"(?:(?P<days>[0-9]{1,4}) days? )?(?P<h>[0-9]{1,4}):(?P<m>[0-5][0-9]):"
    r"(?P<s>[0-5][0-9](?:[.,][0-9]{1,9})?)"
)
_PAIR = re.compile(r"[\[(]?\s*[0-9][0-9:.]*\s*(?:-|,|;|to|\s)\s*[0-9][0-9:.]*\s*[\])]?")
_TIMECODE = re.compile(r"[0-9]{1,4}(?::[0-9]{1,2}){1,3}(?:[.,;][0-9]{1,9})?")
_LATEST = Decimal(10**9)
"""Seconds, 31 years."""


def is_pair(cell: str) -> bool:
    """Say whether a cell reads like two times: `1.5-4`, `[1.5, 4]`, `00:01:02 - 00:01:05`."""
    return bool(_PAIR.fullmatch(cell))


def may_be_time(cell: str) -> bool:
    """Say whether a cell reads like one time: a number, `01:02.5`, `00:01:02:12`."""
    return number(cell) is not None or _TIMECODE.fullmatch(cell) is not None


def pairs_in(names: Sequence[str]) -> list[str]:
    """Return columns that come in twos as a beginning and an end do, whatever of.

    >>> pairs_in(["file", "Beginn", "Ende", "tc_in", "tc_out", "text_start", "text_end", "in"])
    ['Beginn', 'Ende', 'tc_in', 'tc_out']
    """
    words = {name: "_".join(words_of(name)) if name.isascii() else plain(name) for name in names}
    there = set(words.values())
    found: set[str] = set()
    for word in there:
        if {*re.split(r"[\s_]", word)} & (_OF_TEXT | _OF_LIFE):
            continue
        for start, end in _PAIRS:
            other = re.sub(rf"(?<![^\W_]){start}(?![a-z])", end, word, count=1)
            if other != word and other in there:
                found |= {word, other}
    return [name for name in names if words[name] in found]


def words_of(name: str) -> tuple[str, ...]:
    """Part a column's name: `StartTime`, `start-time` and `starttime` have the same words.

    >>> words_of("StartTime (s)"), words_of("endms")
    (('start', 'time', 's'), ('end', 'ms'))
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    found: list[str] = []
    for word in filter(None, re.split(r"[^a-z0-9]+", spaced.lower())):
        joined = _JOINED.fullmatch(word) or _JOINED_BACK.fullmatch(word)
        found += joined.groups() if joined else (word,)
    return tuple(found)


def meaning_of(name: str) -> str:
    """Return what a column may have to say of a part of a file; nothing for most.

    START, END, LENGTH, OFFSET (times in seconds), CHANNEL; COUNT (frames or samples), RATE;
    OTHER is refused where it has a value, SPAN where that is a pair of times, NUMBER where it is
    a number, BARE (a length of unknown unit) where there is a start, and CHANNELS (a number of
    them, mostly) where it can be but one of them.

    >>> [meaning_of(name) for name in ("begin_time", "start_ms", "EndTime", "start_date")]
    ['start', 'other', 'end', '']
    """
    words = words_of(name)
    for meaning, names in _WHOLE_NAMES.items():
        if "_".join(words) in names:
            return meaning
    edges = set(words) & _EDGE_WORDS
    rest = set(words) - edges
    if not edges or not rest <= _SECONDS | _PART | _UNITS | _THINGS:
        return ""
    if len(edges) > 1:  # start_end, begin_offset
        return SPAN if edges & _EDGES[START] and edges & _EDGES[END] else NUMBER
    if edges <= {"length", *_EDGES[LENGTH]} and rest & _FILES and rest <= _FILES | _SECONDS:
        return ""  # of the file
    if edges == {"length"} and rest <= _SECONDS | _PART and rest & _SECONDS:
        return LENGTH
    if rest <= _SECONDS | _PART:
        for meaning, known in _EDGES.items():
            if edges <= known:
                return meaning
    return OTHER


def number(cell: str) -> Decimal | None:
    """Return a plain number, or None."""
    return Decimal(cell) if _NUMBER.fullmatch(cell) else None


def seconds(where: str, name: str, cell: str) -> tuple[Decimal, Decimal]:
    """Return a time in seconds, and the unit of its last digit.

    Args:
        where: the manifest and the line, for the message.
        name: the column, for the message.
        cell: a number of seconds, or HH:MM:SS.s, as pandas writes it with days before.

    Raises:
        CorpusError: it is no time.
    """
    value = number(cell)
    if value is None and (clock := _CLOCK.fullmatch(cell)):
        days, hours, minutes = (int(clock[key] or 0) for key in ("days", "h", "m"))
        whole = ((days * 24 + hours) * 60 + minutes) * 60
        value = whole + Decimal(clock["s"].replace(",", "."))
    if value is None or abs(value) >= _LATEST:
        raise CorpusError(
            f"{where}: {name} {cell!r} is no time; expected seconds, such as 1.5, or HH:MM:SS.s"
        )
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # a finite number
    return to_nanoseconds(value), Decimal(1).scaleb(min(0, exponent))
