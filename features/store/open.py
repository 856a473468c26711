"""Reading a store, Zarr or HDF5 alike: whole, in part, block by block, or lazily by dask."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.schema import Header
from gensr.features.store.table import Columns
from gensr.features.store.where import Where, locate

PLAN = "plan.json"
"""Name in the work folder: what a run that was not finished is for."""

Rows = slice | ArrayLike | None
"""Which rows: a slice, row numbers, a mask over all rows, or None for all."""


class Backend(Protocol):
    """What differs between the two containers."""

    path: Where
    header: Header

    def read(self, rows: slice, layers: slice) -> NDArray[np.float32]:
        """Return `vectors[rows, layers]`; both slices are bounded and of step 1."""

    def column(self, group: str, name: str) -> NDArray[Any]:
        """Return one column of a table, as long as the header says, or refuse it unread."""

    def faults(self) -> Iterator[str]:
        """Yield, one line each, where the arrays' layout is not the header's."""

    def close(self) -> None:
        """Release what is held open."""


class Store:
    """A finished store, opened for reading; a context manager, and picklable by its path."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.path = backend.path
        self.header = backend.header

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

        Args:
            rows: a slice, row numbers in any order, or a mask; all by default.
            layers: names, in the order wanted; all by default.

        Returns:
            float32 (rows, layers, width).

        Raises:
            StoreError: there is no such layer, or the data are damaged.
            IndexError: there is no such row.
        """
        runs = self._layer_runs(layers)
        count = sum(run.stop - run.start for run in runs)
        try:
            numbers = self.numbers(rows)
            result = np.empty((len(numbers), count, self.width), dtype=np.float32)
        except (MemoryError, ValueError):  # numpy has a largest shape
            raise self._too_large(f"{len(self) if rows is None else 'so many'} rows") from None
        shards = numbers // self.header.shard_clips
        for shard in np.unique(shards):
            where = np.flatnonzero(shards == shard)
            wanted = numbers[where]
            span = slice(int(wanted.min()), int(wanted.max()) + 1)
            result[where] = self._read(span, runs)[wanted - span.start]
        return result

    def numbers(self, rows: Rows) -> NDArray[np.int64]:
        """Return the numbers of the rows meant, as numpy would index them."""
        if rows is None or isinstance(rows, slice):
            return np.arange(*(rows or slice(None)).indices(len(self)), dtype=np.int64)
        every = np.arange(len(self), dtype=np.int64)
        chosen = np.asarray(rows)
        return np.atleast_1d(every[chosen if chosen.size else chosen.astype(np.int64)])

    def blocks(
        self, layers: Sequence[str] | None = None
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield (rows, vectors) shard by shard: memory for one shard, whatever the store."""
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

        return mean_std(
            self.lazy(layers) if rows is None else self.lazy(layers)[self.numbers(rows)]
        )

    def layout_faults(self) -> Iterator[str]:
        """Yield, one line each, where the arrays are not laid out as the header says."""
        return self._backend.faults()

    def fingerprint(self) -> str:
        """SHA-256 of what the vectors are: layers, type, encoder, each row's path and audio."""
        about = {
            "layers": self.layers,
            "dtype": self.header.dtype,
            "encoder": self.header.encoder,
            "preprocessing": self.header.preprocessing,
            "rows": self._rows_hash,
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

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
        return open_store, (self.path,)

    @cached_property
    def _rows_hash(self) -> str:
        from gensr.features.store.table import content_hash

        return content_hash(self.table)

    def _too_large(self, what: str) -> StoreError:
        return StoreError(
            f"{self.path}: there is not enough memory for {what}; read fewer rows or layers at a "
            "time, or see whether `gensr store verify` finds it damaged"
        )

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
        except (OSError, ValueError, RuntimeError) as error:
            if isinstance(error, StoreError):
                raise
            reason = " ".join(str(error).split())
            raise StoreError(
                f"{self.path}: rows {rows.start} to {rows.stop - 1} cannot be read ({reason}); "
                "the store is damaged, extract again with --overwrite"
            ) from error
        if not parts:
            return np.empty((rows.stop - rows.start, 0, self.width), dtype=np.float32)
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _column(self, group: str, name: str) -> NDArray[Any]:
        try:
            with files.reached(self.path):
                return self._backend.column(group, name)
        except MemoryError:
            raise self._too_large(f"column {group}/{name}") from None
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError(
                f"{self.path}: column {group}/{name} cannot be read "
                f"({' '.join(str(error).split())}); the store is damaged, extract again with "
                "--overwrite"
            ) from error

    def _read_table(self, group: str, names: Sequence[str]) -> Columns:
        return {name: self._column(group, name) for name in names}


def open_store(path: Where | str) -> Store:
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
    store = Store(_backend(path))
    if not len(store):
        store.close()
        raise schema.incomplete(path)
    return store


def read_header(path: Where) -> Header:
    """Return the header of a store, finished or not.

    Raises:
        StoreError: it is no store of ours.
    """
    backend = _backend(path)
    backend.close()
    return backend.header


def work_folder(path: Where) -> Where:
    """Return the folder beside a store in which its extraction keeps what it has done."""
    return path.with_name(path.name + ".work")


def _backend(path: Where) -> Backend:
    # Imported here so that a Zarr store does not load HDF5, and the other way round.
    # At a URL the name decides: asking would be one request more.
    if path.is_dir() if isinstance(path, Path) else path.suffix in schema.ZARR_SUFFIXES:
        from gensr.features.store.zarr_store import ZarrReader

        return ZarrReader(path)
    from gensr.features.store.hdf5_store import Hdf5Reader

    return Hdf5Reader(path)
