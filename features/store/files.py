"""Files that are either whole or absent, and errors of the file system in one line.

Every place is a path or a URL. Which of the two is asked here (`disk_of`) and where a text becomes
a place (where.py), and nowhere else; what they do differently stands in local_disk.py and
url_disk.py.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from gensr.estimator.errors import one_line
from gensr.features.store.disk import Check, Data, Disk
from gensr.features.store.errors import StoreError
from gensr.features.store.local_disk import LocalDisk
from gensr.features.store.url_disk import UrlDisk
from gensr.features.store.where import Where

_LOCAL, _URL = LocalDisk(), UrlDisk()


def disk_of(path: Where) -> Disk[Any]:
    """Return the kind of disk that a place is on."""
    return _LOCAL if isinstance(path, Path) else _URL


@contextmanager
def store_errors(path: Where) -> Iterator[None]:
    """Turn what the file system refuses (space, permission, a missing folder) into one line.

    Raises:
        StoreError: naming the store and the reason.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and not disk_of(path).unreachable(error):
            raise
        raise StoreError(
            f"{path} cannot be written or read: {_reason(error)}; what was finished is kept, "
            "the same call again goes on from there"
        ) from error


@contextmanager
def reached(path: Where) -> Iterator[None]:
    """Tell a URL that does not answer, or not to us, from one where something is wrong or absent.

    A local path's errors pass as they are.

    Raises:
        StoreError: naming the URL and the reason.
    """
    try:
        yield
    except Exception as error:
        if not disk_of(path).unreachable(error):
            raise
        raise StoreError(
            f"{path} cannot be reached: {_reason(error)}; see to address, credentials and "
            "connection, then call again"
        ) from error


def exists(path: Where) -> bool:
    """Whether there is something.

    Raises:
        Exception: a URL's driver could not find out.
    """
    return disk_of(path).exists(path)


def is_folder(path: Where) -> bool:
    """Whether there is a folder; at a URL, whether an object's name begins like this."""
    return disk_of(path).is_folder(path)


def size(path: Where) -> int:
    """Return how many bytes a file has.

    Raises:
        FileNotFoundError: there is none.
    """
    return disk_of(path).size(path)


def names(folder: Where) -> set[str]:
    """Return what is in a folder, by name; at a URL nothing where there is none."""
    return disk_of(folder).names(folder)


def real(path: Where) -> Where:
    """Return the one name of a place, links followed."""
    found: Where = disk_of(path).real(path)
    return found


def check_regular(path: Where, most: int) -> int | None:
    """Refuse a file that may never end, or never begin, before anybody reads it.

    Args:
        path: a pipe, a device and the like are refused; one that is absent is not.
        most: bytes.

    Returns:
        How many it has; None where nobody knows without asking a network, or nothing is.

    Raises:
        OSError: it is no regular file, or larger.
    """
    return disk_of(path).check_regular(path, most)


def is_blank(path: Where) -> bool:
    """Whether a file holds nothing, or zeros alone, as after a power cut."""
    return disk_of(path).is_blank(path)


def held(path: Where) -> int | None:
    """Return how many bytes of a file are really there: its size without the holes.

    None where nobody can tell.
    """
    return disk_of(path).held(path)


def remove(path: Where) -> None:
    """Remove a file, a folder with all that is in it, or nothing where nothing is."""
    disk_of(path).remove(path)


def remove_partial(folder: Where) -> None:
    """Remove what writers that were killed left behind."""
    disk_of(folder).remove_partial(folder)


def write_atomic(path: Where, data: Data, check: Check | None = None) -> None:
    """Write a file that is there whole or not at all, also after a power cut.

    Several processes may write the same file: the last one's is there in the end.

    Args:
        path: the file, in a folder that is there.
        data: all of it.
        check: called when only the renaming is left, or before the object is put; what it
            raises, stops it.
    """
    disk_of(path).write_atomic(path, data, check)


def whole_file(target: Where, aside: Where) -> AbstractContextManager[Path]:
    """Give a local path to write a file to, for a writer that seeks; then it is the target.

    Args:
        target: the file's place; what is there is replaced.
        aside: where a local file waits for its renaming. One for a URL waits in the temporary
            folder, which must have room for it, and is uploaded.
    """
    return disk_of(target).whole_file(target, aside)


def sync(path: Where) -> None:
    """Wait until a file's data, or a folder's names, are on the disk."""
    disk_of(path).sync(path)


def sync_all(folder: Where, but: str = "") -> None:
    """Make all in a folder last, but for the files of the folder `but` in it."""
    disk_of(folder).sync_all(folder, but)


def make_folders(path: Where, root: Where | None = None) -> None:
    """Make a folder and those above it, up to `root`, which must be there, and make them last.

    Raises:
        FileNotFoundError: `root` is gone.
    """
    disk_of(path).make_folders(path, root)


def move(source: Where, target: Where) -> None:
    """Rename within one local file system and make the new name last."""
    disk_of(source).move(source, target)


def link_or_copy(source: Where, target: Where) -> None:
    """Give a local file a second name, or a copy where the file system has no links."""
    disk_of(source).link_or_copy(source, target)


def _reason(error: Exception) -> str:
    told = error.strerror if isinstance(error, OSError) else None
    line = told or one_line(error)
    return re.sub(r"//[^/\s@]*@", "//", line)  # an endpoint's user and password
