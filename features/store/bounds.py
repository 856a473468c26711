"""What a file says of itself is held against the header before any of it is read.

A store may come from anywhere. A kilobyte of metadata can promise an array that no memory holds,
so shapes, types and the bytes that are really there are compared first.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gensr.estimator.errors import ConfigError
from gensr.features.store import files, schema
from gensr.features.store.errors import StoreError
from gensr.features.store.schema import Header
from gensr.features.store.where import Where

AGAIN = "the store is damaged, extract again with --overwrite"
TEXT_BYTES = 4
"""What the shortest text takes in Zarr, `vlen-utf8`: its length."""
SHARD_BYTES = 2**32
"""Largest shard in memory, float32; HDF5 has no larger chunk."""
_SMALL = 2**16
"""Bytes that nobody needs to be protected from."""
_MUCH = 2**28
"""Bytes of a column that a reader may have to be protected from."""


def rows_of(header: Header, group: str) -> int:
    """Return how many rows a table has."""
    return header.clips if group == schema.CLIPS else header.failed


def kind_of(group: str, name: str) -> str:
    """Return the type of a column: string, int64 or float64."""
    return schema.COLUMN_DTYPES.get(name, "string") if group == schema.CLIPS else "string"


def check_column(path: Where, name: str, shape: Sequence[int] | None, rows: int) -> None:
    """Refuse a column that is not of its table's length; HDF5 has arrays without a shape.

    Raises:
        StoreError: naming both.
    """
    shape = tuple(shape or ())
    if shape == (rows,):
        return
    found = f"{shape[0]} rows" if len(shape) == 1 else f"shape {shape}"
    raise StoreError(f"{path}: column {name} has {found}, the header says {rows}; {AGAIN}")


def check_type(path: Where, name: str, dtype: np.dtype[Any], kind: str) -> None:
    """Refuse a column of another type; `dtype` is numpy's for the column, whose text is any but O.

    Raises:
        StoreError: naming both.
    """
    if dtype != np.dtype(kind) if kind != "string" else dtype.kind not in "ST":
        raise StoreError(f"{path}: column {name} is of type {dtype}, not {kind}; {AGAIN}")


def check_vectors(path: Where, header: Header, array: Any) -> None:
    """Refuse vectors of another shape or type than the header's.

    Args:
        path: the store.
        header: what the vectors must be.
        array: the vectors, of either container, of which nothing is read.

    Raises:
        StoreError: naming both.
    """
    wanted = (header.clips, len(header.layers), header.width), np.dtype(header.dtype)
    found = tuple(array.shape or ()), array.dtype
    if found != wanted:
        raise StoreError(
            f"{path}: vectors are {found[1]} {found[0]}, the header says {wanted[1]} {wanted[0]}; "
            f"{AGAIN}"
        )


def check_held(held: int, needed: int) -> None:
    """Refuse an array of which less is there than it takes: the rest would be made up.

    Args:
        held: bytes in the file or files.
        needed: bytes that its values take at least.

    Raises:
        OSError: the array cannot be read; the caller says which.
    """
    if held < needed:
        raise OSError(f"it holds {held} bytes of {needed}")


def check_dense_column(path: Where, name: str, size: int) -> None:
    """Refuse a column of which most is a hole, in a local file.

    Texts that may be empty are zeros then, and may be holes: of those only large columns are
    looked at. Paths, hashes and numbers are no zeros.

    Args:
        path: the file that it is in.
        name: table and column.
        size: bytes of the column there.

    Raises:
        OSError: the column cannot be read; the caller says which.
    """
    group, _, column = name.partition("/")
    own = group == schema.CLIPS and column in schema.COLUMN_DTYPES
    full = own and column not in schema.LABEL_COLUMNS
    if full or size > _MUCH:
        check_dense(path, size)


def check_dense(path: Where, needed: int) -> None:
    """Refuse a file of which most is holes: they would read as zeros, with checksums to match.

    A file system that compresses makes holes of zeros too; vectors are none, so half will do.

    Args:
        path: a file, as large as it must be; at a URL nobody can tell.
        needed: bytes of the vectors in it.

    Raises:
        OSError: the vectors cannot be read; the caller says which.
    """
    if needed <= _SMALL:
        return
    held = files.held(path)
    if held is not None and 2 * held < needed:
        raise OSError(f"it holds {held} bytes of {needed}, the rest is a hole")


def check_shard(shard_clips: int, layers: int, width: int) -> None:
    """Refuse shards that no memory is meant for: reading, merging and verifying hold one.

    Args:
        shard_clips: rows of one shard.
        layers: vectors a row.
        width: numbers a vector.

    Raises:
        ConfigError: naming the largest.
    """
    most = max(1, SHARD_BYTES // (4 * layers * width))
    if shard_clips > most:
        raise ConfigError(
            f"shard_clips is {shard_clips}: with {layers} layers of width {width} it must be at "
            f"most {most} ({SHARD_BYTES >> 30} GiB in memory)"
        )
