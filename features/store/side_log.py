"""A log beside a store in the making: lines of JSON that outlive whoever is killed over them.

    <what the lines hold for>
    <a line>
    ...

What a line says is its writer's affair. The first one says what the others hold for; where that
is another now, the log is begun anew. Lines are only ever added, and reach the disk every few
seconds. The last one may be torn: a log counts as far as it is whole, and is written on from
there.

At a URL nothing can be added to an object. There the log is a folder of pieces, each such a log
by itself, of what was added in about half a minute.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Protocol

from gensr.features.store import files
from gensr.features.store.files import disk_of
from gensr.features.store.where import Where, local

Fits = Callable[[object], bool]
"""Whether something read is a line of the log's writer."""

_LINES, _SECONDS = 1000, 2.0
"""What a power cut can cost."""
_PIECE_LINES, _PIECE_SECONDS = 10_000, 30.0
"""What a kill can cost at a URL, and how many objects a log makes."""


class SideLog(Protocol):
    """A log to be added to, from one thread."""

    def add(self, line: object) -> None:
        """Add one line, of JSON types."""

    def close(self) -> None:
        """Wait until all is where it lasts."""


def read(path: Where, head: object, fits: Fits) -> Iterator[Any]:
    """Yield the lines of a log as far as it is whole; none of one that holds for something else.

    Args:
        path: the log, which may not be there.
        head: what its lines must hold for, of JSON types.
        fits: whether something is such a line; from the first that is none on, nothing counts.
    """
    for piece in _contents(path):
        for _, line in islice(_whole(piece, head, fits), 1, None):
            yield line


def begin(path: Where, head: object, fits: Fits) -> SideLog:
    """Return a log to be added to; one that holds for something else is replaced.

    Args:
        path: the log, which may not be there.
        head: what its lines hold for, of JSON types.
        fits: as of `read`.
    """
    if disk_of(path).appends:
        return _File(path, head, fits)
    return _Pieces(path, head, fits)


class _File:
    """A log in one file."""

    def __init__(self, path: Where, head: object, fits: Fits) -> None:
        ends = (end for piece in _contents(path) for end, _ in _whole(piece, head, fits))
        end = max(ends, default=0)
        if not end:
            first = _dump(head)
            files.write_atomic(path, first)
            end = len(first)
        self._file = local(path).open("r+b")
        self._file.truncate(end)  # a torn last line
        self._file.seek(end)
        self._waiting, self._synced = 0, time.monotonic()

    def add(self, line: object) -> None:
        """Add one line; it outlives this process at once, and a power cut soon after."""
        self._file.write(_dump(line))
        self._file.flush()
        self._waiting += 1
        if self._waiting >= _LINES or time.monotonic() - self._synced > _SECONDS:
            self._sync()

    def close(self) -> None:
        """Wait until all is on the disk."""
        with self._file:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._waiting, self._synced = 0, time.monotonic()


class _Pieces:
    """A log where no file can grow, one object for some lines."""

    def __init__(self, folder: Where, head: object, fits: Fits) -> None:
        self._folder, self._head = folder, _dump(head)
        pieces = _pieces(folder)
        # All are of one kind: others were removed before the first of these was written.
        if pieces and not any(_whole(_content(pieces[0]), head, fits)):
            files.remove(folder)
            pieces = []
        self._next = int(pieces[-1].name) + 1 if pieces else 0
        self._begin()

    def add(self, line: object) -> None:
        """Add one line; it outlives this process within half a minute."""
        self._waiting.append(_dump(line))
        if len(self._waiting) >= _PIECE_LINES or time.monotonic() - self._since > _PIECE_SECONDS:
            self._put()

    def close(self) -> None:
        """Write what is waiting."""
        if self._waiting:
            self._put()

    def _put(self) -> None:
        data = self._head + b"".join(self._waiting)
        files.write_atomic(self._folder / f"{self._next:08}", data)
        self._next += 1
        self._begin()

    def _begin(self) -> None:
        self._waiting: list[bytes] = []
        self._since = time.monotonic()


def _whole(file: Iterable[bytes], head: object, fits: Fits) -> Iterator[tuple[int, Any]]:
    """Yield (end of the line in bytes, its content), the head first, as far as all is whole."""
    end = 0
    for raw in file:
        try:
            line = json.loads(raw) if raw.endswith(b"\n") else None
        except (ValueError, RecursionError):
            return
        if not (fits(line) if end else line == head):
            return
        end += len(raw)
        yield end, line


def _contents(path: Where) -> Iterator[Iterable[bytes]]:
    """Yield the raw lines of each piece of a log; of one at hand, those of its only file."""
    if not disk_of(path).appends:
        yield from map(_content, _pieces(path))
    elif path.is_file():
        with path.open("rb") as file:
            yield file


def _pieces(folder: Where) -> list[Where]:
    """Return the pieces of a log, in order."""
    return [folder / name for name in sorted(files.names(folder))]


def _content(piece: Where) -> list[bytes]:
    return piece.read_bytes().splitlines(keepends=True)


def _dump(line: object) -> bytes:
    return json.dumps(line).encode() + b"\n"
