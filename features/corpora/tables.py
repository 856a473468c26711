"""Read the tables that come with corpora: CSV, TSV, JSON Lines; strictly, errors with their line.

A cell that slips by one column labels a clip wrongly and says nothing, so a row whose number of
cells differs from the header's is an error, never padded or cut.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gensr.estimator.errors import CorpusError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
TABLE_SUFFIXES: tuple[str, ...] = (*DELIMITERS, ".jsonl")


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


def read_table(path: Path) -> Table:
    """Read a table, its format told by its suffix: `.csv`, `.tsv` or `.jsonl`.

    The encoding is UTF-8, with or without a byte order mark. Header and cells lose surrounding
    space; empty lines count for nothing. Every row has every column: in JSON Lines a key that
    a row lacks is the empty string.

    Args:
        path: The file.

    Raises:
        CorpusError: It cannot be read; the message names the file and the line.
    """
    text = _text(path)
    if path.suffix.lower() == ".jsonl":
        rows = tuple(_json_rows(path, text))
        columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
        blank = dict.fromkeys(columns, "")
        return Table(columns, tuple(Row(row.line, blank | dict(row.cells)) for row in rows))
    lines = list(_delimited(path, text, DELIMITERS[path.suffix.lower()]))
    if not lines:
        raise CorpusError(f"{path}: is empty; expected a header line")
    _, header = lines[0]
    for name in header:
        if name and header.count(name) > 1:
            raise CorpusError(f"{path}, line 1: two columns are named {name!r}; keep one")
    for line, cells in lines[1:]:
        if len(cells) != len(header):
            raise CorpusError(
                f"{path}, line {line}: {len(cells)} cells where the header has {len(header)};"
                " quote cells that hold the delimiter"
            )
    rows = tuple(Row(line, dict(zip(header, cells, strict=True))) for line, cells in lines[1:])
    return Table(tuple(header), rows)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{path}, line {line}: is not UTF-8; save the file as UTF-8") from error


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
                cell = "" if value is None else json.dumps(value)
            column = name.strip()
            cells[once.setdefault(column, column)] = once.setdefault(cell, cell)
        yield Row(line, cells)
