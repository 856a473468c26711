"""Several stores of one encoder as one: corpora that were extracted apart, or on two machines.

Rows follow each other in the order of the stores given, each store's own order kept. A clip
that two stores have is one row. What two stores say differently of one clip stops the merge:
only the user knows which is right.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError
from gensr.features.same_encoder import differences
from gensr.features.store import bounds, schema
from gensr.features.store.errors import StoreError
from gensr.features.store.names import check_apart
from gensr.features.store.open import Store, open_store
from gensr.features.store.rewrite import rewrite
from gensr.features.store.schema import Header
from gensr.features.store.table import Columns, as_column, tables_sha256
from gensr.features.store.transfer import Advance, ignore
from gensr.features.store.where import Location, located

_ALIKE = ("encoder", "preprocessing", "layers", "width", "dtype")
_FIRSTS = ("seconds", "samples", "file_sha256")
"""What is measured of a file, and may differ where the decoded audio is the same."""


def merge(
    sources: Location | Iterable[Location],
    target: Location,
    *,
    shard_clips: int | None = None,
    overwrite: bool = False,
    advance: Advance = ignore,
) -> None:
    """Write the rows of several stores as one store, Zarr or HDF5, by the suffix.

    The target appears whole or not at all; memory holds the tables and two shards.

    Args:
        sources: two stores or more, either container.
        target: where to write.
        shard_clips: rows of one shard; by default the first store's.
        overwrite: replace a store that is there.
        advance: called with the number of clips just written.

    Raises:
        ConfigError: fewer than two stores, or no room in a shard.
        StoreError: the stores are of different encoders or settings, they contradict each
            other, the target exists, something cannot be read or written, or a store is damaged or
            was exchanged meanwhile.
    """
    places = located(sources)
    if len(places) < 2:
        raise ConfigError("a merge takes two stores or more")
    if shard_clips is not None and shard_clips < 1:
        raise ConfigError(f"shard_clips is {shard_clips}: it must be at least 1")

    @contextmanager
    def opened() -> Iterator[Merged]:
        with ExitStack() as stack:
            stores = [stack.enter_context(open_store(path)) for path in places]
            yield Merged(stores, shard_clips)

    rewrite(places, opened, target, overwrite=overwrite, advance=advance)


class Merged:
    """Several stores seen as one; see `transfer.Source`.

    Args:
        stores: open, and kept open.
        shard_clips: rows of one shard; by default the first store's.

    Raises:
        StoreError: they cannot be one store.
    """

    def __init__(self, stores: Sequence[Store], shard_clips: int | None = None) -> None:
        for store in stores:
            store.confirm()  # what tables say of each other is said of sound ones
        self._stores = stores
        self._shard = shard_clips or stores[0].header.shard_clips
        for store in stores[1:]:
            _check_alike(stores[0], store)
        bounds.check_shard(self._shard, len(stores[0].layers), stores[0].width)
        self._keep = _choose(stores)

    @cached_property
    def header(self) -> Header:
        """The first store's, with counts, columns, hash and verification of the whole."""
        return replace(
            self._stores[0].header,
            clips=len(self.table["path"]),
            failed=len(self.failed["path"]),
            audios=len(set(self.table["audio_sha256"].tolist())),
            shard_clips=self._shard,
            columns=tuple(self.table),
            verification=_worst([store.header.verification for store in self._stores]),
            table_sha256=tables_sha256(self.table, self.failed),
            shards_sha256=(),  # other rows, other shards: made as they are written
        )

    @cached_property
    def table(self) -> Columns:
        """The clip tables below each other; a column that a store does not have is empty there."""
        names: dict[str, None] = {}
        for store in self._stores:
            check_apart(store.table, names)
            names |= dict.fromkeys(store.table)
        columns: Columns = {}
        for name in names:
            values: dict[str, object] = {}
            for store in self._stores:
                own = store.table[name].tolist() if name in store.table else None
                for row, path in enumerate(store.table["path"].tolist()):
                    if own is None:
                        values.setdefault(path, "")
                    elif values.get(path, "") == "":  # else the first store's holds
                        values[path] = own[row]
            columns[name] = as_column(
                list(values.values()), schema.COLUMN_DTYPES.get(name, "string")
            )
        columns["row"] = np.arange(len(columns["path"]), dtype=np.int64)
        return columns

    @cached_property
    def failed(self) -> Columns:
        """Unusable files in path order, but for those that another store has a row of."""
        rows = set(self.table["path"].tolist())
        reasons: dict[str, str] = {}
        for store in self._stores:
            table = store.failed
            for path, reason in zip(table["path"].tolist(), table["reason"].tolist(), strict=True):
                if path not in rows:
                    reasons.setdefault(path, reason)
        paths = sorted(reasons)
        return {
            "path": as_column(paths, "string"),
            "reason": as_column([reasons[path] for path in paths], "string"),
        }

    def confirm(self) -> None:
        """Raise unless every store is still the one that was opened, its tables sound."""
        for store in self._stores:
            store.confirm()

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield (rows, vectors) for every shard of the whole, in order."""
        waiting: list[NDArray[np.float32]] = []
        start = ready = 0
        for store, keep in zip(self._stores, self._keep, strict=True):
            for rows, block in store.blocks():
                part = block[keep[rows]]
                while len(part):
                    taken, part = np.split(part, [self._shard - ready])
                    waiting.append(taken)
                    ready += len(taken)
                    if ready == self._shard:
                        yield slice(start, start + ready), np.concatenate(waiting)
                        start, ready, waiting = start + ready, 0, []
        if ready:
            yield slice(start, start + ready), np.concatenate(waiting)


def _check_alike(first: Store, other: Store) -> None:
    headers = (store.attributes for store in (first, other))
    one, two = ({name: header[name] for name in _ALIKE} for header in headers)
    told = differences(one, two, names=(f"in {first.path}", f"in {other.path}"))
    if told:
        raise StoreError(
            f"{first.path} and {other.path} cannot be one store ({'; '.join(told[:3])}): "
            "extract one of them again with the other's settings"
        )


def _choose(stores: Sequence[Store]) -> list[NDArray[np.bool_]]:
    """Return, for each store, which rows are new: a clip is taken from the first that has it.

    Raises:
        StoreError: two stores contradict each other about a path.
    """
    first: dict[str, tuple[Store, int]] = {}
    keep = []
    for store in stores:
        paths = store.table["path"].tolist()
        new = np.ones(len(paths), dtype=bool)
        for row, path in enumerate(paths):
            if path in first:
                new[row] = False
                _check_same(path, *first[path], store, row)
            else:
                first[path] = store, row
        keep.append(new)
    return keep


def _check_same(path: str, one: Store, row: int, other: Store, other_row: int) -> None:
    """Refuse two rows of one path that are not the same clip, or are labelled differently."""
    for name in one.table:
        if name not in other.table or name in ("row", "path", *_FIRSTS):
            continue
        a, b = str(one.table[name][row]), str(other.table[name][other_row])
        if a == b:
            continue
        if name in ("audio_sha256", "corpus"):
            what = "other audio" if name == "audio_sha256" else f"of corpus {a!r} and {b!r}"
            raise StoreError(
                f"{path} is in {one.path} and in {other.path}, {what}: two corpora with the same "
                "relative paths need two stores, or one root above both"
            )
        raise StoreError(
            f"{path}: {name} is {a!r} in {one.path} and {b!r} in {other.path}: extract the wrong "
            "one again, which only relabels it"
        )


def _worst(found: Sequence[Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
    """Return the verification of the whole: the worst error, and how much was looked at in all.

    None unless every store has one, held to the same bound.
    """
    told = [each for each in found if each is not None]
    if len(told) < len(found) or len({each["bound"] for each in told}) > 1:
        return None
    sums = {name: sum(each[name] for each in told) for name in ("clips", "batches")}
    return {**max(told, key=lambda each: each["error"]), **sums}
