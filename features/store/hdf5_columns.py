"""Columns of a table in HDF5: numbers as they are, text in one of two layouts.

HDF5 keeps strings of any length in a heap without checksums, and damage to it can keep the
library busy for ever. So text is chunks of bytes, like numbers:

    clips/emotion           UTF-8 of one length, filled up with NUL, while that is not wasteful
    clips/transcript/text   else all texts, UTF-8, one behind the other
    clips/transcript/ends   and where each one ends, in bytes

Which of both follows from the texts alone (`table.is_even`), so equal columns are equal bytes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gensr.features.store import bounds
from gensr.features.store.table import as_column, is_even

TEXT, ENDS = "text", "ends"
"""The two datasets of a column whose texts are of very different lengths."""
_CHUNK = 2**24
"""Largest chunk of a column, bytes."""


def write_column(file: Any, name: str, values: NDArray[Any]) -> None:
    """Write one column, numbers or text, to an open file.

    Args:
        file: an `h5py.File`.
        name: table and column.
        values: (rows,).
    """
    if values.dtype.kind != "O":
        _write(file, name, values, values.dtype.newbyteorder("<"))
        return
    texts = [text.encode() for text in values.tolist()]
    lengths = [len(text) for text in texts]
    if is_even(lengths):
        dtype = h5py.string_dtype("utf-8", max(1, *lengths, 1))
        _write(file, name, np.array(texts, dtype=f"S{dtype.itemsize}").astype(dtype), dtype)
        return
    _write(file, f"{name}/{TEXT}", np.frombuffer(b"".join(texts), np.uint8), np.dtype("u1"))
    _write(file, f"{name}/{ENDS}", np.cumsum(lengths, dtype=np.int64), np.dtype("<i8"))


def read_text(dataset: Any) -> NDArray[Any]:
    """Return a column of texts of one length, chunk by chunk: memory follows the texts."""
    texts: list[str] = []
    rows = max(1, _CHUNK // max(1, dataset.dtype.itemsize))
    for start in range(0, len(dataset), rows):
        texts += dataset.asstr()[start : start + rows].tolist()
    return as_column(texts, "string")


def read_long_text(text: Any, ends: Any, rows: int, path: Any, name: str) -> NDArray[Any]:
    """Return a column whose texts lie behind each other.

    Args:
        text: dataset of all bytes.
        ends: dataset, one number a row.
        rows: how many the table has.
        path: the store, for messages.
        name: table and column, for messages.

    Raises:
        StoreError: the datasets are not of such a column.
        OSError: the numbers do not divide the bytes.
    """
    bounds.check_column(path, name, ends.shape, rows)
    bounds.check_type(path, name, ends.dtype, "int64")
    bounds.check_type(path, name, text.dtype, "uint8")
    stops = ends[:]
    starts = np.concatenate([[0], stops[:-1]])
    if len(text.shape) != 1 or (stops < starts).any() or stops[-1] != len(text):
        raise OSError("its texts do not end where they say")
    data = text[:].tobytes()
    pairs = zip(starts.tolist(), stops.tolist(), strict=True)
    return as_column([data[start:stop].decode() for start, stop in pairs], "string")


def parts(name: str, is_long: Callable[[str], bool]) -> Iterator[str]:
    """Yield the datasets of a column."""
    yield from (f"{name}/{TEXT}", f"{name}/{ENDS}") if is_long(name) else (name,)


def _write(file: Any, name: str, data: NDArray[Any], dtype: Any) -> None:
    rows = max(1, _CHUNK // dtype.itemsize)
    file.create_dataset(
        name,
        data=data,
        dtype=dtype,
        chunks=(min(rows, len(data)),) if len(data) else None,
        fletcher32=bool(len(data)),
        track_times=False,
    )
