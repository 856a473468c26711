"""Files that are either whole or absent, and errors of the file system in one line."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gensr.estimator.errors import StoreError


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what the file system refuses (space, permission, a missing folder) into one line.

    Raises:
        StoreError: naming the store and the reason.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
        raise StoreError(
            f"{path} cannot be written or read: {reason}; what was finished is kept, "
            "the same call again goes on from there"
        ) from error


def sync(path: Path) -> None:
    """Wait until a file's data, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, also after a power cut."""
    aside = path.with_name(path.name + ".partial")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename within one file system and make the new name last."""
    source.rename(target)
    sync(target.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or a copy where the file system has no links.

    Sharing is safe: nothing here writes into a file, every write makes a new one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        aside = target.with_name(target.name + ".partial")
        shutil.copyfile(source, aside)
        sync(aside)
        aside.replace(target)


def remove_partial(folder: Path) -> None:
    """Remove what writers that were killed left behind (zarr's, and ours, end in .partial)."""
    for path in folder.rglob("*.partial"):
        path.unlink()
