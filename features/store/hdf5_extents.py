"""Where an HDF5 file keeps what it promises: every piece its own, inside the file, of full size.

The index of a dataset's chunks is not trusted. One that leads to the same bytes for every chunk,
or beyond the end, makes gigabytes of a small file; so does a sparse file, whose holes read as
zeros, for which even the checksum is right.
"""

import math
import threading
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

_FLETCHER = 4
"""Bytes that the filter adds to a chunk."""


class Extents:
    """The pieces of one file that its datasets have been given so far.

    Args:
        size: bytes of the file.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._claiming = threading.Lock()  # a lazy array is read by several threads
        self._claimed: set[str] = set()
        self._spans: NDArray[np.int64] = np.empty((0, 2), dtype=np.int64)
        """(pieces, 2) first byte, one past the last; sorted."""

    def claim(self, name: str, dataset: Any) -> None:
        """Hold all of a dataset's data against the file, once.

        Raises:
            OSError: pieces are missing, of another size, beyond the file, or used twice.
        """
        with self._claiming:
            if name not in self._claimed:
                self._claim(dataset)
                self._claimed.add(name)

    def _claim(self, dataset: Any) -> None:
        layout = dataset.id.get_create_plist().get_layout()
        if layout == h5py.h5d.COMPACT or not dataset.size:  # within the metadata, or nothing
            return
        spans = _chunks(dataset) if layout == h5py.h5d.CHUNKED else _contiguous(dataset)
        spans = spans[np.argsort(spans[:, 0], kind="stable")]
        if spans[0, 0] < 0 or spans[-1, 1] > self._size:
            raise OSError("its data would lie beyond the end of the file")
        every = np.concatenate([self._spans, spans])
        every = every[np.argsort(every[:, 0], kind="stable")]
        if (every[1:, 0] < every[:-1, 1]).any():
            raise OSError("its data lie where others do: fewer bytes are there than it takes")
        self._spans = every


def _chunks(dataset: Any) -> NDArray[np.int64]:
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    size += _FLETCHER * bool(dataset.fletcher32)
    wanted = math.prod(
        -(-length // chunk) for length, chunk in zip(dataset.shape, dataset.chunks, strict=True)
    )
    found: list[tuple[int, int, int]] = []

    def note(chunk: Any) -> bool | None:
        found.append((chunk.byte_offset or 0, chunk.size, chunk.filter_mask))
        return True if len(found) > wanted else None  # which ends it: more there cannot be

    dataset.id.chunk_iter(note)
    if len(found) != wanted:
        raise OSError(f"it holds {len(found)} chunks of {wanted}")
    if any(held != size or skipped for _, held, skipped in found):
        raise OSError(f"a chunk does not hold the {size} bytes that it must")
    starts = np.array([start for start, _, _ in found], dtype=np.uint64).astype(np.int64)
    return np.stack([starts, starts + size], axis=1)


def _contiguous(dataset: Any) -> NDArray[np.int64]:
    start, held = dataset.id.get_offset(), dataset.id.get_storage_size()
    if start is None or held < dataset.nbytes:
        raise OSError(f"it holds {held if start is not None else 0} bytes of {dataset.nbytes}")
    return np.array([[start, start + held]], dtype=np.int64)
