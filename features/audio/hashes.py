"""The bytes of a file: opened without waiting for anybody, and hashed."""

import hashlib
import os
import stat
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from gensr.features.audio.errors import AudioError
from gensr.features.audio.once import Once, identity
from gensr.features.audio.segments import Segment, locate

_BLOCK = 1 << 20
"""Bytes that are hashed between two looks at whether anyone still waits."""
LARGEST = 1 << 36
"""Bytes (64 GiB): no clip of two hours has more. A sparse file may say any number."""


def without_waiting(name: str, flags: int) -> int:
    """Open a file: one that became a named pipe since it was looked at would wait for ever."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def hash_bytes(file: FileIO) -> str:
    """SHA-256 of all bytes of an open file, as hex digits; the file is at its end then."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


_hashes: Once[str] = Once(1_000)


def hash_of(file: FileIO, segment: Segment | None, read: Callable[[], str] | None = None) -> str:
    """Return the SHA-256 of the bytes; for a part, as they were when a process first read them.

    Several parts of one file would else read the whole of it each.

    Args:
        file: open.
        segment: the part that is meant; None: all of it.
        read: hashes the file, in place of `hash_bytes`.
    """
    find = read or (lambda: hash_bytes(file))
    return find() if segment is None else _hashes.get(identity(file), find)


def hash_file(path: Path, stopped: Callable[[], bool] = lambda: False) -> str:
    """Return the SHA-256 of the bytes; "" where there is no regular file to read.

    No more is read than the file had when it was opened, and one that gives more is none: some
    files of the kernel say that they are empty and never end.

    Args:
        path: a file, or the name of a part of one: such a file is read once for all its parts.
        stopped: asked between two blocks; once it holds, "" is the answer.
    """
    try:
        whole, segment = locate(path)
        with open(whole, "rb", buffering=0, opener=without_waiting) as file:
            return hash_of(file, segment, lambda: _hashed(file, stopped))
    except (OSError, AudioError):
        return ""


def _hashed(file: FileIO, stopped: Callable[[], bool]) -> str:
    """Hash an open file.

    Raises:
        OSError: it is no regular file, gives more than it says, or nobody waits any more.
    """
    status = os.fstat(file.fileno())
    left = status.st_size
    if not stat.S_ISREG(status.st_mode) or left > LARGEST:
        raise OSError("no file of a clip")
    digest = hashlib.sha256()
    # Of one that says it is empty nothing is read: such files of the kernel may never end.
    while block := file.read(min(_BLOCK, left + 1)) if status.st_size else b"":
        left -= len(block)
        if stopped() or left < 0:
            raise OSError("it does not end, or nobody waits for it")
        digest.update(block)
    return digest.hexdigest()
