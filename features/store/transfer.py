"""Streaming a whole store into a container, shard by shard: memory holds one shard."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gensr.features.store.schema import Header
from gensr.features.store.table import Columns
from gensr.features.store.where import Where
from gensr.features.store.zarr_store import ZarrWriter

Advance = Callable[[int], None]
"""Called with the number of clips just written."""


class Source(Protocol):
    """What can be written as a store: a `Store`, or several seen as one."""

    @property
    def header(self) -> Header:
        """As it will be committed."""

    @property
    def table(self) -> Columns:
        """The clip table."""

    @property
    def failed(self) -> Columns:
        """The table of unusable files."""

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield (rows, vectors) for every shard, in order."""


def ignore(clips: int) -> None:
    """Report nothing."""


def write_hdf5(source: Source, path: Path, advance: Advance = ignore) -> None:
    """Write a store as a new HDF5 file, from first to last shard by one writer."""
    from gensr.features.store.hdf5_store import Hdf5Writer  # a Zarr store needs no HDF5

    writer = Hdf5Writer(path, source.header)
    try:
        for rows, block in source.blocks():
            writer.write(rows.start, block)
            advance(len(block))
        writer.commit(source.header, source.table, source.failed)
    finally:
        writer.close()


def write_zarr(source: Source, path: Where, advance: Advance = ignore) -> None:
    """Write a store as a new Zarr group."""
    writer = ZarrWriter.create(path, source.header)
    for rows, block in source.blocks():
        writer.write(rows.start, block)
        advance(len(block))
    writer.commit(source.header, source.table, source.failed)
