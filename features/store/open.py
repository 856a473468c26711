"""Reading a store, Zarr or HDF5 alike: whole, in part, block by block, or lazily by dask."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import one_line
from gensr.features.card import facts_card
from gensr.features.store import files, schema
from gensr.features.store.bounds import AGAIN
from gensr.features.store.container import Backend, open_container, read_header
from gensr.features.store.errors import StoreError
from gensr.features.store.facts import store_facts
from gensr.features.store.rows import Numbers, Rows, by_shard, row_numbers
from gensr.features.store.schema import Header
from gensr.features.store.shard_hashes import hash_rows
from gensr.features.store.table import Columns, content_hash, tables_sha256
from gensr.features.store.where import Location, Where, locate

PLAN = "plan.json"
"""Name in the work folder: what a run that was not finished is for."""

_MANY = 2**20
"""Rows whose numbers are not counted out before the files bear out that there are so many."""


class Store:
    """A finished store, opened for reading; a context manager, and picklable by its path.

    Args:
        backend: the container.
        found: the header that is there, where `backend.header` is still to be committed.
    """

    def __init__(self, backend: Backend, found: Header | None = None) -> None:
        self._backend = backend
        self.path = backend.path
        self.header = backend.header
        self._found = found or backend.header

    @property
    def layers(self) -> tuple[str, ...]:
        """Names along the second axis of the vectors; x1 is last."""
        return self.header.layers

    @property
    def width(self) -> int:
        """Length of one vector."""
        return self.header.width

    @property
    def attributes(self) -> dict[str, Any]:
        """The header as it is stored: format, counts, layers, encoder, preprocessing."""
        return self.header.as_json()

    def __len__(self) -> int:
        """Committed rows."""
        return self.header.clips

    def __repr__(self) -> str:
        told = ", ".join(value for _, value in store_facts(self.header)[:3])
        return f"Store({str(self.path)!r}: {told})"

    def _repr_html_(self) -> str:
        return facts_card(f"store {self.path}", store_facts(self.header))

    @cached_property
    def table(self) -> Columns:
        """The clip table: one array a column, `path` and `row` among them."""
        return self._read_table(schema.CLIPS, self.header.columns)

    @cached_property
    def failed(self) -> Columns:
        """Files of the corpus that could not be used: `path` and `reason`."""
        return self._read_table(schema.FAILED, schema.FAILED_COLUMNS)

    def column(self, name: str) -> NDArray[Any]:
        """Read one column of the clip table, and no other."""
        return self._column(schema.CLIPS, name)

    def vectors(
        self, rows: Rows = None, layers: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Read vectors, no more shards and layers than asked for.

        A shard whose rows and layers are all asked for is compared with its hash.

        Args:
            rows: a slice, row numbers in any order, or a mask; all by default.
            layers: names, in the order wanted; all by default.

        Returns:
            float32 (rows, layers, width).

        Raises:
            StoreError: there is no such layer, the data are damaged, or others than were opened.
            IndexError: there is no such row.
        """
        runs = self._layer_runs(layers)
        count = sum(run.stop - run.start for run in runs)

        def read(wanted: NDArray[np.int64]) -> NDArray[np.float32]:
            span = slice(int(wanted.min()), int(wanted.max()) + 1)
            return self._read(span, runs)[wanted - span.start]

        return self._gathered(rows, count, read)

    def whole_shards(self, rows: Rows) -> NDArray[np.float32]:
        """Read rows of all layers, and compare every shard that holds one with its hash.

        For rows that are to be bound anew. The bytes are those that `vectors` reads: a chunk is
        a layer of a shard, however few of its rows are asked for.

        Raises:
            StoreError: as of `vectors`; a shard is not the one whose hash the header holds.
        """
        size = self.header.shard_clips

        def read(wanted: NDArray[np.int64]) -> NDArray[np.float32]:
            start = int(wanted[0]) // size * size
            return self.vectors(slice(start, start + size))[wanted - start]

        return self._gathered(rows, len(self.layers), read)

    def numbers(self, rows: Rows) -> NDArray[np.int64]:
        """Return the numbers of the rows meant, as numpy would index them.

        Raises:
            StoreError: there are not as many rows as the header says.
            IndexError: there is no such row.
        """
        found = self._meant(rows)
        if isinstance(found, range):
            return np.arange(found.start, found.stop, found.step, dtype=np.int64)
        return found

    def blocks(
        self, layers: Sequence[str] | None = None
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield (rows, vectors) shard by shard: memory for one shard, whatever the store.

        With all layers, each shard is compared with its hash.
        """
        runs = self._layer_runs(layers)
        for start in range(0, len(self), self.header.shard_clips):
            rows = slice(start, min(start + self.header.shard_clips, len(self)))
            yield rows, self._read(rows, runs)

    def lazy(self, layers: Sequence[str] | None = None) -> Any:
        """Return a dask array (clips, layers, width), one block a shard, nothing read yet."""
        from gensr.features.store.lazy import lazy_array

        return lazy_array(self, layers)

    def mean_std(
        self, rows: Rows = None, layers: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation over clips, by dask, without loading the store whole.

        Returns:
            Two float64 arrays (layers, width), accumulated in float64.
        """
        from gensr.features.store.lazy import mean_std

        found = mean_std(
            self.lazy(layers) if rows is None else self.lazy(layers)[self.numbers(rows)]
        )
        self.check_unchanged()
        return found

    def check_unchanged(self) -> None:
        """Refuse what was read if another store has taken this one's place meanwhile.

        To be asked when all is read: a folder is read file by file.

        Raises:
            StoreError: saying so.
        """
        with files.reached(self.path):
            there = files.exists(self.path)
        if not there or read_header(self.path) != self._found:
            raise changed(self.path)

    def confirm(self) -> None:
        """Refuse what was read unless the tables are the header's and the store is still there.

        Raises:
            StoreError: the tables are damaged, or others than were opened.
        """
        agree = self.tables_agree  # reads them, if nobody has
        self.check_unchanged()
        if not agree:
            raise StoreError(
                f"{self.path}: the tables are not those whose hash the header holds; {AGAIN}"
            )

    @cached_property
    def tables_agree(self) -> bool:
        """Whether both tables, which are read for it, are those whose hash the header holds."""
        return tables_sha256(self.table, self.failed) == self.header.table_sha256

    def layout_faults(self) -> Iterator[str]:
        """Yield, one line each, where the arrays are not laid out as the header says."""
        return self._backend.faults()

    def fingerprint(self, encoder: Mapping[str, Any] | None = None) -> str:
        """SHA-256 of what the vectors are: layers, type, encoder, each row's path and audio.

        Args:
            encoder: the same encoder as somebody else has noted it, by a name of his own; see
                `same_encoder`. None is this store's note.
        """
        about = {
            "layers": self.layers,
            "dtype": self.header.dtype,
            "encoder": self.header.encoder if encoder is None else encoder,
            "preprocessing": self.header.preprocessing,
            "rows": self._rows_hash,
        }
        return schema.sha256_of(about)

    def close(self) -> None:
        """Release the file; reading afterwards is an error for HDF5."""
        self._backend.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.path, self._found.as_json()[schema.HASH])

    @cached_property
    def _rows_hash(self) -> str:
        return content_hash(self.table)

    def _too_large(self, what: str) -> StoreError:
        return StoreError(
            f"{self.path}: there is not enough memory for {what}; read fewer rows or layers at a "
            "time, or see whether `gensr store verify` finds it damaged"
        )

    def _meant(self, rows: Rows) -> Numbers:
        """Return the numbers of the rows meant, if there are as many as the header says."""
        found = row_numbers(rows, len(self))
        if isinstance(found, range) and len(found) > _MANY:
            self.column("row")  # is refused unless it is as long, in the files too
        return found

    def _gathered(
        self, rows: Rows, layers: int, read: Callable[[NDArray[np.int64]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return what `read` gives of the rows of every shard, (rows, layers, width).

        There is made room for all when the first is there: a header may claim any number.
        """
        numbers = self._meant(rows)
        result: NDArray[np.float32] | None = None
        for where, wanted in by_shard(numbers, self.header.shard_clips):
            part = read(wanted)
            if result is None:
                try:
                    result = np.empty((len(numbers), layers, self.width), dtype=np.float32)
                except (MemoryError, ValueError):  # numpy has a largest shape
                    raise self._too_large(f"{len(numbers)} rows") from None
            result[where] = part
        return np.empty((0, layers, self.width), np.float32) if result is None else result

    def _layer_runs(self, names: Sequence[str] | None) -> list[slice]:
        """Turn layer names into slices, neighbours in one."""
        if names is None:
            return [slice(0, len(self.layers))]
        if isinstance(names, str):
            raise TypeError("layers: a sequence of names, not one name")
        runs: list[slice] = []
        for name in names:
            if name not in self.layers:
                raise StoreError(
                    f"{self.path} has no layer {name!r}; it has {', '.join(self.layers)}"
                )
            index = self.layers.index(name)
            if runs and runs[-1].stop == index:
                runs[-1] = slice(runs[-1].start, index + 1)
            else:
                runs.append(slice(index, index + 1))
        return runs

    def _read(self, rows: slice, runs: Sequence[slice]) -> NDArray[np.float32]:
        try:
            with files.reached(self.path):
                parts = [self._backend.read(rows, run) for run in runs]
        except MemoryError:
            raise self._too_large(f"rows {rows.start} to {rows.stop - 1}") from None
        except StoreError:
            self.check_unchanged()
            raise
        except (OSError, ValueError, RuntimeError) as error:
            self.check_unchanged()
            raise StoreError(
                f"{self.path}: rows {rows.start} to {rows.stop - 1} cannot be read "
                f"({one_line(error)}); {AGAIN}"
            ) from error
        if not parts:
            return np.empty((rows.stop - rows.start, 0, self.width), dtype=np.float32)
        vectors = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        if runs == [slice(0, len(self.layers))]:
            self._check_bound(rows, vectors)
        return vectors

    def _check_bound(self, rows: slice, vectors: NDArray[np.float32]) -> None:
        """Refuse a whole shard that is another than the header says; a part has no hash."""
        header = self.header
        shard, begun = divmod(rows.start, header.shard_clips)
        whole = not begun and rows.stop == min(rows.start + header.shard_clips, header.clips)
        if not whole or not header.shards_sha256:
            return
        if hash_rows(vectors, header.dtype) != header.shards_sha256[shard]:
            self.check_unchanged()
            raise StoreError(
                f"{self.path}: rows {rows.start} to {rows.stop - 1} are not those whose hash the "
                f"header holds; {AGAIN}"
            )

    def _column(self, group: str, name: str) -> NDArray[Any]:
        try:
            with files.reached(self.path):
                return self._backend.column(group, name)
        except MemoryError:
            raise self._too_large(f"column {group}/{name}") from None
        except StoreError:
            self.check_unchanged()
            raise
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            self.check_unchanged()
            raise StoreError(
                f"{self.path}: column {group}/{name} cannot be read ({one_line(error)}); {AGAIN}"
            ) from error

    def _read_table(self, group: str, names: Sequence[str]) -> Columns:
        return {name: self._column(group, name) for name in names}


def open_store(path: Location) -> Store:
    """Open a finished store for reading.

    Args:
        path: a Zarr folder or an HDF5 file that `gensr extract` wrote, or a URL of one.

    Raises:
        StoreError: there is none, it is no store of ours, or its extraction was not finished.
    """
    path = locate(path)
    with files.reached(path):
        if not files.exists(path):
            if files.is_folder(work_folder(path)):
                raise schema.incomplete(path)
            raise StoreError(f"{path} does not exist; `gensr extract CORPUS --out {path}` makes it")
    store = Store(open_container(path))
    if not len(store):
        store.close()
        raise schema.incomplete(path)
    return store


def changed(path: Where) -> StoreError:
    """Return the error for a store that was exchanged under its reader."""
    return StoreError(f"{path} changed while it was read: another writes there; run again")


def _reopen(path: Where, header_sha256: str) -> Store:
    """Open a store in another process, if it still is the one that was opened first."""
    store = open_store(path)
    if store.attributes[schema.HASH] != header_sha256:
        store.close()
        raise changed(path)
    return store


def work_folder(path: Where) -> Where:
    """Return the folder beside a store in which its extraction keeps what it has done."""
    return path.with_name(path.name + ".work")
