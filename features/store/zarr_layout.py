"""How a store's arrays are laid out as Zarr v3: groups, vectors, columns, and their `zarr.json`.

Arrays that live in memory, and hold no data, tell how zarr itself would have them.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

import zarr
from zarr.abc.store import Store
from zarr.buffer import cpu
from zarr.codecs import BytesCodec, Crc32cCodec, VLenUTF8Codec
from zarr.storage import MemoryStore

from gensr.features.store import files, schema
from gensr.features.store.schema import Header
from gensr.features.store.where import Where
from gensr.features.store.zarr_shard import ShardFormat, shard_format

AnyArray = zarr.Array[Any]
METADATA = "zarr.json"
_MOST = 2**28
"""No `zarr.json` has more bytes: a thousand million clips in shards of 256 take as many."""
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
"""Zeros are data like any other: a chunk that is absent is always damage."""


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


def plain_vectors(vectors: AnyArray, header: Header) -> ShardFormat | None:
    """Return how shards lie in their files; None where they are not divided as the header says.

    Nor where they are compressed: a few bytes are not many.
    """
    layers, width, shard = len(header.layers), header.width, header.shard_clips
    divided = vectors.chunks == (shard, 1, width) and vectors.shards == (shard, layers, width)
    return shard_format(vectors) if divided else None


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


def shard_key(vectors: AnyArray, start: int) -> str:
    """Return the file of the shard that begins with row `start`, within the array."""
    shard = (vectors.shards or vectors.chunks)[0]
    return str(vectors.metadata.encode_chunk_key((start // shard, 0, 0)))


def vectors_of(metadata: bytes) -> AnyArray:
    """Return the array that a `zarr.json` is of, without its data."""
    return zarr.open_array(
        MemoryStore({METADATA: cpu.Buffer.from_bytes(metadata)}), mode="r", zarr_format=3
    )


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
