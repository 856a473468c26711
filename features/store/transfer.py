"""Streaming a store into another container, shard by shard: memory holds one shard."""

from collections.abc import Callable
from pathlib import Path

from gensr.features.store.open import Store
from gensr.features.store.zarr_store import ZarrWriter

Advance = Callable[[int], None]
"""Called with the number of clips just written."""


def ignore(clips: int) -> None:
    """Report nothing."""


def write_hdf5(store: Store, path: Path, advance: Advance = ignore) -> None:
    """Write a store as a new HDF5 file, from first to last shard by one writer."""
    from gensr.features.store.hdf5_store import Hdf5Writer  # a Zarr store needs no HDF5

    writer = Hdf5Writer(path, len(store), store.header)
    try:
        for rows, block in store.blocks():
            writer.write(rows.start, block)
            advance(len(block))
        writer.commit(store.header, store.table, store.failed)
    finally:
        writer.close()


def write_zarr(store: Store, path: Path, advance: Advance = ignore) -> None:
    """Write a store as a new Zarr group."""
    writer = ZarrWriter.create(path, len(store), store.header)
    for rows, block in store.blocks():
        writer.write(rows.start, block)
        advance(len(block))
    writer.commit(store.header, store.table, store.failed)
