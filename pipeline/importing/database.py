"""What an audformat database says of its utterances: `db.yaml`, and tables of labels beside it.

    schemes:  speaker: {dtype: int, labels: {3: {gender: male}, ...}}
    tables:   emotion: {type: filewise, columns: {emotion: {scheme_id: emotion}}}   db.emotion.csv
              files:   {type: filewise, columns: {speaker: {scheme_id: speaker}}}   db.files.parquet

Read here, and not by the library of that name, with which the tests write theirs. It runs what is
in a pickle that lies beside a table, and tags of the header; and where files and their segments are
both labelled, it may give a segment the speaker of another file (1.4.3, where the segments of a
file do not lie together).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gensr.estimator.errors import one_line
from gensr.features.audio.segments import file_of
from gensr.features.corpora.columns import field_of
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.listed import manifest_in
from gensr.features.corpora.tables import Row
from gensr.pipeline.importing.cells import cell_of, read_columns
from gensr.pipeline.importing.parts import named_parts

HEADER = "db.yaml"
_LIKE = re.compile(rb"^name:.*^(?:schemes|tables):|^(?:schemes|tables):.*^name:", re.M | re.S)
_SUFFIXES = (".parquet", ".csv")
_SURE = ("emotion", "speaker", "split")
"""What tables may not contradict each other about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The labels of a database, a row an utterance."""

    name: str
    columns: Mapping[str, str]
    """By what a manifest calls it (`file`, `emotion`, ...) the column of it."""
    names: tuple[str, ...]
    """All columns."""
    rows: tuple[Row, ...]
    """Of the utterances that have an emotion, or, where nothing is called so, of all; a part of a
    file is called as such, `talk.wav#t=1.5,4`."""
    notes: tuple[str, ...]
    """What is not among them, and why."""


def database_at(place: Path) -> Path | None:
    """The folder of a database, given that or its header; None where there is none.

    A manifest in the folder comes before, and a `db.yaml` of something else is none.
    """
    folder = place.parent if place.name == HEADER and place.is_file() else place
    header = folder / HEADER
    if not header.is_file() or manifest_in(folder) is not None:
        return None
    try:
        return folder if _LIKE.search(header.read_bytes()) else None
    except OSError as error:
        raise CorpusError(f"{header}: cannot be read ({error.strerror})") from error


def database_of(table: Path) -> Path | None:
    """The folder of the database that a file is a table of; None where it is of none."""
    return database_at(table.parent) if table.name.startswith("db.") else None


def read_database(folder: Path) -> Database:
    """Read what all tables say, by utterance.

    Args:
        folder: as `database_at` gives it.

    Raises:
        CorpusError: the header or a table cannot be read, or tables contradict each other about an
            emotion, a speaker or a split.
    """
    header = _header(folder / HEADER)
    told = _Told(folder / HEADER)
    schemes, tables = _inside(header, "schemes"), _inside(header, "tables")
    meant, skipped = _meant(schemes, tables)
    for table, columns in meant.items():
        of = tables[table]
        values = _read(folder, table, columns, segmented=of.get("type") == "segmented")
        for column, (name, scheme) in columns.items():
            labels = _labels(folder, header, scheme)
            for entry, cell in zip(values.entries, values.columns[column], strict=True):
                told.add(name, entry, cell, labels.get(cell))
        if "split_id" in of:
            told.split(values.entries, str(of["split_id"]), _inside(header, "splits"))
    return told.database(str(header.get("name") or folder.name), skipped, sorted(schemes))


class _Told:
    """By column and utterance, what was said; the first of contradicting ones is kept."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.said: dict[str, dict[str, str]] = {}
        self.clashes: dict[str, tuple[str, str, str]] = {}
        self.notes: dict[str, None] = {}

    def add(self, name: str, entry: str, cell: str, label: Any) -> None:
        """Say a cell of an utterance, and what its label stands for.

        Args:
            name: the column's.
            entry: the utterance, a file or a part of one.
            cell: empty where nothing is said.
            label: text in the cell's place, columns of it, or None.
        """
        if isinstance(label, Mapping):
            for key, inner in label.items():
                self.put(_called(name, str(key)), entry, cell_of(inner))
        elif label is not None:
            cell = cell_of(label)
        self.put(name, entry, cell)

    def put(self, name: str, entry: str, cell: str) -> None:
        """Say a cell, unless it is empty."""
        if cell and (had := self.said.setdefault(name, {}).setdefault(entry, cell)) != cell:
            self.clashes.setdefault(name, (entry, had, cell))

    def split(self, entries: Iterable[str], name: str, splits: Mapping[str, Any]) -> None:
        """Say the split of a table."""
        of = splits.get(name)
        kind = str(of.get("type", "other")) if isinstance(of, Mapping) else "other"
        if kind == "other":
            self.notes[f"{HEADER}: the split {name!r} is no train, dev or test: left out"] = None
        else:
            for entry in entries:
                self.put("split", entry, kind)

    def database(self, name: str, skipped: Iterable[str], schemes: Iterable[str]) -> Database:
        """All of it as rows.

        Raises:
            CorpusError: nothing was said, or what must not be contradictory is.
        """
        if not self.said:
            raise CorpusError(f"{self.place}: an audformat database whose tables label nothing")
        for what, (entry, one, other) in self.clashes.items():
            if what in _SURE:
                raise CorpusError(
                    f"{self.place}: {what} of {entry} is {one!r} and {other!r}, by tables or "
                    "raters that differ; give one table with file, emotion, speaker, ..."
                )
            self.notes[f"{HEADER}: {what!r} has several values for {entry}: left out"] = None
        every = dict.fromkeys(entry for said in self.said.values() for entry in said)
        entries = list(self.said.get("emotion", every))
        if "emotion" not in self.said:
            has = ", ".join(schemes) or "none"
            self.notes[f"{HEADER}: no scheme or column for the emotion (schemes: {has})"] = None
        columns: dict[str, list[str]] = {"file": entries}
        for what, said in self.said.items():
            cells = [said.get(entry) or said.get(file_of(entry), "") for entry in entries]
            if not any(cells):
                self.notes[f"{HEADER}: {what!r} is told of none of the utterances: left out"] = None
            elif what not in self.clashes:
                columns[what] = cells
        rows = zip(*columns.values(), strict=True)
        return Database(
            name=name,
            columns={what: what for what in columns if field_of(what) == what},
            names=tuple(columns),
            rows=tuple(
                Row(number, dict(zip(columns, cells, strict=True)))
                for number, cells in enumerate(rows, 1)
            ),
            notes=(*skipped, *self.notes),
        )


def _called(scheme: str, key: str) -> str:
    """The column of what a label tells of itself: somebody else's gender is not the speaker's."""
    usual = field_of(key)
    if scheme != "speaker" or usual not in (None, "gender"):
        return f"{scheme}.{key}"
    return usual or key


def _header(place: Path) -> Mapping[str, Any]:
    """The header as plain YAML: tags that would make objects are refused."""
    try:
        import yaml  # an extra, and slow to import
    except ImportError as error:
        raise CorpusError(
            f"{place}: the header of an audformat database needs PyYAML; install gensr[tables]"
        ) from error
    try:
        found = yaml.load(place.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CorpusError(f"{place}: is no plain YAML ({one_line(error)})") from error
    if not isinstance(found, Mapping):
        raise CorpusError(f"{place}: is no header of an audformat database")
    return found


def _inside(header: Mapping[str, Any], key: str) -> Mapping[str, Mapping[str, Any]]:
    """A part of the header: things by name, each with its own settings."""
    found = header.get(key) or {}
    if not isinstance(found, Mapping) or not all(isinstance(x, Mapping) for x in found.values()):
        raise CorpusError(f"{HEADER}: {key!r} are no things by name; mend the header")
    return {str(name): value for name, value in found.items()}


Meant = Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]]
"""By table and column, what the column is called here, and its scheme."""


def _meant(
    schemes: Mapping[str, Mapping[str, Any]], tables: Mapping[str, Mapping[str, Any]]
) -> tuple[Meant, list[str]]:
    """Which columns say something, and notes on those that are called as another is.

    Those are the ones with a usual name, their own or their scheme's, and all with a scheme that
    is of no fractions. A table of a split is among them without any column.
    """
    found: dict[str, dict[str, tuple[str, Mapping[str, Any]]]] = {}
    every = list(_columns(tables))
    exact = {name for _, column, scheme in every for name in (column, scheme)}
    notes: dict[str, None] = {}
    for table, column, scheme in every:
        named = [name for name in (column, scheme) if name]
        usual = next((field for field in map(field_of, named) if field), None)
        if usual and usual in exact and usual not in named:
            notes[f"{HEADER}: {column!r} is kept as it is, {usual!r} is the {usual}"] = None
            usual = None
        of = schemes.get(scheme, {})
        if usual == "file" or (not usual and (not scheme or of.get("dtype") == "float")):
            continue
        found.setdefault(table, {})[column] = (usual or scheme, of)
    for table, settings in tables.items():
        if "split_id" in settings:
            found.setdefault(table, {})
    return found, list(notes)


def _columns(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Table, column and scheme; no scheme is empty."""
    for table, settings in tables.items():
        for column, of in _inside(settings, "columns").items():
            yield table, column, str(of.get("scheme_id") or "")


def _labels(
    folder: Path, header: Mapping[str, Any], scheme: Mapping[str, Any]
) -> Mapping[str, Any]:
    """By label what it stands for, text or columns: from the scheme, or a table of its own."""
    labels = scheme.get("labels")
    if isinstance(labels, Mapping):
        return {cell_of(label): meaning for label, meaning in labels.items()}
    if not isinstance(labels, str):
        return {}
    columns = _inside(_inside(header, "misc_tables").get(labels, {}), "columns")
    levels = _inside(header, "misc_tables").get(labels, {}).get("levels") or {}
    if len(levels) != 1:
        raise CorpusError(f"{folder / HEADER}: the labels {labels!r} are no table by one level")
    (level,) = map(str, levels)
    read = read_columns(_file(folder, labels), (level, *columns))
    rows = zip(*(read[name] for name in columns), strict=True) if columns else ()
    return {
        label: dict(zip(columns, cells, strict=True))
        for label, cells in zip(read[level], rows, strict=bool(columns))
    }


@dataclass(frozen=True, slots=True)
class _Values:
    entries: list[str]
    columns: dict[str, list[str]] = field(default_factory=dict)


def _read(folder: Path, table: str, columns: Iterable[str], *, segmented: bool) -> _Values:
    """Utterances of a table, and what some of its columns say of them."""
    file, times = _file(folder, table), ("start", "end") if segmented else ()
    found = read_columns(file, ("file", *times, *columns))
    rows = [Row(n, {"file": name}) for n, name in enumerate(found.pop("file"), 1)]
    parts = {name: found.pop(name) for name in times}
    named, _ = named_parts(file, parts, rows, "file", always=True)
    return _Values([row.cells["file"] for row in named], found)


def _file(folder: Path, table: str) -> Path:
    """The file of a table; a pickle is none."""
    files = [folder / f"db.{table}{suffix}" for suffix in _SUFFIXES]
    for file in files:
        if file.parent == folder and file.is_file():
            return file
    raise CorpusError(
        f"{folder}: no db.{table}.csv or .parquet (a pickle is not opened); save the database "
        "anew, or give one table with file, emotion, speaker, ..."
    )
