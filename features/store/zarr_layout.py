"""How a store's arrays are laid out as Zarr v3, and a shard's bytes, made in memory.

A shard file is written whole, so no two writers ever meet in a chunk (Zarr has no locks). Its
bytes are zarr's own, made in a store that lives in memory and holds nothing but the array's
metadata. That leaves the writing to us: under a name of its own, flushed, renamed. A file
made in place could be torn, or for a moment absent, where two processes write the same shard.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.buffer import cpu
from zarr.codecs import BytesCodec, Crc32cCodec, VLenUTF8Codec
from zarr.storage import MemoryStore

from gensr.features.store import files, schema
from gensr.features.store.schema import Header
from gensr.features.store.where import Where

AnyArray = zarr.Array[Any]
METADATA = "zarr.json"
_MOST = 2**28
"""No `zarr.json` has more bytes: a thousand million clips in shards of 256 take as many."""
_NEVER = -30_000.0
"""What no layer of a shard holds everywhere; exact in float16."""
_CRC, _OFFSET_AND_LENGTH = 4, 16
_PLAIN = (BytesCodec, VLenUTF8Codec)
"""What numbers, and text, are written by; a nested shard would be neither."""
_KEYS = frozenset(
    {
        "attributes",
        "chunk_grid",
        "chunk_key_encoding",
        "chunk_shape",
        "codecs",
        "configuration",
        "consolidated_metadata",
        "data_type",
        "dimension_names",
        "endian",
        "fill_value",
        "index_codecs",
        "index_location",
        "name",
        "node_type",
        "separator",
        "shape",
        "storage_transformers",
        "zarr_format",
    }
)
"""Names that Zarr v3 gives to the parts of a `zarr.json`, as far as a store of ours has them."""
_ALL_CHUNKS: Any = {"write_empty_chunks": True}
"""Zeros are data like any other: a chunk that is absent is always damage. See `ShardFormat` too."""


def create_group(store: Store, header: Header) -> zarr.Group:
    """Make the root; its header says that nothing may be read yet."""
    return zarr.create_group(
        store, zarr_format=3, attributes={schema.ATTRIBUTE: header.uncommitted().as_json()}
    )


def group_json(header: Header) -> bytes:
    """Return the root's `zarr.json` with a header, as zarr itself writes it.

    So that the writing is ours: flushed before it takes its place. zarr's own file would, for a
    moment, be what a power cut leaves empty.
    """
    made: dict[str, Any] = {}
    attributes = {schema.ATTRIBUTE: header.as_json()}
    zarr.create_group(MemoryStore(made), zarr_format=3, attributes=attributes)
    return bytes(made[METADATA].to_bytes())


def is_torn(path: Where) -> bool:
    """Whether a folder is a store whose root says nothing: its file is empty, or torn.

    A store by its vectors, whose own file may have met the same.
    """
    try:
        if not _is_lost(path / METADATA):
            return False
        metadata = path / schema.VECTORS / METADATA
        if _is_lost(metadata):
            return True
        found = json.loads(metadata.read_bytes())
        return isinstance(found, dict) and found.get("dimension_names") == [*schema.DIMENSIONS]
    except OSError:
        return False


def check_metadata(folder: Where) -> None:
    """Refuse a `zarr.json` that may hold its reader for ever, or fill its memory.

    Raises:
        OSError: it is no regular file, or larger than any store's.
        ValueError: it is empty. Of such a one nothing is read: the kernel has some that never end.
    """
    file = folder / METADATA
    if files.check_regular(file, _MOST) == 0:
        raise ValueError(f"{METADATA} is empty")


def _is_lost(file: Where) -> bool:
    if not file.stat().st_size:
        return True
    try:
        json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return True
    return False


def create_vectors(group: zarr.Group, header: Header) -> None:
    """Make the array of vectors: one file a shard, in it one chunk a layer.

    Vectors are not compressed: the low bits of a float are noise, and zstd gains under a
    tenth for several times the time. Each inner chunk carries a CRC-32C instead.
    """
    layers, width, shard = len(header.layers), header.width, header.shard_clips
    group.create_array(
        schema.VECTORS,
        shape=(header.clips, layers, width),
        dtype=header.dtype,
        chunks=(shard, 1, width),
        shards=(shard, layers, width),
        compressors=Crc32cCodec(),
        fill_value=0,
        dimension_names=schema.DIMENSIONS,
        config=_ALL_CHUNKS,
    )


def vectors_json(header: Header) -> bytes:
    """Return the `zarr.json` of the array of vectors, as `create_vectors` writes it."""
    made: dict[str, Any] = {}
    create_vectors(create_group(MemoryStore(made), header), header)
    return bytes(made[f"{schema.VECTORS}/{METADATA}"].to_bytes())


def create_column(group: zarr.Group, table: str, name: str, length: int, kind: str) -> AnyArray:
    """Make a column of a table: one chunk, with a checksum."""
    return group.create_array(
        f"{table}/{name}",
        shape=(length,),
        dtype=kind,
        chunks=(max(1, length),),
        compressors=Crc32cCodec(),
        dimension_names=(schema.DIMENSIONS[0] if table == schema.CLIPS else "file",),
        config=_ALL_CHUNKS,
    )


def is_plain_column(column: AnyArray) -> bool:
    """Whether a column is one chunk, not compressed: its file is as large as its values."""
    return column.chunks == (max(1, *column.shape),) and column.shards is None and _is_plain(column)


def are_plain_vectors(vectors: AnyArray, header: Header) -> bool:
    """Whether vectors are divided as the header says, not compressed: a few bytes are not many."""
    layers, width, shard = len(header.layers), header.width, header.shard_clips
    divided = vectors.chunks == (shard, 1, width) and vectors.shards == (shard, layers, width)
    return divided and _is_plain(vectors)


def _is_plain(array: AnyArray) -> bool:
    """Whether values are written as they are, with a checksum at most."""
    checked = all(isinstance(codec, Crc32cCodec) for codec in array.compressors)
    return checked and not array.filters and isinstance(array.serializer, _PLAIN)


def expected_arrays(header: Header) -> dict[str, AnyArray]:
    """Return every array that a committed store has, empty, as this version of zarr makes it."""
    group = create_group(MemoryStore(), header)
    create_vectors(group, header)
    for name in header.columns:
        kind = schema.COLUMN_DTYPES.get(name, "string")
        create_column(group, schema.CLIPS, name, header.clips, kind)
    for name in schema.FAILED_COLUMNS:
        create_column(group, schema.FAILED, name, header.failed, "string")
    columns = [f"{schema.CLIPS}/{name}" for name in header.columns]
    failed = [f"{schema.FAILED}/{name}" for name in schema.FAILED_COLUMNS]
    return {name: cast("AnyArray", group[name]) for name in (schema.VECTORS, *columns, *failed)}


class ShardFormat:
    """Rows in, the bytes of their shard file out.

    Args:
        metadata: the `zarr.json` of the array of vectors.
    """

    def __init__(self, metadata: bytes) -> None:
        plain = json.loads(metadata)
        shard = plain["chunk_grid"]["configuration"]["chunk_shape"][0]
        plain["shape"][0] += -plain["shape"][0] % shard
        # Within a shard zarr leaves a chunk out that holds the fill value alone, whatever the
        # config: a layer of zeros would be missing.
        plain["fill_value"] = _NEVER
        text = json.dumps(plain).encode()
        self._files: dict[str, Any] = {METADATA: cpu.Buffer.from_bytes(text)}
        self._array: AnyArray = zarr.open_array(
            MemoryStore(self._files), mode="r+", zarr_format=3, config=_ALL_CHUNKS
        )

    def key(self, start: int) -> str:
        """Return the file of the shard that begins with row `start`, within the array."""
        return shard_key(self._array, start)

    def encode(self, start: int, vectors: NDArray[Any]) -> memoryview:
        """Return the bytes of one shard file.

        Args:
            start: first row, a multiple of the shard's size.
            vectors: (clips, layers, width), the shard's every row.
        """
        whole = np.zeros(self._array.shards or self._array.chunks, dtype=self._array.dtype)
        whole[: len(vectors)] = vectors
        self._array[start : start + len(whole)] = whole
        return memoryview(self._files.pop(self.key(start)).as_buffer_like())


def shard_key(vectors: AnyArray, start: int) -> str:
    """Return the file of the shard that begins with row `start`, within the array."""
    shard = (vectors.shards or vectors.chunks)[0]
    return str(vectors.metadata.encode_chunk_key((start // shard, 0, 0)))


def shard_bytes(vectors: AnyArray) -> int:
    """Return the size of every shard file: data, a CRC for each chunk, an index with one more."""
    layers = vectors.shape[1]
    data = math.prod(vectors.shards or vectors.chunks) * vectors.dtype.itemsize
    return data + layers * (_CRC + _OFFSET_AND_LENGTH) + _CRC


def unknown_keys(metadata: object) -> list[str]:
    """Return the keys of a parsed `zarr.json` that mean nothing there; zarr passes over some."""
    if isinstance(metadata, list):
        return [key for part in metadata for key in unknown_keys(part)]
    if not isinstance(metadata, dict):
        return []
    found = [key for key in metadata if key not in _KEYS]
    inner = (value for key, value in metadata.items() if key != "attributes")
    return found + [key for part in inner for key in unknown_keys(part)]


def same_layout(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two arrays' metadata (parsed `zarr.json`) agree but for the number of rows."""
    return _without_rows(one) == _without_rows(other)


def vectors_metadata(path: Where) -> Where:
    """Return the file of a store that says how the vectors are laid out."""
    return path / schema.VECTORS / METADATA


def _without_rows(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {**metadata, "shape": metadata["shape"][1:]}
