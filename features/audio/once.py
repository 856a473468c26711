"""Costly answers about files, found once in a process: several clips may be parts of one file.

A file is known by what the operating system says of it. That says nothing of a file that was
written within the last seconds, since clocks of file systems are coarse: such a one is asked
anew each time.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from io import FileIO
from typing import Generic, TypeAlias, TypeVar

from gensr.features.audio.errors import AudioError

V = TypeVar("V")

Identity: TypeAlias = tuple[int, ...]

SETTLED_SECONDS = 2.0
"""FAT's clock; others are finer."""
_REFUSALS = 1_000
"""So many would fill a room."""


def identity(file: FileIO) -> Identity | None:
    """Return what is another where the file, or its content, is another; None: cannot be told."""
    status = os.fstat(file.fileno())
    if max(status.st_mtime, status.st_ctime) > time.time() - SETTLED_SECONDS:
        return None
    times = status.st_mtime_ns, status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, *times


class _Entry(Generic[V]):
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: list[V] = []
        self.refusal = ""


class Once(Generic[V]):
    """Values by key, each found once, by one thread while others that want it wait.

    What is wrong with a file's content is found once too: an `AudioError` is kept like a value,
    unless a disk, or something else that passes, is behind it.

    Args:
        room: how much is kept; what was not asked for longest goes first.
        size: of a value, in the unit of `room`; by default its number is counted.
    """

    def __init__(self, room: int, size: Callable[[V], int] = lambda value: 1) -> None:
        self._room, self._size = room, size
        self._least = max(1, room // _REFUSALS)
        self._entries: OrderedDict[Hashable, _Entry[V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable | None, find: Callable[[], V]) -> V:
        """Return the value of a key; `find` is called where it is not known, or the key is None.

        Raises:
            AudioError: `find` raised it, now or before.
        """
        if key is None:
            return find()
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
        with entry.lock:
            if entry.refusal:
                raise AudioError(entry.refusal)
            if not entry.values:
                try:
                    entry.values.append(find())
                except AudioError as error:
                    if not isinstance(error.__cause__, OSError):
                        entry.refusal = str(error)
                    raise
                finally:
                    self._tidy()
            return entry.values[0]

    def peek(self, key: Hashable | None) -> V | None:
        """Return the value of a key if it is known."""
        with self._lock:
            entry = self._entries.get(key)
        return entry.values[0] if entry is not None and entry.values else None

    def _tidy(self) -> None:
        """Let go of what there is no room for; of a value without any room, too."""
        with self._lock:
            sizes = {key: self._taken(entry) for key, entry in self._entries.items()}
            over = sum(sizes.values()) - self._room
            for key, size in sizes.items():
                if (size and over > 0) or not (size or self._entries[key].lock.locked()):
                    del self._entries[key]  # whoever waits for it holds it
                    over -= size

    def _taken(self, entry: _Entry[V]) -> int:
        if entry.values:
            return self._size(entry.values[0])
        return self._least if entry.refusal else 0
