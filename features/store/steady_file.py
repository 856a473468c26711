"""A file for HDF5 to write to that never refuses; it keeps the error for us to raise.

HDF5 holds data back and writes it when objects are closed. A disk that is full by then fails in
places that cannot report it, and the process may die of it. Here a failed write is remembered,
what follows is dropped, and the writer asks after each step.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class SteadyFile(io.FileIO):
    """A new file, open for reading and writing, that takes every write."""

    def __init__(self, path: Path) -> None:
        self._error: OSError | None = None
        super().__init__(path, "w+")

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Raise, after what is done here, the first error that a write has met so far.

        Raises:
            OSError: a write failed, or what is done here did.
        """
        try:
            yield
        finally:
            # Whatever else went wrong, went wrong because of it.
            if self._error is not None:
                raise self._error

    def write(self, data: Any) -> int:
        """Write all of the data, or none of it once a write has failed."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while len(left) and self._error is None:
                left = left[super().write(left) or 0 :]
        except OSError as error:
            self._error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Cut the file, unless a write has failed."""
        if self._error is None:
            try:
                return super().truncate(size)
            except OSError as error:
                self._error = error
        return size or 0
