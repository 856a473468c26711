"""Which vectors are which rows': one hash a shard, held by the header.

A chunk's checksum tells that its bytes are those that were written, not that they were written
here: two shards that have changed places, or a shard of another store, are as sound as any. So
the header holds a hash of every shard's rows, and whoever reads a shard whole compares.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.features.store import schema
from gensr.features.store.schema import Header


def hash_rows(vectors: NDArray[Any], dtype: str) -> str:
    """SHA-256 of vectors as a store keeps them: little-endian, C order, nothing filled up.

    Args:
        vectors: (rows, layers, width), of any type that holds the store's values exactly.
        dtype: type of the store, one of `schema.DTYPES`.
    """
    stored = np.ascontiguousarray(vectors, dtype=np.dtype(dtype).newbyteorder("<"))
    return hashlib.sha256(stored.data).hexdigest()


def bind(header: Header, hashes: Iterable[str]) -> Header:
    """Return a header to be committed, of today's format, with the hash of every shard."""
    return replace(header, version=schema.VERSION, shards_sha256=tuple(hashes))
