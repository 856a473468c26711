"""Files of this machine: written aside, flushed and renamed, so that they are whole or absent."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensr.features.store.disk import Check, Data, Disk

if TYPE_CHECKING:
    from zarr.abc.store import Store as ZarrStorage

_BLOCK = 2**20


class LocalDisk(Disk[Path]):
    """See `Disk`."""

    exchanges = locks = appends = tears = True
    far = False

    def unreachable(self, error: Exception) -> bool:
        """Never: what the system says of a path is about the path."""
        return False

    def exists(self, path: Path) -> bool:
        """See `Disk.exists`."""
        return path.exists()

    def is_folder(self, path: Path) -> bool:
        """See `Disk.is_folder`."""
        return path.is_dir()

    def size(self, path: Path) -> int:
        """See `Disk.size`."""
        return path.stat().st_size

    def names(self, folder: Path) -> set[str]:
        """See `Disk.names`."""
        return {path.name for path in folder.iterdir()}

    def real(self, path: Path) -> Path:
        """See `Disk.real`."""
        return path.resolve()

    def check_regular(self, path: Path, most: int) -> int | None:
        """Refuse a pipe, a device and the like, and what is too large; None where nothing is.

        Raises:
            OSError: it is no regular file, or larger.
        """
        if not path.exists():
            return None
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path.name} is no regular file")
        if status.st_size > most:
            raise OSError(f"{path.name} has {status.st_size} bytes")
        return status.st_size

    def is_blank(self, path: Path) -> bool:
        """See `Disk.is_blank`; holes are zeros.

        Of a file that says it is empty nothing is read: such ones of the kernel may never end.
        """
        if not path.exists():
            return False
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

    def held(self, path: Path) -> int | None:
        """Return a file's size without the holes; all of it where a file system does not tell."""
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

    def remove(self, path: Path) -> None:
        """See `Disk.remove`."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def remove_partial(self, folder: Path) -> None:
        """See `Disk.remove_partial`; what zarr leaves, and what we do, ends in .partial.

        Files only: a column may be called so, and is a folder.
        """
        for path in folder.rglob("*.partial"):
            if not path.is_dir():
                path.unlink(missing_ok=True)

    def write_atomic(self, path: Path, data: Data, check: Check | None) -> None:
        """See `Disk.write_atomic`; each writer has a file of its own, the last to rename wins."""
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
        self.sync(path.parent)

    @contextmanager
    def whole_file(self, target: Path, aside: Path) -> Iterator[Path]:
        """See `Disk.whole_file`; it waits aside for its renaming."""
        yield aside
        self.sync(aside)
        aside.replace(target)
        self.sync(target.parent)
        self.sync(aside.parent)

    def opened(self, path: Path) -> AbstractContextManager[Any]:
        """See `Disk.opened`."""
        return nullcontext(path)

    def zarr(self, path: Path, *, read_only: bool) -> "ZarrStorage":
        """See `Disk.zarr`."""
        from gensr.features.store import zarr_storage

        return zarr_storage.of_folder(path, read_only=read_only)

    def sync(self, path: Path) -> None:
        """See `Disk.sync`."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_all(self, folder: Path, but: str) -> None:
        """See `Disk.sync_all`."""
        for path in folder.rglob("*"):
            if path.is_dir() or but not in path.relative_to(folder).parts[:1]:
                self.sync(path)

    def make_folders(self, path: Path, root: Path | None) -> None:
        """See `Disk.make_folders`."""
        if path == root or path.is_dir():
            return
        self.make_folders(path.parent, root)
        path.mkdir(exist_ok=True)
        self.sync(path.parent)

    def move(self, source: Path, target: Path) -> None:
        """See `Disk.move`."""
        source.rename(target)
        self.sync(target.parent)
        self.sync(source.parent)

    def link_or_copy(self, source: Path, target: Path) -> None:
        """See `Disk.link_or_copy`; a copy where the file system has no links.

        Sharing is safe: nothing here writes into a file, every write makes a new one.
        """
        aside = _aside(target)
        try:
            try:
                os.link(source, aside)
            except OSError:
                shutil.copyfile(source, aside)
                self.sync(aside)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)  # left where the target already was this very file


def _aside(path: Path) -> Path:
    """A name beside `path` that no other writer uses, on this machine or another."""
    return path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(6)}.partial")
