"""The header of an audformat database, `db.yaml`: found, and read as what it is, plain YAML.

schemes:  speaker: {dtype: int, labels: {3: {gender: male}, ...}}
tables:   emotion: {type: filewise, columns: {emotion: {scheme_id: emotion}}}   db.emotion.csv
files:   {type: filewise, columns: {speaker: {scheme_id: speaker}}}   db.files.parquet
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gensr.estimator.errors import one_line
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.listed import manifest_in
from gensr.features.corpora.names import odd
from gensr.features.media.magic import HEAD, placeholder

HEADER = "db.yaml"
_SUFFIXES = (".parquet", ".csv")
_DEEP = 1000
"""Brackets in brackets that the fast reader is trusted with: it has no end to its recursion."""

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Header:
    """What stands in the header of a database."""

    folder: Path
    content: Settings

    @property
    def name(self) -> str:
        """The database's own, or that of its folder."""
        name = str(self.content.get("name") or "").strip()
        return self.folder.name if not name or odd(name) else name

    @cached_property
    def schemes(self) -> Mapping[str, Settings]:
        """By name."""
        return self.inside("schemes", self.content)

    @cached_property
    def tables(self) -> Mapping[str, Settings]:
        """Those of utterances."""
        return self.inside("tables", self.content)

    def columns(self) -> Iterator[tuple[str, str, str]]:
        """Table, column and scheme of each column; no scheme is empty."""
        for table, settings in self.tables.items():
            for column, of in self.inside("columns", settings).items():
                yield table, column, str(of.get("scheme_id") or "")

    def split(self, table: str) -> str:
        """The type of a table's split, empty where it is of none."""
        name = self.tables[table].get("split_id")
        of = self.inside("splits", self.content).get(str(name), {})
        return "" if name is None else str(of.get("type") or "other")

    def labels_of(self, table: str) -> tuple[str, str, Mapping[str, Settings]]:
        """The level of a table of labels, its type (or nothing), and its columns.

        Raises:
            CorpusError: there is no such table, or it has not one level.
        """
        found = self.inside("misc_tables", self.content).get(table, {})
        levels = found.get("levels")
        if not isinstance(levels, Mapping | list) or len(levels) != 1:
            raise CorpusError(f"{self.place}: the labels {table!r} are no table by one level")
        (level,) = levels
        dtype = levels[level] if isinstance(levels, Mapping) else None
        return str(level), str(dtype or ""), self.inside("columns", found)

    def inside(self, key: str, of: Settings) -> Mapping[str, Settings]:
        """Things by name, each with settings of its own.

        Raises:
            CorpusError: they are something else.
        """
        found = of.get(key) or {}
        if isinstance(found, Mapping) and all(isinstance(x, Mapping) for x in found.values()):
            return {str(name): value for name, value in found.items()}
        raise CorpusError(f"{self.place}: {key!r} are no settings by name; mend the header")

    def file(self, table: str) -> Path:
        """The file of a table; a pickle is none.

        Raises:
            CorpusError: there is none.
        """
        for file in (self.folder / f"db.{table}{suffix}" for suffix in _SUFFIXES):
            if file.parent == self.folder and file.is_file():
                return file
        raise CorpusError(
            f"{self.folder}: no db.{table}.csv or .parquet (a pickle is not opened); save the "
            "database anew, or give one table with file, emotion, speaker, ..."
        )

    @property
    def place(self) -> Path:
        """The header's own."""
        return self.folder / HEADER


def header_at(place: Path) -> Header | None:
    """The header of a database, given it or its folder; None where there is none.

    A manifest in the folder comes first, and a `db.yaml` of something else is none.

    Raises:
        CorpusError: it cannot be read.
    """
    given = place.name == HEADER
    folder = place.parent if given else place
    file = folder / HEADER
    if not os.path.lexists(file) or file.is_dir() or (not given and manifest_in(folder)):
        return None
    if not file.is_file():
        raise CorpusError(f"{file}: is no file that can be read; mend it, or move it away")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CorpusError(f"{file}: cannot be read ({error.strerror})") from error
    if why := placeholder(data[:HEAD]):
        raise CorpusError(f"{file}: is {why}")
    content = _read(file, data)
    known = isinstance(content, Mapping) and "name" in content
    return Header(folder, content) if known and content.keys() & {"schemes", "tables"} else None


def header_of(table: Path) -> Header | None:
    """The header of the database that a file is a table of; None where it is of none."""
    return header_at(table.parent) if table.name.startswith("db.") else None


def _read(file: Path, data: bytes) -> Any:
    """YAML without tags that would make objects."""
    try:
        import yaml  # an extra, and slow to import
    except ImportError as error:
        raise CorpusError(
            f"{file}: the header of an audformat database needs PyYAML; install gensr[tables]"
        ) from error
    marks = np.frombuffer(data, np.uint8)
    opened = np.isin(marks, [*b"[{"]).astype(int) - np.isin(marks, [*b"]}"])
    deep = len(data) > 0 and opened.cumsum().max() >= _DEEP
    safe = yaml.SafeLoader if deep else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = safe(data)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CorpusError(f"{file}: is no plain YAML ({one_line(error)})") from error
