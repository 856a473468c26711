"""The store as a Zarr v3 group: one file per shard, one inner chunk per layer of a shard.

A shard file is written whole by one writer, so no two writers ever meet in a chunk (Zarr has
no locks). The inner chunks let a reader fetch one layer of 25 at a 25th of the cost. Vectors
are not compressed: the low bits of a float are noise, and zstd gains under a tenth for several
times the time. Each inner chunk carries a CRC-32C instead. Consolidated metadata is not
written: it would be a second copy of the header, to be kept true.
"""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.buffer import Buffer
from zarr.codecs import Crc32cCodec
from zarr.storage import LocalStore

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.schema import Header
from gensr.features.store.table import Columns


class ZarrReader:
    """Reads one Zarr store; see `Backend` in open.py."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._group = zarr.open_group(
                LocalStore(path, read_only=True), mode="r", zarr_format=3, use_consolidated=False
            )
        except (FileNotFoundError, ValueError):
            raise StoreError(f"{path} is not a gensr store; `gensr extract` makes one") from None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror or error}") from None
        self.header = Header.from_json(self._group.attrs.get(schema.ATTRIBUTE), path)

    def read(self, rows: slice, layers: slice) -> NDArray[np.float32]:
        """Return `vectors[rows, layers]`, (clips, layers, width)."""
        vectors = self._array(schema.VECTORS)
        shard = self.header.shard_clips
        for start in range(rows.start - rows.start % shard, rows.stop, shard):
            if not _chunk(vectors, self.path, start).is_file():  # Zarr would answer with zeros
                raise OSError(f"shard {start // shard} is missing")
        return np.asarray(vectors[rows, layers], dtype=np.float32)

    def column(self, group: str, name: str) -> NDArray[Any]:
        """Return one column of a table; text as numpy `str`."""
        values = np.asarray(self._array(f"{group}/{name}")[:])
        return values if values.dtype.kind in "if" else np.asarray(values.tolist(), dtype=str)

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def _array(self, name: str) -> "zarr.Array[Any]":
        try:
            return cast("zarr.Array[Any]", self._group[name])
        except KeyError:
            raise StoreError(f"{self.path} has no array {name!r}; extract again") from None


class _Folder(LocalStore):
    """A folder of any file system: zarr's own makes files by hard links, which not all have."""

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Write what is not there yet; there is one writer, so nobody comes in between."""
        if not await self.exists(key):
            await self.set(key, value)


class ZarrWriter:
    """Writes one Zarr store, shard by shard, and commits it by its header.

    Args:
        path: an existing store made by `create`, committed or not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._group = zarr.open_group(
            _Folder(path), mode="r+", zarr_format=3, use_consolidated=False
        )
        self.vectors = cast("zarr.Array[Any]", self._group[schema.VECTORS])

    @classmethod
    def create(cls, path: Path, clips: int, header: Header) -> "ZarrWriter":
        """Make an empty store with room for `clips` rows; the header's own count is not read."""
        layers, width, shard = len(header.layers), header.width, header.shard_clips
        group = zarr.create_group(
            _Folder(path), zarr_format=3, attributes={schema.ATTRIBUTE: _uncommitted(header)}
        )
        group.create_array(
            schema.VECTORS,
            shape=(clips, layers, width),
            dtype="float32",
            chunks=(shard, 1, width),
            shards=(shard, layers, width),
            compressors=Crc32cCodec(),
            fill_value=0,
            dimension_names=schema.DIMENSIONS,
            config={"write_empty_chunks": True},
        )
        files.sync(path)
        return cls(path)

    def write(self, start: int, vectors: NDArray[np.float32]) -> None:
        """Write the rows of one shard, whole, and wait until they are on the disk.

        Args:
            start: first row, a multiple of the shard's size.
            vectors: float32 (clips, layers, width), the shard's every row.
        """
        chunk = _chunk(self.vectors, self.path, start)
        chunk.unlink(missing_ok=True)  # a damaged one would be read first, to be merged
        self.vectors[start : start + len(vectors)] = vectors
        files.sync(chunk)
        files.sync(chunk.parent)

    def link(self, source: Path, start: int) -> bool:
        """Take one shard's file over from another store; False where the layouts differ."""
        if _layout(source) != _layout(self.path):
            return False
        files.link_or_copy(
            _chunk(self.vectors, source, start), _chunk(self.vectors, self.path, start)
        )
        return True

    def commit(self, header: Header, columns: Columns, failed: Columns) -> None:
        """Write the tables, then the header: from here on the store can be read."""
        for name, values in columns.items():
            self._write_column(f"{schema.CLIPS}/{name}", values)
        for name, values in failed.items():
            self._write_column(f"{schema.FAILED}/{name}", values)
        for path in self.path.rglob("*"):
            if schema.VECTORS not in path.relative_to(self.path).parts[:1]:
                files.sync(path)
        self._group.attrs.put({schema.ATTRIBUTE: header.as_json()})
        files.sync(self.path / "zarr.json")
        files.sync(self.path)

    def _write_column(self, name: str, values: NDArray[Any]) -> None:
        kind = "string" if values.dtype.kind == "U" else values.dtype
        array = self._group.create_array(
            name,
            shape=values.shape,
            dtype=kind,
            chunks=(max(1, len(values)),),
            compressors=None,
            dimension_names=(schema.DIMENSIONS[0] if name.startswith(schema.CLIPS) else "file",),
            config={"write_empty_chunks": True},
            overwrite=True,
        )
        if len(values):
            array[:] = values.astype(object) if kind == "string" else values


def _chunk(vectors: "zarr.Array[Any]", root: Path, start: int) -> Path:
    """Return the file of the shard that begins with row `start`."""
    shard = (vectors.shards or vectors.chunks)[0]
    return root / schema.VECTORS / vectors.metadata.encode_chunk_key((start // shard, 0, 0))


def _uncommitted(header: Header) -> dict[str, Any]:
    return {**header.as_json(), "clips": 0, "failed": 0, "audios": 0}


def _layout(path: Path) -> dict[str, Any]:
    """How an array's files are laid out: its metadata, but for the number of rows."""
    found: dict[str, Any] = json.loads((path / schema.VECTORS / "zarr.json").read_bytes())
    found["shape"] = found["shape"][1:]
    return found
