"""The store as one HDF5 file: the names, chunks and checksums of the Zarr layout.

HDF5 files do not survive a writer that is killed, so a file is always written beside its
place by one writer from finished shards, and renamed at the end (commit.py and rewrite.py, by
`files.whole_file`). Nothing in it depends on when it was written: no time stamps, one library
format, one order of writing.

HDF5 can name data elsewhere (links to other files, raw files outside, datasets made of other
files' parts). A store never does, and a file that does is not read: it could hand out whatever
lies on the reader's disk.
"""

import json
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import one_line
from gensr.features.store import bounds, files, hdf5_columns, schema
from gensr.features.store.container import places, room_for
from gensr.features.store.errors import StoreError
from gensr.features.store.hdf5_extents import Extents
from gensr.features.store.schema import Header
from gensr.features.store.steady_file import SteadyFile
from gensr.features.store.table import Columns
from gensr.features.store.where import Where
from gensr.features.store.written import check_written

_TYPES = {"float32": "<f4", "float16": "<f2"}


class Hdf5Reader:
    """Reads one HDF5 store; see `Backend` in container.py."""

    def __init__(self, path: Where) -> None:
        self.path = path
        self._checked: dict[str, Any] = {}
        self._extents: Extents | None = None
        self._closing = ExitStack()
        # HDF5 reads a URL through Python: a file still open when the interpreter ends is a crash.
        weakref.finalize(self, self._closing.close)
        try:
            with files.reached(path):
                self._file = self._open(path)
        except OSError as error:
            self._closing.close()
            if files.is_blank(path):
                raise schema.torn(path) from None
            raise StoreError(f"{path} is not a gensr store: {one_line(error)}") from None
        try:
            self.header = Header.from_json(self._attribute(), path)
        except StoreError:
            self.close()
            raise

    def read(
        self, rows: slice, runs: Sequence[slice], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """See `Backend.read`."""
        vectors = self._vectors()
        room = room_for(self.header, rows, runs) if out is None else out
        for run, place in places(runs):
            part = room[:, place]
            if part.flags.c_contiguous and vectors.dtype == part.dtype:
                vectors.read_direct(part, np.s_[rows, run])
            else:  # HDF5 widens numbers by a slow way of its own
                part[...] = vectors[rows, run]
        return room

    def column(self, group: str, name: str) -> NDArray[Any]:
        """Return one column of a table; text as `str` objects."""
        full, kind = f"{group}/{name}", bounds.kind_of(group, name)
        rows = bounds.rows_of(self.header, group)
        if kind == "string" and rows and self._is_long(full):
            text, ends = (self._whole(part) for part in hdf5_columns.parts(full, self._is_long))
            return hdf5_columns.read_long_text(text, ends, rows, self.path, full)
        dataset = self._dataset(full)
        bounds.check_column(self.path, full, dataset.shape, rows)
        bounds.check_type(self.path, full, dataset.dtype, kind)
        self._whole(full)
        return hdf5_columns.read_text(dataset) if kind == "string" else np.asarray(dataset[:])

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the way the arrays are laid out."""
        header = self.header
        columns = [f"{schema.CLIPS}/{name}" for name in header.columns]
        failed = [f"{schema.FAILED}/{name}" for name in schema.FAILED_COLUMNS]
        for name in (schema.VECTORS, *columns, *failed):
            try:
                for part in hdf5_columns.parts(name, self._is_long):
                    self._dataset(part)
            except StoreError as error:
                yield f"array {name}: {error}"
                return
        vectors = self._dataset(schema.VECTORS)
        layers, width = len(header.layers), header.width
        found = (vectors.shape, vectors.chunks, vectors.dtype.str, vectors.fletcher32)
        wanted = (header.clips, layers, width), (header.shard_clips, 1, width)
        if found != (*wanted, _TYPES[header.dtype], True):
            yield f"array {schema.VECTORS} is not laid out as the header says"

    def close(self) -> None:
        """Close the file."""
        self._closing.close()

    def _open(self, path: Where) -> Any:
        files.check_regular(path, sys.maxsize)
        source = self._closing.enter_context(files.disk_of(path).opened(path))
        # No lock: a finished file never changes, and some network file systems have none.
        return self._closing.enter_context(h5py.File(source, "r", locking=False))

    def _attribute(self) -> object:
        try:
            return _parse(self._file.attrs.get(schema.ATTRIBUTE))
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise StoreError(f"{self.path}: the file is damaged ({one_line(error)})") from None

    def _vectors(self) -> Any:
        """Return the vectors, looked at before the first reading."""
        name = schema.VECTORS
        if name not in self._checked:
            found = self._dataset(name)
            bounds.check_vectors(self.path, self.header, found)
            self._whole(name)
            bounds.check_dense(self.path, found.nbytes)
            self._checked[name] = found
        return self._checked[name]

    def _whole(self, name: str) -> Any:
        """Return an array all of whose bytes are in the file, each for it alone."""
        found = self._dataset(name)
        if self._extents is None:
            self._extents = Extents(self._file.id.get_filesize())
        self._extents.claim(name, found)
        if name != schema.VECTORS:
            bounds.check_dense_column(self.path, name, found.nbytes)
        return found

    def _is_long(self, name: str) -> bool:
        """Whether a name is that of a column of long texts."""
        try:
            found = self._node(name)
            return isinstance(found, h5py.Group) and found.id.links.exists(
                hdf5_columns.ENDS.encode()
            )
        except (KeyError, OSError, RuntimeError):  # `_dataset` says why
            return False

    def _node(self, name: str) -> Any:
        """Return what a name leads to within this very file; `KeyError` where it leads out."""
        found = self._file
        for part in name.split("/"):
            if not isinstance(found, h5py.Group):
                raise KeyError(f"{found.name} is no group")
            # Asked of the link itself: `in` and `get` would open what it leads to.
            if found.id.links.get_info(part.encode()).type != h5py.h5l.TYPE_HARD:
                raise KeyError(f"{part} is a link to elsewhere")
            found = found[part]
        return found

    def _dataset(self, name: str) -> Any:
        """Return an array that lies in this very file.

        Raises:
            StoreError: there is none.
        """
        try:
            found = self._node(name)
            if not isinstance(found, h5py.Dataset):
                raise KeyError("it is no array")
            if found.is_virtual or found.external:
                raise KeyError("its data are elsewhere")
            how = found.id.get_create_plist()
            filters = {how.get_filter(number)[0] for number in range(how.get_nfilters())}
            if filters - {h5py.h5z.FILTER_FLETCHER32}:  # a few bytes could become gigabytes
                raise KeyError("it is compressed, which a store's arrays never are")
        except (KeyError, OSError, RuntimeError) as error:
            reason = " ".join(str(error.args[0] if error.args else error).split())
            raise StoreError(
                f"{self.path} has no array {name!r} that can be read ({reason}); extract again"
            ) from None
        return found


class Hdf5Writer:
    """Writes one HDF5 store from its first row to its header; complete once closed.

    Args:
        path: the file; one that is there is replaced.
        header: shape, type and shard size of the vectors.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._file: Any = None
        self._disk = SteadyFile(path)
        try:
            with self._disk.checked():
                self._begin(header)
        except OSError:
            self.close()
            raise

    def write(self, start: int, vectors: NDArray[np.float32]) -> None:
        """Write rows from `start` on, float32 (clips, layers, width).

        Raises:
            OSError: the disk refuses.
        """
        with self._disk.checked():
            self._file[schema.VECTORS][start : start + len(vectors)] = vectors

    def commit(self, header: Header, columns: Columns, failed: Columns) -> None:
        """Write tables and header, close the file, wait until it is on the disk, read them back.

        Raises:
            OSError: the disk refuses.
            StoreError: a column is not what was written.
        """
        with self._disk.checked():
            for group, table in ((schema.CLIPS, columns), (schema.FAILED, failed)):
                for name, values in table.items():
                    hdf5_columns.write_column(self._file, f"{group}/{name}", values)
            text = json.dumps(header.as_json(), ensure_ascii=False).encode()
            dtype = h5py.string_dtype("utf-8", len(text))
            self._file.attrs.create(schema.ATTRIBUTE, np.array(text).astype(dtype), dtype=dtype)
            self._file.close()
        self._disk.close()
        files.sync(self.path)
        reader = Hdf5Reader(self.path)
        try:
            check_written(reader, columns, failed)
        finally:
            reader.close()

    def close(self) -> None:
        """Close the file, whether or not it was committed."""
        if self._file is not None:
            self._file.close()
        self._disk.close()

    def _begin(self, header: Header) -> None:
        # The oldest format that holds attributes over 64 KiB and indexes chunks quickly.
        self._file = h5py.File(self._disk, "w", libver=("v110", "v110"))
        weakref.finalize(self, self._file.close)  # before the interpreter ends, whatever happens
        vectors = self._file.create_dataset(
            schema.VECTORS,
            shape=(header.clips, len(header.layers), header.width),
            maxshape=(None, len(header.layers), header.width),
            dtype=_TYPES[header.dtype],
            chunks=(header.shard_clips, 1, header.width),
            fletcher32=True,
            track_times=False,
        )
        for axis, name in enumerate(schema.DIMENSIONS):
            vectors.dims[axis].label = name


def _parse(found: object) -> object:
    try:
        return json.loads(found) if isinstance(found, str | bytes) else None
    except ValueError:
        return None
