"""The store as one HDF5 file: the names, chunks and checksums of the Zarr layout.

HDF5 files do not survive a writer that is killed, so a file is always written beside its
place by one writer from finished shards, and renamed at the end (convert.py). Nothing in it
depends on when it was written: no time stamps, one library format, one order of writing.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.schema import Header
from gensr.features.store.table import Columns


class Hdf5Reader:
    """Reads one HDF5 store; see `Backend` in open.py."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # No lock: a finished file never changes, and some network file systems have none.
            self._file = h5py.File(path, "r", locking=False)
        except OSError as error:
            reason = " ".join(str(error).split())
            raise StoreError(f"{path} is not a gensr store: {reason}") from None
        try:
            found = self._file.attrs.get(schema.ATTRIBUTE)
            self.header = Header.from_json(_parse(found), path)
        except StoreError:
            self._file.close()
            raise

    def read(self, rows: slice, layers: slice) -> NDArray[np.float32]:
        """Return `vectors[rows, layers]`, (clips, layers, width)."""
        return np.asarray(self._dataset(schema.VECTORS)[rows, layers], dtype=np.float32)

    def column(self, group: str, name: str) -> NDArray[Any]:
        """Return one column of a table; text as numpy `str`."""
        dataset = self._dataset(f"{group}/{name}")
        if h5py.check_string_dtype(dataset.dtype) is None:
            return np.asarray(dataset[:])
        return np.asarray(dataset.asstr()[:].tolist(), dtype=str)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _dataset(self, name: str) -> Any:
        if name not in self._file:
            raise StoreError(f"{self.path} has no array {name!r}; extract again")
        return self._file[name]


class Hdf5Writer:
    """Writes one HDF5 store from its first row to its header; complete once closed.

    Args:
        path: the file; one that is there is replaced.
        clips: number of rows.
        header: layers, width and shard size of the vectors.
    """

    def __init__(self, path: Path, clips: int, header: Header) -> None:
        self.path = path
        # The oldest format that holds attributes over 64 KiB and indexes chunks quickly.
        self._file = h5py.File(path, "w", libver=("v110", "v110"))
        self._vectors = self._file.create_dataset(
            schema.VECTORS,
            shape=(clips, len(header.layers), header.width),
            maxshape=(None, len(header.layers), header.width),
            dtype="<f4",
            chunks=(header.shard_clips, 1, header.width),
            fletcher32=True,
            track_times=False,
        )
        for axis, name in enumerate(schema.DIMENSIONS):
            self._vectors.dims[axis].label = name

    def write(self, start: int, vectors: NDArray[np.float32]) -> None:
        """Write rows from `start` on, float32 (clips, layers, width)."""
        self._vectors[start : start + len(vectors)] = vectors

    def commit(self, header: Header, columns: Columns, failed: Columns) -> None:
        """Write the tables and the header, close the file, wait until it is on the disk."""
        for group, table in ((schema.CLIPS, columns), (schema.FAILED, failed)):
            for name, values in table.items():
                text = values.dtype.kind == "U"
                self._file.create_dataset(
                    f"{group}/{name}",
                    data=values.astype(object) if text else values,
                    dtype=h5py.string_dtype("utf-8") if text else values.dtype,
                    track_times=False,
                )
        self._file.attrs[schema.ATTRIBUTE] = json.dumps(header.as_json(), ensure_ascii=False)
        self._file.close()
        files.sync(self.path)

    def close(self) -> None:
        """Close the file, whether or not it was committed."""
        self._file.close()


def _parse(found: object) -> object:
    try:
        return json.loads(found) if isinstance(found, str) else None
    except ValueError:
        return None
