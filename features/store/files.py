"""Files that are either whole or absent, and errors of the file system in one line.

Here local paths and URLs part. A local file is written aside, flushed and renamed. An object at
a URL is put whole and lasts at once; there is nothing to flush, to rename or to link, and its
folders are made by its name.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensr.estimator.errors import GensrError, StoreError
from gensr.features.store.where import Where

if TYPE_CHECKING:
    from upath import UPath

Data = bytes | bytearray | memoryview
_BLOCK = 2**20


@contextmanager
def store_errors(path: Where) -> Iterator[None]:
    """Turn what the file system refuses (space, permission, a missing folder) into one line.

    Raises:
        StoreError: naming the store and the reason.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and (isinstance(path, Path) or not _of_driver(error)):
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
        if isinstance(path, Path) or not _of_driver(error):
            raise
        raise StoreError(
            f"{path} cannot be reached: {_reason(error)}; see to address, credentials and "
            "connection, then call again"
        ) from error


def _of_driver(error: Exception) -> bool:
    """Whether a URL's driver raised this on its own account, not over what is there or absent.

    Drivers have errors of their own (botocore's derive from `Exception` alone, aiohttp's from
    `OSError`), or raise an `OSError` with a number or of a kind: permission, connection, time.
    """
    absent = FileNotFoundError | IsADirectoryError | NotADirectoryError
    if isinstance(error, GensrError | absent):
        return False
    if isinstance(error, OSError):
        return type(error) is not OSError or error.errno is not None
    builtin = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
    return builtin is Exception


def _reason(error: Exception) -> str:
    told = error.strerror if isinstance(error, OSError) else None
    line = told or " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"//[^/\s@]*@", "//", line)  # an endpoint's user and password


def sync(path: Where) -> None:
    """Wait until a file's data, or a folder's names, are on the disk."""
    if not isinstance(path, Path):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exists(path: Where) -> bool:
    """Whether there is something.

    Raises:
        Exception: a URL's driver could not find out; its own `exists` would say that nothing is.
    """
    if isinstance(path, Path):
        return path.exists()
    return _info(path) is not None


def is_folder(path: Where) -> bool:
    """Whether there is a folder; at a URL, whether an object's name begins like this."""
    if isinstance(path, Path):
        return path.is_dir()
    found = _info(path)
    return found is not None and found["type"] == "directory"


def size(path: Where) -> int:
    """Return how many bytes a file has.

    Raises:
        FileNotFoundError: there is none.
    """
    if isinstance(path, Path):
        return path.stat().st_size
    found = _info(path)
    if found is None:
        raise FileNotFoundError(str(path))
    return int(found["size"])


def check_regular(path: Where, most: int) -> None:
    """Refuse a local file that may never end, or never begin, before anybody reads it.

    Args:
        path: a pipe, a device and the like are refused; one that is absent is not.
        most: bytes.

    Raises:
        OSError: it is no regular file, or larger.
    """
    if not isinstance(path, Path) or not path.exists():
        return
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{path.name} is no regular file")
    if status.st_size > most:
        raise OSError(f"{path.name} has {status.st_size} bytes")


def is_blank(path: Path) -> bool:
    """Whether a local file holds nothing, or zeros alone, as after a power cut; holes are zeros.

    Of a file that says it is empty nothing is read: such ones of the kernel may never end.
    """
    status, place = path.stat(), 0
    if not stat.S_ISREG(status.st_mode):
        return False
    with path.open("rb") as file:
        while place < status.st_size:
            try:
                place = os.lseek(file.fileno(), place, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # a hole up to the end
                    return True
            file.seek(place)
            block = file.read(_BLOCK)
            if not block or block.strip(b"\0"):
                return not block
            place += len(block)
    return True


def held(path: Path) -> int:
    """Return how many bytes of a local file are really there: its size without the holes.

    Where a file system does not tell, all of it.
    """
    data, place, whole = 0, 0, path.stat().st_size
    with path.open("rb") as file:
        try:
            while place < whole:
                start = os.lseek(file.fileno(), place, os.SEEK_DATA)
                place = os.lseek(file.fileno(), start, os.SEEK_HOLE)
                data += place - start
        except OSError as error:
            return data if error.errno == errno.ENXIO else whole  # a hole up to the end
    return data


def names(folder: Where) -> set[str]:
    """Return what is in a folder, by name; at a URL nothing where there is none."""
    if isinstance(folder, Path):
        return {path.name for path in folder.iterdir()}
    folder.fs.invalidate_cache(folder.path)  # others write there too
    try:
        found = folder.fs.ls(folder.path, detail=False)
    except FileNotFoundError:
        return set()
    return {path.rstrip("/").rpartition("/")[2] for path in found} - {folder.name}


def remove(path: Where) -> None:
    """Remove a file, a folder with all that is in it, or nothing where nothing is."""
    if not isinstance(path, Path):
        if exists(path):
            with suppress(FileNotFoundError):  # somebody else was faster
                path.fs.rm(path.path, recursive=True)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_atomic(path: Where, data: Data, check: Callable[[], None] | None = None) -> None:
    """Write a file that is there whole or not at all, also after a power cut.

    Several processes may write the same file: each writes one of its own, and the last to
    rename wins; at a URL, the last to have put its object.

    Args:
        path: the file, in a folder that is there.
        data: all of it.
        check: called when only the renaming is left, or before the object is put; what it
            raises, stops it.
    """
    if not isinstance(path, Path):
        if check is not None:
            check()
        path.fs.pipe_file(path.path, bytes(data))
        return
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


@contextmanager
def whole_file(target: Where, aside: Where) -> Iterator[Path]:
    """Yield a local path to write a file to, for a writer that seeks; then it is the target.

    Args:
        target: the file's place; what is there is replaced.
        aside: where a local file waits for its renaming. One for a URL waits in the temporary
            folder, which must have room for it, and is uploaded.
    """
    if isinstance(target, Path):
        assert isinstance(aside, Path)
        yield aside
        sync(aside)
        aside.replace(target)
        sync(target.parent)
        sync(aside.parent)
    else:
        with tempfile.TemporaryDirectory(prefix="gensr-") as folder:
            local = Path(folder) / target.name
            yield local
            target.fs.put_file(str(local), target.path)


def make_folders(path: Where, root: Where) -> None:
    """Make a folder and those above it, up to `root`, which must be there, and make them last.

    Raises:
        FileNotFoundError: `root` is gone.
    """
    if not isinstance(path, Path) or path == root or path.is_dir():
        return
    make_folders(path.parent, root)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def move(source: Where, target: Where) -> None:
    """Rename within one local file system and make the new name last."""
    assert isinstance(source, Path)
    assert isinstance(target, Path)
    source.rename(target)
    sync(target.parent)
    sync(source.parent)


def link_or_copy(source: Where, target: Where) -> None:
    """Give a local file a second name, or a copy where the file system has no links.

    Sharing is safe: nothing here writes into a file, every write makes a new one.
    """
    assert isinstance(source, Path)
    assert isinstance(target, Path)
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


def remove_partial(folder: Where) -> None:
    """Remove what writers that were killed left behind (zarr's, and ours, end in .partial).

    Files only: a column may be called so, and is a folder.
    """
    if not isinstance(folder, Path):
        return
    for path in folder.rglob("*.partial"):
        if not path.is_dir():
            path.unlink(missing_ok=True)


def _info(path: "UPath") -> dict[str, Any] | None:
    """Return what is known of an object, or of a folder of objects; None where there is none."""
    path.fs.invalidate_cache(path.path)  # others write there too
    try:
        found: dict[str, Any] = path.fs.info(path.path)
    except FileNotFoundError:
        return None
    return found


def _aside(path: Path) -> Path:
    """A name beside `path` that no other writer uses, on this machine or another."""
    return path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(6)}.partial")
