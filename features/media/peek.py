"""Looking into an open file here and there, by blocks, so that small steps cost no system calls."""

import os
from io import FileIO
from typing import Literal

_BLOCK = 1 << 16


class Peek:
    """Random reads from a file that is open, and stays its owner's.

    Args:
        file: open for reading bytes; its position moves.
        block: bytes read at least.
    """

    def __init__(self, file: FileIO, block: int = _BLOCK) -> None:
        self._file, self._least = file, block
        self.length = file.seek(0, os.SEEK_END)
        """In bytes."""
        self._start, self._block = 0, b""

    def at(self, place: int, count: int) -> bytes:
        """Return up to `count` bytes from a place on; fewer where the file ends."""
        if place < 0 or place >= self.length:
            return b""
        if not self._start <= place <= place + count <= self._start + len(self._block):
            self._file.seek(place)
            self._start, self._block = place, self._file.read(max(count, self._least))
        begin = place - self._start
        return self._block[begin : begin + count]

    def number(self, place: int, size: int, order: Literal["big", "little"] = "big") -> int:
        """Return an unsigned number of `size` bytes; of what is beyond the end, zeros."""
        data = self.at(place, size).ljust(size, b"\0")
        return int.from_bytes(data, order)
