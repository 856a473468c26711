"""The clip table of a store, and how a new scan of a corpus changes it.

Rows that are in a store stay where they are; new clips follow in path order. What a corpus
says of a clip (labels, speaker, split) is taken from the newest scan.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from gensr.features.corpora.clip import Clip, Problem
from gensr.features.hearing.survey import Heard
from gensr.features.store import schema
from gensr.features.store.errors import StoreError
from gensr.features.store.names import check_names
from gensr.features.store.table import Columns, as_column


def check_clips(clips: Sequence[Clip], kept: Iterable[str]) -> None:
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


def clip_table(
    heard: Iterable[Heard], problems: Iterable[Problem], base: Columns | None
) -> Columns:
    """Return the clip table as an extraction leaves it: old rows, changed rows, new rows.

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


def failed_table(
    heard: Iterable[Heard], problems: Sequence[Problem], base: Columns | None
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


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, or bytes that were no UTF-8
        return False
    return True


def _column_names(rows: Iterable[Heard | None], base: Columns | None) -> list[str]:
    extra: dict[str, None] = {}
    for item in rows:
        if item is not None:
            extra.update(dict.fromkeys(item.clip.extra))
    check_names(extra, [name for name in base or () if name not in schema.COLUMN_DTYPES])
    return list(dict.fromkeys((*schema.COLUMN_DTYPES, *(base or ()), *extra)))


def _value(item: Heard, name: str) -> object:
    if name == "path" or name in schema.LABEL_COLUMNS:
        return getattr(item.clip, name)
    if name in ("seconds", "samples", "audio_sha256", "file_sha256"):
        return getattr(item, name)
    return item.clip.extra.get(name, "")
