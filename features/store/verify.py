"""Whether a store still is what was written, and its audio still what was heard.

Everything is read once, and every fault is told, not only the first. Four hashes and two kinds
of checksum cover the content: the header's own, the tables', one for the rows of each shard, one
for each clip's audio file; CRC-32C (Zarr) or Fletcher-32 (HDF5) on every chunk of numbers.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from gensr.features.audio.hashes import hash_file
from gensr.features.audio.segments import file_of
from gensr.features.store.errors import StoreError
from gensr.features.store.open import Store, open_store
from gensr.features.store.transfer import Advance, ignore
from gensr.features.store.where import Location, local

_AHEAD = 1024
"""Rows whose files are hashed between two reports of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at, and what is wrong with it."""

    clips: int
    shards: int
    columns: int
    """Columns of both tables."""
    heard: int
    """Audio files that were hashed."""
    faults: tuple[str, ...]
    """One line each; empty where all is well."""
    notes: tuple[str, ...] = ()
    """What could not be looked at, one line each."""


def verify(path: Location, *, audio: Location | None = None, advance: Advance = ignore) -> Verified:
    """Read all of a store and compare it with its checksums.

    Args:
        path: the store.
        audio: the folder that its paths are relative to: every file is hashed as well.
        advance: called with the number of clips just read, and of files just hashed.

    Raises:
        StoreError: the store cannot be opened at all (absent, not finished, its header damaged),
            or another took its place meanwhile.
    """
    folder = None if audio is None else local(audio)
    with open_store(path) as store:
        faults = list(_layout_faults(store))
        # Where an array is not laid out as the header says, reading it only tells the same again.
        if _is_that_long(store) and not any("array vectors" in fault for fault in faults):
            faults += _vector_faults(store, advance)
        table_faults = list(_table_faults(store))
        faults += table_faults
        heard = 0
        if folder is not None and not table_faults:
            heard = len({file_of(path) for path in store.table["path"].tolist()})
            faults += _audio_faults(store, folder, advance)
        store.check_unchanged()
        return Verified(
            clips=len(store),
            shards=store.header.shards,
            columns=len(store.header.columns) + 2,
            heard=heard,
            faults=tuple(faults),
            notes=tuple(_notes(store)),
        )


def _notes(store: Store) -> Iterator[str]:
    if not store.header.shards_sha256:
        yield (
            f"{store.path}: a store of format {store.header.version} has no hashes of its shards, "
            "so shards that changed places would not be noticed; `gensr store convert` to "
            "another name gives it them, as they are now"
        )


def _layout_faults(store: Store) -> Iterator[str]:
    for fault in store.layout_faults():
        yield f"{store.path}: {fault}; extract again with --overwrite"


def _is_that_long(store: Store) -> bool:
    """Whether one column at least bears out the number of clips; of those that cannot be holes.

    Else a header alone could have us look for shards that never were, for years.
    """
    for name in ("row", "path", "samples", "seconds", "audio_sha256", "file_sha256"):
        with suppress(StoreError):
            return len(store.column(name)) == len(store)
    return False


def _vector_faults(store: Store, advance: Advance) -> Iterator[str]:
    for rows, answer in store.examined(_no_numbers):
        try:
            found = answer()
        except StoreError as error:
            yield str(error)
        else:
            for row in found:
                yield f"{store.path}: row {rows.start + row} holds values that are no numbers"
        advance(rows.stop - rows.start)


def _no_numbers(block: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return which rows hold an infinity or a NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(block.sum()):  # one of them would have spread; takes a tenth of the time
            return np.empty(0, np.intp)
    return np.flatnonzero(~np.isfinite(block).all(axis=(1, 2)))


def _table_faults(store: Store) -> Iterator[str]:
    try:
        store.confirm()
    except StoreError as error:
        yield str(error)
        return
    header, table = store.header, store.table
    # A table with the right hash may still have been written wrong.
    paths = table["path"].tolist()
    if len(set(paths)) < len(paths):
        yield f"{store.path}: {len(paths) - len(set(paths))} rows have the path of another"
    if not np.array_equal(table["row"], np.arange(len(paths))):
        yield f"{store.path}: clips/row does not count 0, 1, 2, ..."
    audios = len(set(table["audio_sha256"].tolist()))
    if audios != header.audios:
        yield f"{store.path}: {audios} distinct recordings, the header says {header.audios}"


def _audio_faults(store: Store, root: Path, advance: Advance) -> Iterator[str]:
    """Hash the file of every row; one of which there are several parts, once, and told once."""
    paths, hashes = (store.table[name].tolist() for name in ("path", "file_sha256"))
    told: set[str] = set()
    found: dict[str, str] = {}
    """Hash by file, of the files of one round: a file's parts lie beside each other."""
    over = Event()
    with ThreadPoolExecutor(4) as pool, ExitStack() as leaving:
        leaving.callback(over.set)  # after Ctrl-C nobody waits for files half hashed
        for start in range(0, len(paths), _AHEAD):
            part = paths[start : start + _AHEAD]
            names = {path: file_of(path) for path in part}
            new = [name for name in dict.fromkeys(names.values()) if name not in found]
            answers = pool.map(lambda name: hash_file(root / name, over.is_set), new)
            found |= dict(zip(new, answers, strict=True))
            for path, wanted in zip(part, hashes[start:], strict=False):
                name = names[path]
                fault = ""
                if os.path.lexists(root / path) and name != path:
                    fault = f"{path} names a part of {name}, and a file too; rename the file"
                elif not found[name]:
                    fault = f"{name} is missing under {root}"
                elif found[name] != wanted:
                    fault = f"{name} has changed since it was extracted; extract again"
                if fault and fault not in told:
                    told.add(fault)
                    yield fault
            found = {name: found[name] for name in names.values()}
            advance(len(part))
