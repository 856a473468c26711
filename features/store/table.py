"""A table beside the vectors: one array a column, and the hashes that bind it."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.features.store import schema

Columns = dict[str, NDArray[Any]]
"""A table: one array a column, all of one length; text as `str` objects (see `as_column`)."""


_TIMES, _TEXT_ROOM = 4, 8
"""How much more than its own a text may take; what each takes beside its letters."""
_LITTLE = 2**20
"""A column of so many letters is never too large."""


def as_column(values: Sequence[object], kind: str) -> NDArray[Any]:
    """Return values as an array of one of the store's types: string, int64 or float64.

    Text is an array of `str` objects. numpy's own type for it gives every cell the room of the
    longest, four bytes a character: one long transcript would cost gigabytes.
    """
    return np.array(values, dtype=object if kind == "string" else kind)


def is_even(lengths: Sequence[int]) -> bool:
    """Whether texts, each in the room of the longest, take no more than a few times their own.

    Then arrays and datasets of one length serve; one long text among many needs another way.

    Args:
        lengths: of every text, in bytes or characters.
    """
    own = sum(lengths) + _TEXT_ROOM * len(lengths)
    return len(lengths) * max(lengths, default=0) <= max(_LITTLE, _TIMES * own)


def same(a: Columns, b: Columns) -> bool:
    """Whether two tables hold the same columns, in the same order, with the same values."""
    return list(a) == list(b) and all(np.array_equal(a[name], b[name]) for name in a)


def content_hash(columns: Columns) -> str:
    """SHA-256 over every row's path and audio, in order: which vectors the rows are to hold."""
    digest = hashlib.sha256()
    for path, audio in zip(columns["path"], columns["audio_sha256"], strict=True):
        digest.update(f"{path}\0{audio}\n".encode())
    return digest.hexdigest()


def tables_sha256(columns: Columns, failed: Columns) -> str:
    """SHA-256 over the content of both tables: columns in order, their names and values.

    A column is one line of JSON, [table, name, values]; numbers as Python prints them, so the
    container, its byte order and its string type do not matter.
    """
    digest = hashlib.sha256()
    for group, table in ((schema.CLIPS, columns), (schema.FAILED, failed)):
        for name, values in table.items():
            digest.update(json.dumps([group, name, values.tolist()]).encode() + b"\n")
    return digest.hexdigest()
