"""Files that are either whole or absent, and errors of the file system in one line."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gensr.estimator.errors import StoreError

Data = bytes | bytearray | memoryview


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


def write_atomic(path: Path, data: Data, check: Callable[[], None] | None = None) -> None:
    """Write a file that is there whole or not at all, also after a power cut.

    Several processes may write the same file: each writes one of its own, and the last to
    rename wins.

    Args:
        path: the file, in a folder that is there.
        data: all of it.
        check: called when only the renaming is left; what it raises, stops it.
    """
    aside = _aside(path)
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if check is not None:
            check()
        aside.replace(path)
    except Exception:  # on a full disk the half of a file is in the way
        aside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def make_folders(path: Path, root: Path) -> None:
    """Make a folder and those above it, up to `root`, which must be there, and make them last.

    Raises:
        FileNotFoundError: `root` is gone.
    """
    if path == root or path.is_dir():
        return
    make_folders(path.parent, root)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename within one file system and make the new name last."""
    source.rename(target)
    sync(target.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or a copy where the file system has no links.

    Sharing is safe: nothing here writes into a file, every write makes a new one.
    """
    aside = _aside(target)
    try:
        try:
            os.link(source, aside)
        except OSError:
            shutil.copyfile(source, aside)
            sync(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)  # left where the target already was this very file


def remove_partial(folder: Path) -> None:
    """Remove what writers that were killed left behind (zarr's, and ours, end in .partial)."""
    for path in folder.rglob("*.partial"):
        path.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    """A name beside `path` that no other writer uses, on this machine or another."""
    return path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(6)}.partial")
