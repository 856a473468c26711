"""Files of a model or a run: read whole and within a bound, written whole or not at all.

A new file gets the permissions that the umask gives; what the file system refuses is one line
that says so, and never "train again" where the file may be sound.

Stores have files of their own (`features/store/files.py`): many write there at once, also at URLs,
and a writer can be stopped before the renaming. A run has one writer, which holds its lock, and
what it raises is a run's. The two rooms do not know each other, so neither takes the other's.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from gensr.estimator.errors import RunError

LARGEST = 64 * 2**30
"""Bytes of the largest file that is read; a file that ends later has no end."""


def read_whole(path: Path, most: int = LARGEST) -> bytes:
    """Return all of a regular file.

    Raises:
        FileNotFoundError: there is none.
        RunError: it is no regular file (a device would never end), larger than `most` bytes, or
            the system refuses it.
    """
    try:
        # A pipe without a writer would wait for one.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise RunError(f"{path} is no file; put back what was there, or train again")
            if about.st_size > most:
                raise RunError(
                    f"{path} has {about.st_size} bytes, at most {most} were expected; put back "
                    "what was there, or train again"
                )
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RunError(f"{path} cannot be read: {why(error)}") from error


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Write a file beside `path`, make it last, and rename it.

    Raises:
        RunError: there is no room, or no permission; what was at `path` is still there.
    """
    aside = path.with_name(path.name + ".new")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        sync(path.parent)
    except OSError as error:
        with suppress(OSError):  # on a full disk the half of a file is in the way
            aside.unlink(missing_ok=True)
        raise RunError(
            f"{path} cannot be written: {why(error)}; what was finished is kept"
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder and those above it.

    Raises:
        RunError: the system refuses.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path} cannot be made: {why(error)}") from error


def sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def why(error: OSError) -> str:
    """Return the system's reason, with the way out where permissions are one."""
    told = error.strerror or str(error)
    if isinstance(error, PermissionError):
        told += " (see to the permissions of the file and of the folders above it)"
    return told
