"""What an audformat database says of its utterances: a header, `db.yaml`, and tables of labels.

Labels of one utterance lie in several tables, or under what a label stands for (a speaker's
gender); the audformat library finds them. What it would run is kept from it: its header is read
as plain YAML, and of tables that are pickled beside, as its cache has them, the CSV or parquet is
read.
"""

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gensr.estimator.errors import one_line
from gensr.features.corpora.columns import columns_of
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.tables import Row
from gensr.pipeline.importing.parts import named_parts

HEADER = "db.yaml"
Notes = tuple[str, ...]
_PLAIN = (".parquet", ".csv")
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError, OSError)
"""What the library raises at a header or a table that is none."""


def is_database(folder: Path) -> bool:
    """Whether an audformat database lies in a folder."""
    return (folder / HEADER).is_file()


def is_table_of(file: Path) -> bool:
    """Whether a file is a table of the database that it lies in."""
    return file.name.startswith("db.") and is_database(file.parent)


def read_database(folder: Path) -> tuple[tuple[str, ...], tuple[Row, ...], Notes]:
    """Columns and rows of a database's labels, a row an utterance, and notes.

    Args:
        folder: that `is_database`.

    Returns:
        `file`, `split` where a table is of one, and every scheme, column and label of a label that
        holds no fractions; rows are of the utterances that have an emotion, or, where nothing is
        called so, of those that have the first of them. One of a file with several names its part.
        Notes tell what was left out because an utterance has several.

    Raises:
        CorpusError: the header or a table cannot be read, or two tables contradict each other.
    """
    try:
        import audformat  # an extra, and slow to import
        import yaml
    except ImportError as error:
        raise CorpusError(
            f"{folder}: is an audformat database, which needs the library of that name; install "
            "gensr[audformat], or give one table with file, emotion, speaker, ..."
        ) from error
    place = folder / HEADER
    try:
        with warnings.catch_warnings(), place.open(encoding="utf-8") as file:
            warnings.simplefilter("ignore", DeprecationWarning)  # the library's, of pandas
            db = audformat.Database.load_header_from_yaml(yaml.safe_load(file))
            names = _names(db)
            _load(db, folder, names)
            labels, notes = _labels(db, names, columns_of(place, ("file", *names)))
            rows = _rows(place, labels, _splits(db))
    except yaml.YAMLError as error:
        raise CorpusError(f"{place}: is no plain YAML ({one_line(error)})") from error
    except _BROKEN as error:
        raise CorpusError(
            f"{folder}: cannot be read as an audformat database ({one_line(error)}); mend it, or "
            "give one table with file, emotion, speaker, ..."
        ) from error
    return (*rows, notes)


def _labels(db: Any, names: Sequence[str], fields: Mapping[str, str]) -> tuple[Any, Notes]:
    """A frame of the utterances that have an emotion, and which columns were left out of it.

    Raises:
        ValueError: tables, or raters, contradict each other about what a clip is known by.
    """
    asked = fields.get("emotion", names[0])
    labels, notes = db.get(asked), []
    for name in (name for name in names if name != asked):
        try:
            with_it = db.get(asked, [name])
        except ValueError:
            if name in fields.values():
                raise
            notes.append(f"{HEADER}: {name!r} has several values for one utterance: left out")
            continue
        if len(with_it) == len(labels) and with_it.index.equals(labels.index):
            labels[name] = with_it[name]
        else:
            notes.append(f"{HEADER}: {name!r} is of other parts of files than {asked!r}: left out")
    return labels, tuple(notes)


def _names(db: Any) -> list[str]:
    """What can be asked of: schemes, columns without one, and what labels tell of themselves."""
    names: dict[str, None] = {}
    for name, scheme in db.schemes.items():
        if scheme.dtype == "float":
            continue
        names[name] = None
        if isinstance(scheme.labels, Mapping):
            told = [label for label in scheme.labels.values() if isinstance(label, Mapping)]
            names |= dict.fromkeys(str(key) for label in told for key in label)
        elif scheme.uses_table:
            names |= dict.fromkeys(db.misc_tables[scheme.labels].columns)
    for table in db.tables.values():
        plain = [name for name, column in table.columns.items() if column.scheme_id is None]
        names |= dict.fromkeys(columns_of(Path(HEADER), ("file", *plain)).values())
    names.pop("file", None)
    if not names:
        raise CorpusError(f"{db.name}: an audformat database without schemes; it labels nothing")
    return list(names)


def _load(db: Any, folder: Path, names: Iterable[str]) -> None:
    """Read the tables that may hold what is asked for, from plain copies.

    Raises:
        CorpusError: there is no plain file of one.
    """
    asked = set(names)
    with tempfile.TemporaryDirectory() as kept:
        for name, table in [*db.misc_tables.items(), *db.tables.items()]:
            columns = table.columns.items()
            if not any(key in asked or column.scheme_id in asked for key, column in columns):
                continue
            files = [folder / f"db.{name}{suffix}" for suffix in _PLAIN]
            found = next((file for file in files if file.is_file()), None)
            if found is None or found.parent != folder:
                raise CorpusError(
                    f"{folder}: no db.{name}.csv or .parquet (a pickle is not opened); save the "
                    "database anew, or give one table with file, emotion, speaker, ..."
                )
            shutil.copyfile(found, Path(kept) / found.name)
            table.load(str(Path(kept) / f"db.{name}"))


def _splits(db: Any) -> dict[Any, str]:
    """The split of each entry of a table that is of one."""
    found: dict[Any, str] = {}
    for name, table in db.tables.items():
        if table.split_id is None or not len(table.df.columns):
            continue
        kind = str(db.splits[table.split_id].type)
        for entry in table.index:
            if found.setdefault(entry, kind) != kind:
                raise ValueError(f"{entry} is in two splits, of which {name} is one")
    return found


def _rows(
    place: Path, labels: Any, splits: Mapping[Any, str]
) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """A frame by `file`, or by `file`, `start` and `end`, as rows."""
    parted = labels.index.nlevels > 1
    names = ("file", *(("split",) if splits else ()), *map(str, labels.columns))
    columns: Sequence[Sequence[Any]] = [labels[name].tolist() for name in labels.columns]
    rows = []
    for number, (entry, *cells) in enumerate(zip(labels.index, *columns, strict=True)):
        file = entry[0] if parted else entry
        told = {"split": splits.get(entry, splits.get(file, ""))} if splits else {}
        told |= {str(name): _cell(cell) for name, cell in zip(labels.columns, cells, strict=True)}
        rows.append(Row(number + 1, {"file": str(file), **told}))
    if parted:
        times = {name: list(labels.index.get_level_values(name)) for name in ("start", "end")}
        rows, _ = named_parts(place, times, rows, "file")
    return names, tuple(rows)


def _cell(value: Any) -> str:
    return "" if value is None or value != value else str(value).strip()
