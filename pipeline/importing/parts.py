"""Parts of files: a row's `start`, `end` and `duration`, as openSMILE, pandas and audformat write.

Where a file has several rows, each is called as its part is: `talk.wav#t=1.5,4`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from gensr.features.audio.errors import AudioError
from gensr.features.audio.segments import Segment, name_of, to_nanoseconds
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.tables import Row

TIMES = ("start", "end", "duration")
_SPAN = re.compile(r"(?:(\d+) days?,? ?)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")
_DAYS = re.compile(r"(\d+) days?")
"""As pandas writes a time of whole days, so no time at all."""


def named_parts(
    path: Path,
    times: Mapping[str, Sequence[Any]],
    rows: Sequence[Row],
    file: str,
    *,
    always: bool = False,
) -> tuple[list[Row], list[float]]:
    """Rows that name a part of a file where a file has several, and how long each lasts in s.

    Args:
        path: of the table, for messages.
        times: by name as in `TIMES`, a cell for each row.
        rows: the table's.
        file: the column that names files.
        always: name parts where a file has one row, too.

    Raises:
        CorpusError: a cell is no time, or an end is not after its start.
    """
    spans = {name: _spans(path, name, cells) for name, cells in times.items()}
    nothing = [None] * len(rows)
    starts, ends = spans.get("start", nothing), spans.get("end", nothing)
    several = always or len({row.cells[file] for row in rows}) < len(rows)
    named, seconds = [], []
    for number, (row, start, end) in enumerate(zip(rows, starts, ends, strict=True)):
        if several:
            try:
                called = _part(row.cells[file], start, end)
            except AudioError as error:
                raise CorpusError(f"{path}, row {number + 1}: {error}") from error
            row = replace(row, cells={**row.cells, file: called})
        lasts = spans["duration"][number] if "duration" in spans else None
        if lasts is None and end is not None:
            lasts = end - (start or 0)
        named.append(row)
        seconds.append(float(lasts or 0))
    return named, seconds


def parts_of(
    path: Path, files: Sequence[str], starts: Sequence[str] = (), ends: Sequence[str] = ()
) -> list[str | None]:
    """What each of some rows is called; None of no file, or where an end is not after its start.

    Raises:
        CorpusError: a cell is no time.
    """
    if not starts:
        return [file or None for file in files]
    found: list[str | None] = []
    times = _spans(path, "start", starts), _spans(path, "end", ends)
    for file, start, end in zip(files, *times, strict=True):
        try:
            found.append(_part(file, start, end) if file else None)
        except AudioError:
            found.append(None)
    return found


def _part(file: str, start: Decimal | None, end: Decimal | None) -> str:
    whole = not start and end is None
    return file if whole else name_of(file, Segment(start=start or Decimal(0), end=end))


def _spans(path: Path, name: str, cells: Sequence[Any]) -> list[Decimal | None]:
    found = []
    for number, cell in enumerate(cells, 1):
        try:
            found.append(seconds_of(cell))
        except ValueError as error:
            raise CorpusError(f"{path}, row {number}: {name} {error}") from None
    return found


def seconds_of(cell: Any) -> Decimal | None:
    """A time in seconds; None where there is none (NaT: to the end).

    Args:
        cell: a number of seconds, or text: that, `HH:MM:SS.s` or `0 days 00:00:01.5`.

    Raises:
        ValueError: it is none.
    """
    if cell is None or cell != cell or str(cell).strip() in ("", "NaT"):
        return None
    text = str(cell).strip()
    if found := _SPAN.fullmatch(text):
        days, hours, minutes, rest = (Decimal(part or 0) for part in found.groups())
        return to_nanoseconds(((days * 24 + hours) * 60 + minutes) * 60 + rest)
    if whole := _DAYS.fullmatch(text):
        return to_nanoseconds(Decimal(whole[1]) * 24 * 3600)
    try:
        told = Decimal(text)
    except ArithmeticError:
        told = Decimal(-1)
    if not told.is_finite() or told < 0:
        raise ValueError(f"is no time, {text[:40]!r}")
    return to_nanoseconds(told)
