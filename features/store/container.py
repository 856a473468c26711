"""What a reader of either container gives, and which of them a path is read by."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gensr.features.store import files, schema
from gensr.features.store.schema import Header
from gensr.features.store.where import Where


class Backend(Protocol):
    """What differs between the two containers."""

    path: Where
    header: Header

    def read(
        self, rows: slice, runs: Sequence[slice], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return rows of one shard, of the layers of each run, one run behind the other.

        Args:
            rows: bounded, of step 1.
            runs: bounded, of step 1.
            out: (rows, layers, width), where they are put; else there is made room for them, once
                the files bear out that they are there.
        """

    def column(self, group: str, name: str) -> NDArray[Any]:
        """Return one column of a table, as long as the header says, or refuse it unread."""

    def faults(self) -> Iterator[str]:
        """Yield, one line each, where the arrays' layout is not the header's."""

    def close(self) -> None:
        """Release what is held open."""


def places(runs: Sequence[slice]) -> Iterator[tuple[slice, slice]]:
    """Yield each run of layers, and where it lies when all lie behind one another."""
    start = 0
    for run in runs:
        stop = start + run.stop - run.start
        yield run, slice(start, stop)
        start = stop


def room_for(header: Header, rows: slice, runs: Sequence[slice]) -> NDArray[np.float32]:
    """Return an array (rows, layers of all runs, width) that nothing is in yet."""
    layers = sum(run.stop - run.start for run in runs)
    return np.empty((rows.stop - rows.start, layers, header.width), dtype=np.float32)


def open_container(path: Where) -> Backend:
    """Open a store, finished or not.

    Raises:
        StoreError: it is no store of ours.
    """
    # Imported here so that a Zarr store does not load HDF5, and the other way round.
    if is_group(path):
        from gensr.features.store.zarr_store import ZarrReader

        return ZarrReader(path)
    from gensr.features.store.hdf5_store import Hdf5Reader

    return Hdf5Reader(path)


def is_group(path: Where) -> bool:
    """Whether a store is Zarr, whatever it is called; the name decides where asking costs more."""
    if files.disk_of(path).far:
        return path.suffix in schema.ZARR_SUFFIXES
    return files.is_folder(path)


def read_header(path: Where) -> Header:
    """Return the header of a store, finished or not.

    Raises:
        StoreError: it is no store of ours.
    """
    backend = open_container(path)
    backend.close()
    return backend.header
