"""Read the tables that come with corpora: CSV, TSV, JSON Lines; strictly, errors with their line.

A cell that slips by one column labels a clip wrongly and says nothing, so a row whose number of
cells differs from the header's is an error, never padded or cut. Programs write CSV with other
delimiters too: the one under which the header names what the reader asks for is taken.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gensr.features.corpora.errors import CorpusError
from gensr.features.media.magic import placeholder

DELIMITERS = {".csv": ",", ".tsv": "\t"}
OTHERS = ",;\t|"
"""Delimiters that are tried where the suffix's own does not fit the header."""
TABLE_SUFFIXES: tuple[str, ...] = (*DELIMITERS, ".jsonl")


_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD = 65_536
"""Bytes that are read for the sake of a header."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it begins on, counted from 1, and its cells by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table in memory."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path, *, fits: Callable[[Sequence[str]], bool] | None = None) -> Table:
    """Read a table, its format told by its suffix: `.csv`, `.tsv` or `.jsonl`.

    The encoding is UTF-8, or UTF-16 with a byte order mark. Header and cells lose surrounding
    space; empty lines count for nothing. Every row has every column: in JSON Lines a key that
    a row lacks, null and NaN are the empty string.

    Args:
        path: The file.
        fits: Whether a header is what the reader expects; a delimiter under which it does is
            taken, the suffix's own first.

    Raises:
        CorpusError: It cannot be read; the message names the file and the line.
    """
    text = _text(path)
    if path.suffix.lower() == ".jsonl":
        rows = tuple(_json_rows(path, text))
        columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
        blank = dict.fromkeys(columns, "")
        return Table(columns, tuple(Row(row.line, blank | dict(row.cells)) for row in rows))
    delimiter, begins = _delimiter(path, text, fits)
    lines = [line for line in _delimited(path, text, delimiter) if line[0] > begins]
    if not lines:
        raise CorpusError(f"{path}: is empty; expected a header line")
    number, header = lines[0]
    for name in header:
        if name and header.count(name) > 1:
            raise CorpusError(f"{path}, line {number}: two columns are named {name!r}; keep one")
    for line, cells in lines[1:]:
        if len(cells) != len(header):
            raise CorpusError(
                f"{path}, line {line}: {len(cells)} cells where the header has {len(header)};"
                " quote cells that hold the delimiter"
            )
    rows = tuple(Row(line, dict(zip(header, cells, strict=True))) for line, cells in lines[1:])
    return Table(tuple(header), rows)


def read_header(path: Path, *, fits: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """Return the columns that a table's first line names; empty where it cannot be read.

    Args:
        path: A file with the suffix of a table.
        fits: As in `read_table`.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        text = _beginning(head)
        if path.suffix.lower() == ".jsonl":
            first = next(_json_rows(path, text.lstrip().split("\n")[0]), None)
            return tuple(first.cells) if first else ()
        delimiter, begins = _delimiter(path, text, fits)
        lines = (cells for line, cells in _delimited(path, text, delimiter) if line > begins)
        return tuple(next(lines, []))
    except (OSError, UnicodeError, CorpusError):
        return ()


def _beginning(head: bytes) -> str:
    """Decode a file's first bytes, which may end within a letter."""
    encoding = "utf-16" if head.startswith(_WIDE) else "utf-8-sig"
    return codecs.getincrementaldecoder(encoding)().decode(head)


def _delimiter(
    path: Path, text: str, fits: Callable[[Sequence[str]], bool] | None
) -> tuple[str, int]:
    """Return the delimiter, and how many lines are before the header."""
    said = re.match(r"sep=(.)\r?\n", text)  # Excel's own hint
    if said:
        return said[1], 1
    own = DELIMITERS[path.suffix.lower()]
    for delimiter in dict.fromkeys((own, *OTHERS)) if fits else ():
        try:
            _, header = next(_delimited(path, text, delimiter), (0, []))
        except CorpusError:
            continue
        if fits and fits(header):
            return delimiter, 0
    return own, 0


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror})") from error
    return _decoded(path, data)


def _decoded(path: Path, data: bytes) -> str:
    if word := placeholder(data):
        raise CorpusError(f"{path}: {word}")
    wide = data.startswith(_WIDE)
    encoding = "utf-16" if wide else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        name = "UTF-16" if wide else "UTF-8"
        raise CorpusError(f"{path}, line {line}: is not {name}; save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CorpusError(f"{path}, line {line}: holds a NUL byte; save the file as UTF-8")
    return text


def _delimited(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    once: dict[str, str] = {}  # a speaker's name in a million rows is one string
    try:
        for cells in reader:
            stripped = [once.setdefault(cell, cell) for cell in map(str.strip, cells)]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1  # a quoted cell may span lines: a row begins after the last
    except csv.Error as error:
        raise CorpusError(f"{path}, line {line}: cannot be read as a table ({error})") from error


def _json_rows(path: Path, text: str) -> Iterator[Row]:
    once: dict[str, str] = {}
    for line, source in enumerate(text.split("\n"), start=1):
        if not source.strip():
            continue
        try:
            record = json.loads(source)
            json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{path}, line {line}: is not JSON ({error})") from error
        if not isinstance(record, dict):
            raise CorpusError(f"{path}, line {line}: expected an object, such as {{'file': ...}}")
        cells: dict[str, str] = {}
        for name, value in record.items():
            if isinstance(value, dict | list):
                raise CorpusError(f"{path}, line {line}: {name!r} is nested; expected one value")
            if isinstance(value, str):
                cell = value.strip()
            else:
                cell = "" if value is None or value != value else json.dumps(value)
            column = name.strip()
            cells[once.setdefault(column, column)] = once.setdefault(cell, cell)
        yield Row(line, cells)
