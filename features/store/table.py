"""The clip table beside the vectors, and how a new scan of a corpus changes it.

Rows that are in a store stay where they are; new clips follow in path order. What a corpus
says of a clip (labels, speaker, split) is taken from the newest scan.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import StoreError
from gensr.features.store import schema
from gensr.features.store.names import check_names

if TYPE_CHECKING:  # readers of a store need no audio
    from gensr.features.corpora.clip import Clip, Problem
    from gensr.features.survey import Heard

Columns = dict[str, NDArray[Any]]
"""A table: one array a column, all of one length; text as `str` objects (see `as_column`)."""


_TIMES, _TEXT_ROOM = 4, 8
"""How much more than its own a text may take; what each takes beside its letters."""
_LITTLE = 2**20
"""A column of so many letters is never too large."""


def check_clips(clips: Sequence["Clip"], kept: Iterable[str]) -> None:
    """Refuse clips of which a store could not keep what their corpus says, before any is heard.

    Args:
        clips: what was found of the corpus.
        kept: columns of the store that is added to.

    Raises:
        StoreError: a column's name, or a text, is not kept by every container as it is.
    """
    extra = dict.fromkeys(name for clip in clips for name in clip.extra)
    check_names(extra, [name for name in kept if name not in schema.COLUMN_DTYPES])
    names = ("path", *schema.LABEL_COLUMNS)
    for clip in clips:
        own = ((name, getattr(clip, name)) for name in names)
        for name, text in (*own, *clip.extra.items()):
            if not text.isascii() and not _is_unicode(text):
                raise StoreError(f"{clip.path!a}: {name} is no Unicode text, {text!a}: mend it")
            if "\0" in text:  # which ends a text in HDF5
                raise StoreError(f"{clip.path!a}: {name} holds a NUL, {text[:80]!a}: remove it")


def merge(heard: Iterable["Heard"], problems: Iterable["Problem"], base: Columns | None) -> Columns:
    """Return the clip table after an extraction.

    Args:
        heard: the clips of the new scan that can be used, in any order.
        problems: those that cannot.
        base: the table of the store that is added to.

    Raises:
        StoreError: a path is in the store under another corpus, or cannot be used any more.
    """
    rows: list[Heard | None] = [None] * (0 if base is None else len(base["path"]))
    found = {} if base is None else {path: row for row, path in enumerate(base["path"].tolist())}
    ordered = sorted(heard, key=lambda item: item.clip.path)
    usable = {item.clip.path for item in ordered}
    for problem in problems:
        if problem.path in found and problem.path not in usable:
            raise StoreError(
                f"{problem.path} is in the store, but now: {problem.reason}. Restore the file, "
                "or extract again with --overwrite"
            )
    for item in ordered:
        row = found.get(item.clip.path)
        if row is None:
            rows.append(item)
            continue
        if base is not None and base["corpus"][row] != item.clip.corpus:
            raise StoreError(
                f"{item.clip.path} is in the store as a clip of corpus "
                f"{str(base['corpus'][row])!r} and here one of {item.clip.corpus!r}: two corpora "
                "with the same relative paths need two stores, or one root above both"
            )
        rows[row] = item
    columns: Columns = {}
    for name in _column_names(rows, base):
        if name == "row":
            columns[name] = np.arange(len(rows), dtype=np.int64)
            continue
        old = base.get(name) if base is not None else None
        values = [
            ("" if old is None else old[row]) if item is None else _value(item, name)
            for row, item in enumerate(rows)
        ]
        columns[name] = as_column(values, schema.COLUMN_DTYPES.get(name, "string"))
    return columns


def merge_failed(
    heard: Iterable["Heard"], problems: Sequence["Problem"], base: Columns | None
) -> Columns:
    """Return the table of unusable files, in path order; what was seen again is said anew."""
    seen = {item.clip.path for item in heard} | {problem.path for problem in problems}
    entries = {(problem.path, problem.reason) for problem in problems}
    if base is not None:
        pairs = zip(base["path"].tolist(), base["reason"].tolist(), strict=True)
        entries |= {(path, reason) for path, reason in pairs if path not in seen}
    ordered = sorted(entries)
    return {
        "path": as_column([path for path, _ in ordered], "string"),
        "reason": as_column([reason for _, reason in ordered], "string"),
    }


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


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, or bytes that were no UTF-8
        return False
    return True


def _column_names(rows: Iterable["Heard | None"], base: Columns | None) -> list[str]:
    extra: dict[str, None] = {}
    for item in rows:
        if item is not None:
            extra.update(dict.fromkeys(item.clip.extra))
    check_names(extra, [name for name in base or () if name not in schema.COLUMN_DTYPES])
    return list(dict.fromkeys((*schema.COLUMN_DTYPES, *(base or ()), *extra)))


def _value(item: "Heard", name: str) -> object:
    if name == "path" or name in schema.LABEL_COLUMNS:
        return getattr(item.clip, name)
    if name in ("seconds", "samples", "audio_sha256", "file_sha256"):
        return getattr(item, name)
    return item.clip.extra.get(name, "")
