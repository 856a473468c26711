"""The clips of several stores, or corpora, as one table: what protocols are made on.

Shapes: N clips.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.features.corpora.spelling import joined_columns
from gensr.features.store.errors import StoreError
from gensr.features.store.schema import COLUMN_DTYPES, LABEL_COLUMNS

Tables = Sequence[tuple[str, Mapping[str, NDArray[Any]]]]
"""Of each place: what it is called, and its columns."""


def one_table(
    tables: Tables, *, prefixes: Sequence[str] | None = None, join: bool = True
) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """One table of all clips, in order.

    Args:
        tables: at least one.
        prefixes: one per table, to go before its paths with a colon; None: corpora's names do,
            where two have the same path.
        join: whether spellings of one label become one, over all tables; gensr 0.1.0 did not.

    Returns:
        Columns of text, (N,) each, `path` unique and unknown values empty; and what was done to
        them, one line each.

    Raises:
        StoreError: two places hold one clip.
    """
    sizes = [len(columns["path"]) for _, columns in tables]
    table, labels = {}, {}
    for name in sorted({name for _, columns in tables for name in columns}):
        parts: list[str] = []
        for (_, columns), size in zip(tables, sizes, strict=True):
            values = columns[name].tolist() if name in columns else [""] * size
            parts.extend(map(str, values))
        table[name] = _as_text(parts)
        if name in LABEL_COLUMNS or name not in COLUMN_DTYPES:
            labels[name] = parts
    notes: tuple[str, ...] = ()
    if join:  # each scan has joined its own; `Angry` of one store and `angry` of another are left
        changed, notes = joined_columns(labels, own=LABEL_COLUMNS)
        table |= {name: _as_text(parts) for name, parts in changed.items()}
    if prefixes is not None:
        pairs = zip(np.repeat(prefixes, sizes), table["path"], strict=True)
        table["path"] = np.array([f"{name}:{path}" for name, path in pairs], dtype=object)
    elif len(tables) > 1:
        holders = np.repeat([place for place, _ in tables], sizes)
        table["path"] = _clip_names(table["corpus"], table["path"], holders)
    return table, notes


def _as_text(parts: Sequence[str]) -> NDArray[Any]:
    """A column of `str` objects, equal ones the same: a pointer a row, where values repeat.

    numpy's own text would take four bytes a character of the longest in every row.
    """
    known: dict[str, str] = {}
    return np.array([known.setdefault(text, text) for text in parts], dtype=object)


def _clip_names(
    corpora: NDArray[np.str_], paths: NDArray[np.str_], holders: NDArray[np.str_]
) -> NDArray[np.str_]:
    """Paths, or corpus:path for all where two corpora have the same path."""
    if len(np.unique(paths)) == len(paths):
        return paths
    names = [f"{corpus}:{path}" for corpus, path in zip(corpora, paths, strict=True)]
    (name, times), *_ = Counter(names).most_common(1)
    if times > 1:
        both = [str(at) for at, one in zip(holders, names, strict=True) if one == name][:2]
        raise StoreError(
            f"{both[0]} and {both[1]} both hold the clip {name}, which would be learnt from "
            "twice; join them by gensr store merge, give one of them, or, where they are two "
            "corpora, name the corpora apart (a manifest's column corpus)"
        )
    return np.array(names, dtype=object)
