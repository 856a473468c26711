"""A shard file of the Zarr store, read and written by its layout: no copy more than is needed.

zarr decodes a shard by way of three copies of it, each in memory whole. Where the vectors are laid
out as a store of ours has them (`shard_format` asks zarr itself), one chunk is enough: it is read,
compared with its checksum, and put where it is to lie, while it is in the processor's cache.

    layer 0 | CRC | layer 1 | CRC | ... | where each layer begins, and its length | CRC

Each CRC is CRC-32C, 4 bytes; the index is pairs of uint64; all numbers are little-endian, and the
values of a layer are (rows, width). The bytes are those that zarr writes.
"""

from dataclasses import dataclass
from typing import Any

import google_crc32c
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec

CRC = 4
"""Bytes of a checksum."""
_PAIR = np.dtype("<u8")
_ENTRY = 2 * _PAIR.itemsize


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFormat:
    """How a shard's values lie in its file."""

    rows: int
    layers: int
    width: int
    dtype: np.dtype[Any]
    """Of the values, little-endian."""

    @property
    def size(self) -> int:
        """Bytes of every shard file."""
        return self.layers * (self._chunk + _ENTRY) + CRC

    def encode(self, vectors: NDArray[Any]) -> memoryview:
        """Return the bytes of a shard file.

        Args:
            vectors: (rows, layers, width); what the last shard lacks of rows is zeros.
        """
        data = np.empty(self.size, np.uint8)
        index = np.empty((self.layers, 2), _PAIR)
        for layer in range(self.layers):
            start = layer * self._chunk
            chunk = data[start : start + self._chunk]
            values = self._values(chunk)
            values[: len(vectors)] = vectors[:, layer]
            values[len(vectors) :] = 0
            _seal(chunk)
            index[layer] = start, self._chunk
        tail = data[self.layers * self._chunk :]
        tail[:-CRC] = index.reshape(-1).view(np.uint8)
        _seal(tail)
        return data.data

    def read(self, file: Any, rows: slice, layers: slice, out: NDArray[np.float32]) -> None:
        """Read rows of neighbouring layers into their place.

        Args:
            file: a shard file of the right size, open to read bytes from.
            rows: of the shard, from 0 on.
            layers: which.
            out: (rows, layers, width).

        Raises:
            OSError: the file is damaged.
        """
        chunk = np.empty(self._chunk, np.uint8)
        values = self._values(chunk)[rows]
        starts = self._starts(file)
        for place, layer in enumerate(range(layers.start, layers.stop)):
            file.seek(starts[layer])
            _fill(file, chunk, f"layer {layer}")
            out[:, place] = values

    @property
    def _chunk(self) -> int:
        return self.rows * self.width * self.dtype.itemsize + CRC

    def _values(self, chunk: NDArray[np.uint8]) -> NDArray[Any]:
        return chunk[:-CRC].view(self.dtype).reshape(self.rows, self.width)

    def _starts(self, file: Any) -> list[int]:
        """Return where each layer's chunk begins: none is missing, no two are one."""
        tail = np.empty(self.layers * _ENTRY + CRC, np.uint8)
        file.seek(self.size - len(tail))
        _fill(file, tail, "the index")
        index = tail[:-CRC].view(_PAIR).reshape(self.layers, 2)
        starts = [int(start) for start in index[:, 0]]
        every = range(0, self.layers * self._chunk, self._chunk)
        if sorted(starts) != list(every) or (index[:, 1] != self._chunk).any():
            raise OSError("its index does not lead to one chunk a layer")
        return starts


def shard_format(vectors: "zarr.Array[Any]") -> ShardFormat | None:
    """Return how an array's shards lie in their files; None where not as in a store of ours."""
    if vectors.shards is None:
        return None
    rows, layers, width = vectors.shards
    plain: list[Any] = [BytesCodec(endian="little"), Crc32cCodec()]
    own = ShardingCodec(
        chunk_shape=(rows, 1, width), codecs=plain, index_codecs=plain, index_location="end"
    )
    if tuple(getattr(vectors.metadata, "codecs", ())) != (own,):
        return None
    dtype = vectors.dtype.newbyteorder("<")
    return ShardFormat(rows=rows, layers=layers, width=width, dtype=dtype)


def _seal(data: NDArray[np.uint8]) -> None:
    """Write the checksum of all before it into the last bytes."""
    data[-CRC:] = np.frombuffer(_crc(data), np.uint8)


def _fill(file: Any, data: NDArray[np.uint8], what: str) -> None:
    """Read as many bytes as there is room for, the last ones their checksum."""
    if file.readinto(data.data) != len(data):
        raise OSError(f"{what} is cut off")
    if data[-CRC:].tobytes() != _crc(data):
        raise OSError(f"{what} has another checksum")


def _crc(data: NDArray[np.uint8]) -> bytes:
    return int(google_crc32c.value(data[:-CRC])).to_bytes(CRC, "little")
