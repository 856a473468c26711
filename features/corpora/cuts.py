"""Columns of a manifest that say: not the whole file, but these seconds, or this channel.

    file,start,end,emotion            file,offset,duration,channel,emotion
    talk.wav,1.5,4,sad                talk.wav,1.5,2.5,left,sad

Seconds are understood, as numbers or as HH:MM:SS.s; a cell without a value cuts nothing on its
side. What could mean something else (milliseconds, frames, samples, an `offset` alone) is refused
by its line: heard wholly, or cut elsewhere, the clip would have another clip's label. A length
alone mostly is the file's; it is held against the audio when that is heard.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from gensr.features.audio.errors import AudioError
from gensr.features.audio.segments import Segment, take_apart, to_nanoseconds
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.missing import no_number
from gensr.features.corpora.tables import Row
from gensr.features.corpora.times import (
    BARE,
    CHANNEL,
    CHANNELS,
    COUNT,
    END,
    LENGTH,
    NUMBER,
    OFFSET,
    OTHER,
    RATE,
    SPAN,
    START,
    is_pair,
    may_be_time,
    meaning_of,
    number,
    pairs_in,
    seconds,
    words_of,
)

Times: TypeAlias = dict[str, tuple[Decimal, Decimal]]
"""START, END and LENGTH of a row, as far as it has them: seconds, and the last digit's unit."""
_SIDES = {"left": 0, "l": 0, "right": 1, "r": 1}
_EMOBOX = frozenset({"key", "wav", "num_frame", "sample_rate", "channel"})
"""Columns of EmoBox's tables, whose `channel` is the number of channels."""

_AGREE = Decimal("0.01")
"""Seconds by which `end` and `start` plus `duration` may differ: someone rounded."""
_SLACK = Decimal("0.1")
"""Seconds by which a file's length may be another than its row says: encoders pad MP3 and AAC."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What a row says of its part of a file."""

    segment: Segment | None
    """None: the whole file."""
    length: tuple[float, float] | None = None
    """See `Clip.length`."""


class Cuts:
    """Reads the parts that the rows of one manifest name.

    Args:
        path: the manifest, for messages.
        columns: its columns.
        rows: its rows.
        taken: columns that have another meaning already.

    Raises:
        CorpusError: channels seem to be counted from 1.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], rows: Sequence[Row], taken: Collection[str]
    ) -> None:
        self._path = path
        self._names: dict[str, list[str]] = {}
        """Columns by what they mean."""
        counted = {"_".join(words_of(name)) for name in columns} >= _EMOBOX
        for name in columns:
            if name not in taken and (meaning := meaning_of(name)):
                channels = meaning == CHANNEL and counted
                self._names.setdefault(CHANNELS if channels else meaning, []).append(name)
        unread = [name for name in columns if name not in taken and not meaning_of(name)]
        self._names.setdefault(NUMBER, []).extend(pairs_in(unread))
        self._begins = bool(self._names.keys() & {START, OFFSET})
        self.notes: tuple[str, ...] = self._count_from_0(rows)

    @property
    def used(self) -> frozenset[str]:
        """Columns that are in the clips' names, and nowhere else."""
        cut = self._begins or END in self._names
        meanings = (START, END, CHANNEL, *((LENGTH, OFFSET) if cut else ()))
        return frozenset(name for word in meanings for name in self._names.get(word, ()))

    def of(self, row: Row, file: str) -> tuple[str, Cut]:
        """Return the file that a row means, and the part of it.

        Args:
            row: the row.
            file: its cell that names the file, perhaps with a part.

        Raises:
            CorpusError: what is meant cannot be told.
            AudioError: no file has such a part.
        """
        where = f"{self._path}, line {row.line}"
        self._refuse_others(where, row)
        named, segment = take_apart(file)
        told, channel = self._times(where, row), self._channel(where, row)
        length = None
        if told.keys() == {LENGTH} and not self._begins:
            lasts, unit = told.pop(LENGTH)
            length = float(lasts), float(max(_SLACK, unit))
        if told or channel is not None:
            if segment is not None:
                raise CorpusError(
                    f"{where}: {file} names a part of a file, and so do its columns; keep one"
                )
            segment = Segment(*_span(where, told), channel)
        return named, Cut(segment if segment and segment.fragment else None, length)

    def _given(self, row: Row, meaning: str) -> list[tuple[str, str]]:
        """Return the columns of a meaning in which a row has a value, and the values."""
        cells = ((name, row.cells[name]) for name in self._names.get(meaning, ()))
        return [(name, cell) for name, cell in cells if not no_number(cell)]

    def _times(self, where: str, row: Row) -> Times:
        told: Times = {}
        for meaning in (START, END, LENGTH, OFFSET):
            given = self._given(row, meaning)
            values = [(name, seconds(where, name, cell)) for name, cell in given]
            for (one, a), (other, b) in pairwise(values):
                if abs(a[0] - b[0]) > _AGREE:
                    raise CorpusError(
                        f"{where}: {one} and {other} are {a[0]} and {b[0]} s; keep one"
                    )
            if values:
                told[meaning] = values[0][1]
        if OFFSET in told:
            self._settle_offset(where, row, told)
        self._settle_counts(where, row, told)
        return told

    def _settle_offset(self, where: str, row: Row, told: Times) -> None:
        """Tell the offset that a part begins at from the one that it ends at."""
        value = told.pop(OFFSET)
        onset = any("onset" in words_of(name) for name, _ in self._given(row, START))
        if onset and END not in told:
            told[END] = value
        elif LENGTH in told and not told.keys() & {START, END}:
            told[START] = value
        elif value[0]:
            ((name, cell), *_) = self._given(row, OFFSET)
            raise CorpusError(
                f"{where}: {name} {cell} may be where the part begins, or where it ends, or "
                "something else: name the columns start and end, or rename it"
            )

    def _settle_counts(self, where: str, row: Row, told: Times) -> None:
        """Take a number of frames for the file's length, which it mostly is, where all fits."""
        counts = self._given(row, COUNT)
        given = [*counts, *self._given(row, BARE)]
        if not given or told.keys() & {END, LENGTH}:
            return
        frames = number(counts[0][1]) if counts else None
        rates = [number(cell) for _, cell in self._given(row, RATE)]
        if START not in told and not counts:
            return
        if START in told or frames is None or not rates or not rates[0] or rates[0] < 0:
            name, cell = given[0]
            raise CorpusError(
                f"{where}: {name} {cell} may be the file's length or a part's: give start and end "
                "in seconds, or the file's sample_rate beside it, or rename it"
            )
        if not self._begins:
            told[LENGTH] = to_nanoseconds(frames / rates[0]), _SLACK

    def _channel(self, where: str, row: Row) -> int | None:
        """Return the channel that a row asks for, counted from 0."""
        found: dict[str, int] = {}
        for name, cell in self._given(row, CHANNEL):
            side = _SIDES.get(cell.lower())
            value = number(cell) if side is None else Decimal(side)
            if value is None or not 0 <= value < 10_000 or value != int(value):
                raise CorpusError(
                    f"{where}: {name} {cell!r}; expected left, right, or a number counted from 0"
                )
            found[name] = int(value)
        if len(set(found.values())) > 1:
            raise CorpusError(f"{where}: {' and '.join(found)} name two channels; keep one")
        return next(iter(found.values()), None)

    def _count_from_0(self, rows: Sequence[Row]) -> tuple[str, ...]:
        """Look whether channels are counted from 0; say what 1 is where there is nothing else."""
        seen: dict[Decimal, tuple[str, int]] = {}
        for row in rows:
            for name, cell in self._given(row, CHANNEL):
                if (value := number(cell)) is not None:
                    seen.setdefault(value, (name, row.line))
        if not seen or 0 in seen:
            return ()
        value, (name, line) = max(seen.items())
        if value > 1:
            raise CorpusError(
                f"{self._path}, line {line}: {name} {value}, and none is 0: channels are counted "
                "from 0 here; count from 0, write left and right, or rename the column"
            )
        return (f"{self._path.name}: {name} 1 is the second channel: they are counted from 0",)

    def _refuse_others(self, where: str, row: Row) -> None:
        """Refuse a cell that may name a part, in a way that cannot be followed."""
        refused = self._given(row, OTHER)
        refused += [item for item in self._given(row, SPAN) if is_pair(item[1])]
        refused += [item for item in self._given(row, NUMBER) if may_be_time(item[1])]
        for name, cell in self._given(row, CHANNELS):
            if cell.lower() in _SIDES or number(cell) == 0:
                refused.append((name, cell))
        for name, cell in refused:
            raise CorpusError(
                f"{where}: {name} {cell!r} may mean a part of the file: give start and end in "
                "seconds from its beginning, or channel, or rename the column"
            )


def _span(where: str, told: Times) -> tuple[Decimal, Decimal | None]:
    """Return where a part begins and ends."""
    start = told[START][0] if START in told else Decimal(0)
    end = told[END][0] if END in told else None
    if LENGTH in told:
        length = told[LENGTH][0]
        if length <= 0:
            raise AudioError(f"lasts {length} s: a part has a length")
        if end is not None and START not in told:
            start = end - length
        elif end is not None and abs(start + length - end) > _AGREE:
            raise CorpusError(
                f"{where}: from {start} to {end} s are not {length} s; keep two of the three"
            )
        end = start + length if end is None else end
    return start, end
