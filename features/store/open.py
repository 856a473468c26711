"""Reading a store, Zarr or HDF5 alike: whole, in part, block by block, or lazily by dask."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import one_line
from gensr.features.card import facts_card
from gensr.features.store import files, schema
from gensr.features.store.bounds import AGAIN
from gensr.features.store.container import Backend, open_container, read_header
from gensr.features.store.errors import StoreError
from gensr.features.store.facts import store_facts
from gensr.features.store.rows import Numbers, Rows, row_numbers
from gensr.features.store.schema import Header
from gensr.features.store.table import Columns, content_hash, tables_sha256
from gensr.features.store.vectors import Vectors, too_large
from gensr.features.store.where import Location, Where, locate

PLAN = "plan.json"
"""Name in the work folder: what a run that was not finished is for."""

T = TypeVar("T")

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
        self,
        rows: Rows = None,
        layers: Sequence[str] | None = None,
        *,
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Read vectors, no more shards and layers than asked for, each byte once.

        Memory beside the answer is one shard's. A shard whose rows and layers are all asked for
        is compared with its hash.

        Args:
            rows: a slice, row numbers in any order, or a mask; all by default.
            layers: names, in the order wanted; all by default.
            out: float32 (rows, layers, width), C-contiguous, where the vectors are put.

        Returns:
            float32 (rows, layers, width): `out`, where it was given.

        Raises:
            StoreError: there is no such layer, the data are damaged, or others than were opened.
            IndexError: there is no such row.
            ValueError: `out` is of another shape or type, or not contiguous.
        """
        return self._vectors().gathered(rows, layers, out)

    def whole_shards(self, rows: Rows) -> NDArray[np.float32]:
        """Read rows of all layers, and compare every shard that holds one with its hash.

        For rows that are to be bound anew. The bytes are those that `vectors` reads: a chunk is
        a layer of a shard, however few of its rows are asked for.

        Raises:
            StoreError: as of `vectors`; a shard is not the one whose hash the header holds.
        """
        return self._vectors().whole_shards(rows)

    def blocks(
        self, layers: Sequence[str] | None = None
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield (rows, vectors) shard by shard: memory for a few, whatever the store.

        With all layers, each shard is compared with its hash, while the next is read: up to
        three are held then, unless they are large (ahead.py).
        """
        return self._vectors().blocks(layers)

    def selected(
        self, rows: Rows, layers: Sequence[str] | None = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield (row numbers, vectors) of chosen rows, shard by shard, in the order of the store.

        A shard is read whole, however few of its rows are chosen; memory is as of `blocks`. With
        all layers, each is compared with its hash. Rows come in rising order, one that is named
        twice comes twice.

        Args:
            rows: a slice, row numbers, or a mask; None for all.
            layers: names, in the order wanted; all by default.

        Raises:
            StoreError: as of `vectors`.
            IndexError: there is no such row.
        """
        return self._vectors().selected(rows, layers)

    def examined(
        self, look: Callable[[NDArray[np.float32]], T]
    ) -> Iterator[tuple[slice, Callable[[], T]]]:
        """Yield (rows, answer) shard by shard: calling it gives what `look` found in the vectors.

        Or raises why the shard cannot be read, or is another than the header says; the next one
        comes all the same. `look` is called in another thread, while the next shard is read.
        """
        return self._vectors().examined(look)

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

    def release(self) -> None:
        """Let go of the tables, once they were held against the header; asked again, they are read.

        For whoever has taken what he needs of them: of a million clips they are gigabytes.
        """
        _ = self.tables_agree, self._rows_hash
        for name in ("table", "failed"):
            self.__dict__.pop(name, None)

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

    def _vectors(self) -> Vectors:  # no attribute: a circle would keep the file open
        return Vectors(self._backend, self._meant, self.check_unchanged)

    def _meant(self, rows: Rows) -> Numbers:
        """Return the numbers of the rows meant, if there are as many as the header says."""
        found = row_numbers(rows, len(self))
        if isinstance(found, range) and len(found) > _MANY:
            self.column("row")  # is refused unless it is as long, in the files too
        return found

    def _column(self, group: str, name: str) -> NDArray[Any]:
        try:
            with files.reached(self.path):
                return self._backend.column(group, name)
        except MemoryError:
            raise too_large(self.path, f"column {group}/{name}") from None
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
