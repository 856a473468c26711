"""The store as a Zarr v3 group: one file per shard, one inner chunk per layer of a shard.

The inner chunks let a reader fetch one layer of 25 at a 25th of the cost. Consolidated metadata
is not written: it would be a second copy of the header, to be kept true.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.buffer import cpu

from gensr.estimator.errors import one_line
from gensr.features.store import bounds, files, schema, zarr_layout
from gensr.features.store.container import places, room_for
from gensr.features.store.errors import StoreError
from gensr.features.store.schema import Header
from gensr.features.store.table import Columns, as_column
from gensr.features.store.where import Where
from gensr.features.store.written import check_written
from gensr.features.store.zarr_layout import METADATA, AnyArray
from gensr.features.store.zarr_shard import ShardFormat, shard_format


class ZarrReader:
    """Reads one Zarr store; see `Backend` in container.py."""

    def __init__(self, path: Where) -> None:
        self.path = path
        try:
            zarr_layout.check_metadata(path)
            with files.reached(path):
                self._group = zarr.open_group(
                    files.disk_of(path).zarr(path, read_only=True),
                    mode="r",
                    zarr_format=3,
                    use_consolidated=False,
                )
        except StoreError:
            raise
        except FileNotFoundError:
            raise StoreError(f"{path} is not a gensr store; `gensr extract` makes one") from None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror or error}") from None
        except Exception as error:  # zarr raises of all kinds over metadata that make no sense
            if files.disk_of(path).tears and zarr_layout.is_torn(path):
                raise schema.torn(path) from None
            raise StoreError(f"{path} is not a gensr store: {one_line(error)}") from None
        self.header = Header.from_json(self._group.attrs.get(schema.ATTRIBUTE), path)

    def read(
        self, rows: slice, runs: Sequence[slice], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """See `Backend.read`."""
        vectors, shards = self.checked(rows)
        room = room_for(self.header, rows, runs) if out is None else out
        if files.disk_of(self.path).far:  # zarr asks for the chunks that are wanted, all at once
            for run, place in places(runs):
                part = cpu.NDBuffer.from_numpy_array(room[:, place])
                vectors.get_basic_selection((rows, run), out=part)
            return room
        start = rows.start - rows.start % shards.rows
        within = slice(rows.start - start, rows.stop - start)
        with self._shard(vectors, start).open("rb") as file:
            for run, place in places(runs):
                shards.read(file, within, run, room[:, place])
        return room

    def checked(self, rows: slice) -> tuple[AnyArray, ShardFormat]:
        """Return the vectors, of which the shards of these rows are there and whole in size.

        Raises:
            OSError: one is not.
            StoreError: the vectors are not laid out as the header says.
        """
        vectors = self._array(schema.VECTORS)
        bounds.check_vectors(self.path, self.header, vectors)
        shards = zarr_layout.plain_vectors(vectors, self.header)
        if shards is None:
            raise StoreError(f"{self.path}: vectors are compressed, or cut up; {bounds.AGAIN}")
        for start in range(rows.start - rows.start % shards.rows, rows.stop, shards.rows):
            self._look(vectors, shards, start)
        return vectors, shards

    def column(self, group: str, name: str) -> NDArray[Any]:
        """Return one column of a table; text as `str` objects."""
        full, kind = f"{group}/{name}", bounds.kind_of(group, name)
        array, rows = self._array(full), bounds.rows_of(self.header, group)
        bounds.check_column(self.path, full, array.shape, rows)
        if not zarr_layout.is_plain_column(array):
            raise StoreError(f"{self.path}: column {full} is not one plain chunk; {bounds.AGAIN}")
        bounds.check_type(self.path, full, array.dtype, kind)
        if rows:
            self._check_held(full, array)
        values = np.asarray(array[:])
        return as_column(values.tolist(), kind) if kind == "string" else values

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the files that say how the arrays are laid out."""
        for name in ("", schema.CLIPS, schema.FAILED):
            yield from self._faults_of(name, f"group {name or 'at the root'}")
        for name, expected in zarr_layout.expected_arrays(self.header).items():
            yield from self._faults_of(name, f"array {name}", expected)
            if name != schema.VECTORS and expected.size:
                chunk = self.path / name / expected.metadata.encode_chunk_key((0,))
                with files.reached(self.path):
                    lost = not files.exists(chunk)
                if lost:  # zarr would answer with empty text, or zeros
                    yield f"array {name} has lost its data"

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def _faults_of(self, name: str, what: str, expected: AnyArray | None = None) -> Iterator[str]:
        try:
            zarr_layout.check_metadata(self.path / name)
            with files.reached(self.path):
                raw = (self.path / name / METADATA).read_bytes()
                found = self._group[name] if name else self._group
            unknown = zarr_layout.unknown_keys(json.loads(raw))
            same = (
                found.metadata == expected.metadata
                if expected is not None
                else isinstance(found, zarr.Group) and len(found.attrs) == (not name)
            )
        except StoreError:
            raise
        except Exception as error:  # as in __init__
            yield f"{what}: {one_line(error)}"
            return
        if unknown or not same:
            yield f"{what} is not laid out as the header says"

    def _check_held(self, name: str, column: AnyArray) -> None:
        """Refuse a column whose file is lost, or too small for it: zarr would make values up."""
        chunk = self.path / name / column.metadata.encode_chunk_key((0,))
        try:
            held = files.size(chunk)
        except FileNotFoundError:
            raise OSError("its data are lost") from None
        size = column.dtype.itemsize if column.dtype.kind in "if" else bounds.TEXT_BYTES
        bounds.check_held(held, column.shape[0] * size)
        bounds.check_dense_column(chunk, name, held)

    def _look(self, vectors: AnyArray, shards: ShardFormat, start: int) -> None:
        """Refuse a shard file that is lost or empty: zarr would answer with zeros."""
        path, number = self._shard(vectors, start), start // shards.rows
        try:
            size = files.size(path)
        except FileNotFoundError:
            raise OSError(f"shard {number} is missing") from None
        if size != shards.size:
            raise OSError(f"shard {number} has {size} bytes, not {shards.size}")
        rows = min(shards.rows, self.header.clips - start)
        needed = rows * math.prod(vectors.shape[1:]) * vectors.dtype.itemsize
        # What fills the last shard up may be holes, but not more than any memory takes.
        bounds.check_dense(path, needed if size <= bounds.SHARD_BYTES else size)

    def _shard(self, vectors: AnyArray, start: int) -> Where:
        return self.path / schema.VECTORS / zarr_layout.shard_key(vectors, start)

    def _array(self, name: str) -> AnyArray:
        try:
            zarr_layout.check_metadata(self.path / name)
            with files.reached(self.path):
                found = self._group[name]
            if not isinstance(found, zarr.Array):
                raise StoreError(f"{self.path}: {name!r} is no array; {bounds.AGAIN}")
            return found
        except StoreError:
            raise
        except KeyError:
            raise StoreError(f"{self.path} has no array {name!r}; extract again") from None
        except Exception as error:  # as in __init__
            raise StoreError(
                f"{self.path}: array {name!r} is damaged ({one_line(error)}); extract again"
            ) from None


def discard(path: Where) -> None:
    """Remove an unfinished store; killed meanwhile, what is left still says what it is."""
    if files.is_folder(path):
        for name in (schema.VECTORS, schema.CLIPS, schema.FAILED):
            files.remove(path / name)
    files.remove(path)
    files.sync(path.parent)


class ZarrWriter:
    """Writes one Zarr store, shard by shard, and commits it by its header.

    Args:
        path: an existing store made by `create`, committed or not.
    """

    def __init__(self, path: Where) -> None:
        self.path = path
        self._metadata = zarr_layout.vectors_metadata(path).read_bytes()
        self._vectors = zarr_layout.vectors_of(self._metadata)
        shards = shard_format(self._vectors)
        if shards is None:
            raise StoreError(f"{path}: vectors are not laid out as this gensr writes them")
        self._shards = shards

    @classmethod
    def create(cls, path: Where, header: Header) -> "ZarrWriter":
        """Make an empty store with room for the header's rows, none of them committed."""
        storage = files.disk_of(path).zarr(path, read_only=False)
        zarr_layout.create_vectors(zarr_layout.create_group(storage, header), header)
        files.sync_all(path)
        files.sync(path)
        return cls(path)

    @classmethod
    def fit(cls, path: Where, header: Header) -> None:
        """Give an unfinished store the number of rows that the header has now.

        Its shards stay as they are, but for those beyond the last row. What a power cut, or a
        kill while it was discarded, left of the rest is made whole.
        """
        metadata = zarr_layout.vectors_metadata(path)
        files.make_folders(metadata.parent, path)
        for file, wanted in (
            (path / METADATA, zarr_layout.group_json(header.uncommitted())),
            (metadata, zarr_layout.vectors_json(header)),
        ):
            if not file.is_file() or file.read_bytes() != wanted:
                files.write_atomic(file, wanted)
        chunks = metadata.parent / "c"
        count = -(-header.clips // header.shard_clips)
        if chunks.is_dir():
            for name in files.names(chunks):
                if name.isdecimal() and int(name) >= count:
                    files.remove(chunks / name)

    def write(
        self, start: int, vectors: NDArray[Any], check: Callable[[], None] | None = None
    ) -> None:
        """Write the rows of one shard, whole, and wait until they are on the disk.

        Args:
            start: first row, a multiple of the shard's size.
            vectors: (clips, layers, width), the shard's every row.
            check: called when only the renaming is left, or before the object is put; what it
                raises, stops it.
        """
        chunk = self._chunk(start)
        files.make_folders(chunk.parent, self.path / schema.VECTORS)
        files.write_atomic(chunk, self._shards.encode(vectors), check)

    def link(self, source: Where, start: int) -> bool:
        """Take one shard's file over from another store; False where the layouts differ.

        The new name lasts from the commit on.
        """
        theirs = json.loads(zarr_layout.vectors_metadata(source).read_bytes())
        if not zarr_layout.same_layout(theirs, json.loads(self._metadata)):
            return False
        chunk = self._chunk(start)
        chunk.parent.mkdir(parents=True, exist_ok=True)
        key = zarr_layout.shard_key(self._vectors, start)
        files.link_or_copy(source / schema.VECTORS / key, chunk)
        return True

    def commit(self, header: Header, columns: Columns, failed: Columns) -> None:
        """Write the tables, read them back, then write the header: now the store can be read.

        Raises:
            StoreError: a column is not what was written, whatever it was that changed it.
        """
        storage = files.disk_of(self.path).zarr(self.path, read_only=False)
        group = zarr.open_group(storage, mode="r+", zarr_format=3, use_consolidated=False)
        for table, columns_of in ((schema.CLIPS, columns), (schema.FAILED, failed)):
            # A commit that was killed may have had other columns.
            files.remove(self.path / table)
            for name, values in columns_of.items():
                text = values.dtype.kind == "O"
                array = zarr_layout.create_column(
                    group, table, name, len(values), "string" if text else str(values.dtype)
                )
                if len(values):
                    array[:] = values
        files.sync_all(self.path, but=schema.VECTORS)  # shards last already, or are another's
        reader = ZarrReader(self.path)
        reader.header = header
        check_written(reader, columns, failed)
        # Not by zarr, which does not flush a file before it takes its place.
        files.write_atomic(self.path / METADATA, zarr_layout.group_json(header))

    def _chunk(self, start: int) -> Where:
        return self.path / schema.VECTORS / zarr_layout.shard_key(self._vectors, start)
