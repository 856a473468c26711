"""Objects at a URL: put whole, and there at once, with nothing to flush, rename, link or lock."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensr.estimator.errors import GensrError
from gensr.features.store.disk import Check, Data, Disk

if TYPE_CHECKING:
    from upath import UPath
    from zarr.abc.store import Store as ZarrStorage

_BLOCK = 2**20
"""Bytes fetched at once."""


class UrlDisk(Disk["UPath"]):
    """See `Disk`; any file system that fsspec knows."""

    exchanges = locks = appends = tears = False
    far = True

    def unreachable(self, error: Exception) -> bool:
        """Whether a driver raised this on its own account, not over what is there or absent.

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

    def exists(self, path: "UPath") -> bool:
        """See `Disk.exists`.

        Raises:
            Exception: the driver could not find out; its own `exists` would say that nothing is.
        """
        return _info(path) is not None

    def is_folder(self, path: "UPath") -> bool:
        """Whether an object's name begins like this."""
        found = _info(path)
        return found is not None and found["type"] == "directory"

    def size(self, path: "UPath") -> int:
        """See `Disk.size`."""
        found = _info(path)
        if found is None:
            raise FileNotFoundError(str(path))
        return int(found["size"])

    def names(self, folder: "UPath") -> set[str]:
        """See `Disk.names`; nothing where there is no folder."""
        folder.fs.invalidate_cache(folder.path)  # others write there too
        try:
            found = folder.fs.ls(folder.path, detail=False)
        except FileNotFoundError:
            return set()
        return {path.rstrip("/").rpartition("/")[2] for path in found} - {folder.name}

    def real(self, path: "UPath") -> "UPath":
        """See `Disk.real`."""
        return path

    def check_regular(self, path: "UPath", most: int) -> int | None:
        """See `Disk.check_regular`; all objects are."""
        return None

    def is_blank(self, path: "UPath") -> bool:
        """See `Disk.is_blank`."""
        return False

    def held(self, path: "UPath") -> int | None:
        """See `Disk.held`."""
        return None

    def remove(self, path: "UPath") -> None:
        """See `Disk.remove`."""
        if self.exists(path):
            with suppress(FileNotFoundError):  # somebody else was faster
                path.fs.rm(path.path, recursive=True)

    def remove_partial(self, folder: "UPath") -> None:
        """See `Disk.remove_partial`; there is no half of an object."""

    def write_atomic(self, path: "UPath", data: Data, check: Check | None) -> None:
        """See `Disk.write_atomic`; of several writers the last to have put its object wins."""
        if check is not None:
            check()
        path.fs.pipe_file(path.path, bytes(data))

    @contextmanager
    def whole_file(self, target: "UPath", aside: "UPath") -> Iterator[Path]:
        """See `Disk.whole_file`; it waits in the temporary folder, and is uploaded."""
        with tempfile.TemporaryDirectory(prefix="gensr-") as folder:
            local = Path(folder) / target.name
            yield local
            target.fs.put_file(str(local), target.path)

    def opened(self, path: "UPath") -> AbstractContextManager[Any]:
        """See `Disk.opened`."""
        found: AbstractContextManager[Any] = path.fs.open(
            path.path, "rb", block_size=_BLOCK, cache_type="blockcache"
        )
        return found

    def zarr(self, path: "UPath", *, read_only: bool) -> "ZarrStorage":
        """See `Disk.zarr`."""
        from gensr.features.store import zarr_storage

        return zarr_storage.of_objects(path, read_only=read_only)

    def sync(self, path: "UPath") -> None:
        """See `Disk.sync`."""

    def sync_all(self, folder: "UPath", but: str) -> None:
        """See `Disk.sync_all`."""

    def make_folders(self, path: "UPath", root: "UPath | None") -> None:
        """See `Disk.make_folders`; they are made by an object's name."""

    def move(self, source: "UPath", target: "UPath") -> None:
        """Refuse: nothing takes another's place at a URL."""
        raise io.UnsupportedOperation(f"{source} cannot be renamed to {target}")

    def link_or_copy(self, source: "UPath", target: "UPath") -> None:
        """Refuse, as `move` does."""
        raise io.UnsupportedOperation(f"{source} cannot be linked to {target}")


def _info(path: "UPath") -> dict[str, Any] | None:
    """Return what is known of an object, or of a folder of objects; None where there is none."""
    path.fs.invalidate_cache(path.path)  # others write there too
    try:
        found: dict[str, Any] = path.fs.info(path.path)
    except FileNotFoundError:
        return None
    return found
