"""Streaming a whole store into a container, shard by shard: memory holds a few (ahead.py)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gensr.features.store.ahead import Behind, may_go_ahead
from gensr.features.store.schema import Header
from gensr.features.store.shard_hashes import bind, hash_rows
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
        """Yield (rows, vectors) for every shard, in order; compared with the header's hashes."""

    def confirm(self) -> None:
        """Raise unless the tables are sound, and all is still what was opened."""


def ignore(clips: int) -> None:
    """Report nothing."""


def write_hdf5(source: Source, path: Path, advance: Advance = ignore) -> None:
    """Write a store as a new HDF5 file, from first to last shard by one writer."""
    from gensr.features.store.hdf5_store import Hdf5Writer  # a Zarr store needs no HDF5

    writer = Hdf5Writer(path, source.header)
    try:
        header = _stream(source, writer.write, advance, behind=False)
        writer.commit(header, source.table, source.failed)
    finally:
        writer.close()


def write_zarr(source: Source, path: Where, advance: Advance = ignore) -> None:
    """Write a store as a new Zarr group."""
    writer = ZarrWriter.create(path, source.header)
    header = _stream(source, writer.write, advance, behind=True)
    writer.commit(header, source.table, source.failed)


def _stream(
    source: Source,
    write: Callable[[int, NDArray[np.float32]], None],
    advance: Advance,
    *,
    behind: bool,
) -> Header:
    """Write every shard; return the header to commit, which binds what was written to its rows.

    Args:
        source: what to write.
        write: puts one shard where it belongs.
        advance: called with the number of clips just written.
        behind: whether the next shard is read while one is written. It pays where each is waited
            for until it is on the disk; HDF5 does one thing at a time, and waits at the end.

    Raises:
        StoreError: what was read is damaged, or was exchanged meanwhile: nothing is committed.
    """
    header, hashes = source.header, list(source.header.shards_sha256)
    known = bool(hashes)

    def put(rows: slice, block: NDArray[np.float32]) -> None:
        write(rows.start, block)
        if not known:
            hashes.append(hash_rows(block, header.dtype))

    source.confirm()  # before hours of copying
    written = 0
    with Behind(put, ahead=behind and may_go_ahead(header)) as writing:
        for rows, block in source.blocks():
            writing(rows, block)  # the one before is written now
            if rows.start > written:
                advance(rows.start - written)
            written = rows.start
    advance(header.clips - written)
    source.confirm()
    return bind(header, hashes)
