"""A table of features, a row an utterance: parquet, CSV or TSV, as pandas and audformat write it.

    file,emotion,speaker,F0_mean,F0_sd,...        columns of numbers: one layer
    file,emotion,speaker,embedding                lists of numbers: a layer a column, x1 last
    file,start,end,F0_mean,...                    parts of files, as openSMILE's Python writes them

Columns of fractions (or of lists) are features; what names a file, a speaker, a label or a time is
not; whole numbers and text go along as columns of the clip table. A choice of one's own is given
by patterns.
"""

import hashlib
import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.features.corpora.columns import columns_of
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.tables import Row
from gensr.pipeline.importing.cells import arrow, cell_of, reading, texts
from gensr.pipeline.importing.given import Given, Vectors, sound
from gensr.pipeline.importing.parts import TIMES, named_parts
from gensr.pipeline.importing.told import clips_of

SUFFIXES = (".parquet", ".csv", ".tsv")


def read_features(
    path: Path, patterns: Sequence[str] = (), *, labelled: bool = True, parts: bool = False
) -> Given:
    """Read a table whole.

    Args:
        path: of one of `SUFFIXES`.
        patterns: which columns are features, as in a shell (`F0*`); none: see above.
        labelled: whether its other columns say what the utterances are.
        parts: whether a row that has times is of a part, also where its file has no other.

    Raises:
        CorpusError: it cannot be read, has no features, or names no files.
    """
    table = _table(path)
    names = list(table.column_names)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CorpusError(f"{path}: two columns are called {twice!r}; rename one")
    chosen, lists, left = _chosen(path, table, patterns)
    own = [name for name in names if name not in chosen and name not in TIMES]
    x = _lists(path, table, chosen) if lists else _numbers(table, chosen)
    rows = [
        Row(number + 2, dict(zip(own, map(cell_of, cells), strict=True)))
        for number, cells in enumerate(zip(*(table[name].to_pylist() for name in own), strict=True))
    ]
    times = {name: texts(table[name]) for name in TIMES if name in names}
    rows, seconds = named_parts(path, times, rows, columns_of(path, own)["file"], always=parts)
    if not labelled:
        file = columns_of(path, own)["file"]
        own, rows = [file], [Row(row.line, {file: row.cells[file]}) for row in rows]
    clips, problems, notes = clips_of(path, own, rows)
    place = {row.cells[columns_of(path, own)["file"]]: n for n, row in reversed([*enumerate(rows)])}
    layers, width = x.shape[1:]

    def read(name: str) -> Vectors:
        return sound(x[place[name]], layers, width)

    listed = f"{len(chosen)} of features, {chosen[0]}{f' to {chosen[-1]}' if chosen[1:] else ''}"
    told = [f"{path.name}: {len(names)} columns, {listed}"]
    if left:
        told.append(f"{path.name}: whole numbers, taken for no features: {_few(left)} (--columns)")
    return Given(
        names=tuple(clip.path for clip in clips),
        read=read,
        layers=tuple(chosen) if lists and layers == len(chosen) else _numbered(layers),
        width=width,
        identity={
            "source": "table",
            "columns": len(chosen),
            "columns_sha256": hashlib.sha256(json.dumps(chosen).encode()).hexdigest(),
        },
        clips=clips,
        seconds={clip.path: seconds[place[clip.path]] for clip in clips},
        problems=problems,
        notes=(*told, *notes),
    )


def _numbered(layers: int) -> tuple[str, ...]:
    return (*map(str, range(layers - 1)), "last")


def _table(path: Path) -> Any:
    from_csv, from_parquet = arrow(path)
    with reading(path):
        if path.suffix.lower() == ".parquet":
            return from_parquet.read_table(path)
        between = "\t" if path.suffix.lower() == ".tsv" else ","
        options = from_csv.ParseOptions(delimiter=between, newlines_in_values=True)
        guessed = from_csv.read_csv(path, parse_options=options)
        # A name is what is written: 0012 is not 12, and 1e5 no number.
        written = dict.fromkeys(_written(path, guessed), "string")
        as_written = from_csv.ConvertOptions(column_types=written)
        return from_csv.read_csv(path, parse_options=options, convert_options=as_written)


def _written(path: Path, table: Any) -> list[str]:
    """Columns of a CSV table that are names or labels, whatever they look like.

    Raises:
        CorpusError: a column has no name, or a cell is no UTF-8.
    """
    from pyarrow import types

    if "" in table.column_names:
        number = table.column_names.index("") + 1
        raise CorpusError(
            f"{path}: column {number} has no name, as pandas writes an index; name it, or write "
            "the table without (to_csv(index=False))"
        )
    for field in table.schema:
        if types.is_binary(field.type):
            raise CorpusError(f"{path}: the column {field.name!r} is no UTF-8; write it as such")
    return list(columns_of(path, list(table.column_names)).values())


def _chosen(path: Path, table: Any, patterns: Sequence[str]) -> tuple[list[str], bool, list[str]]:
    """Which columns are features, whether they are lists, and which whole numbers are none."""
    from pyarrow import types

    kinds = {field.name: field.type for field in table.schema}
    numeric = [
        name for name, kind in kinds.items() if types.is_floating(kind) or types.is_integer(kind)
    ]
    listed = [name for name, kind in kinds.items() if _is_list(kind)]
    if patterns:
        found = [name for name in kinds if any(fnmatchcase(name, one) for one in patterns)]
        if wrong := [name for name in found if name not in (*numeric, *listed)]:
            raise CorpusError(f"{path}: the column {wrong[0]!r} holds no numbers; narrow --columns")
        lists = [name for name in found if name in listed]
        if lists and len(lists) < len(found):
            raise CorpusError(f"{path}: --columns names lists and single numbers; name either")
        left: list[str] = []
    else:
        lists = listed
        named = [name for name in kinds if name not in listed]
        fields = {*columns_of(path, named).values(), *TIMES}
        numbers = [name for name in numeric if name not in fields]
        found = lists or [name for name in numbers if types.is_floating(kinds[name])]
        left = [name for name in numbers if name not in found]
    if not found:
        raise CorpusError(
            f"{path}: no column of features (columns: {_few(list(kinds))}); name them by --columns"
        )
    return found, bool(lists), left


def _numbers(table: Any, chosen: Sequence[str]) -> NDArray[Any]:
    """Columns of numbers as one layer, (N, 1, L); a missing one is NaN."""
    columns = [table[name].to_numpy().astype(np.float64) for name in chosen]
    return np.stack(columns, -1)[:, None]


def _lists(path: Path, table: Any, chosen: Sequence[str]) -> NDArray[Any]:
    """Columns of lists as a layer each, or one of lists of lists, (N, K+1, L).

    In the numbers' own type: a list of Python's takes sixteen times as much.
    """
    if not len(table):
        raise CorpusError(f"{path}: holds no row")
    blocks = [_block(path, name, table[name]) for name in chosen]
    if len(blocks) == 1 and blocks[0].ndim == 3:
        return blocks[0]
    for name, block in zip(chosen, blocks, strict=True):
        if block.ndim != 2:
            raise CorpusError(f"{path}: {name!r} holds lists of lists beside another column; drop")
        if block.shape != blocks[0].shape:
            raise CorpusError(
                f"{path}: the lists of {name!r} have {block.shape[1]} numbers, those of "
                f"{chosen[0]!r} {blocks[0].shape[1]}; choose layers of one width by --columns"
            )
    return np.stack(blocks, 1)


def _block(path: Path, name: str, column: Any) -> NDArray[Any]:
    """A column of lists (of lists) as one array, chunk by chunk: Arrow joins no more than 2**31.

    Raises:
        CorpusError: a row has no list, or one of another length than the first; or they hold no
            numbers.
    """
    parts: list[NDArray[Any]] = []
    for chunk in column.chunks:
        if not len(chunk):
            continue
        part = _even(chunk)
        if part is None or (parts and part.shape[1:] != parts[0].shape[1:]):
            row = _odd_row(column)
            raise CorpusError(
                f"{path}, row {row + 1}: the list of {name!r} is missing, holds no numbers, or is "
                "not as long as that of the first row; mend the table"
            )
        parts.append(part)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _even(lists: Any) -> NDArray[Any] | None:
    """Lists (of lists) that are all as long, as one array; None: they are not, or of no numbers."""
    from pyarrow import compute, types

    shape = [len(lists)]
    while _is_list(lists.type):
        lengths = compute.unique(compute.list_value_length(lists))
        if lists.null_count or len(lengths) != 1 or not lengths[0].as_py():
            return None
        shape.append(lengths[0].as_py())
        lists = lists.flatten()
    if not (types.is_floating(lists.type) or types.is_integer(lists.type)) or len(shape) > 3:
        return None
    values: NDArray[Any] = lists.to_numpy(zero_copy_only=False)
    return values.reshape(shape)


def _odd_row(column: Any) -> int:
    """The first row whose list is none of numbers, or not of the first row's shape."""
    first: tuple[int, ...] = ()
    for number, cell in enumerate(column):
        try:
            block = np.array(cell.as_py(), dtype=np.float64)
        except (TypeError, ValueError):
            return number
        first = first or block.shape
        if not block.ndim or not block.size or block.shape != first:
            return number
    return 0


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _few(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f", ... ({len(names)})" if len(names) > most else "")
