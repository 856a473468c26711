"""zarr's view of a store: a folder of any local file system, or the objects at a URL."""

from pathlib import Path
from typing import TYPE_CHECKING

from zarr.abc.buffer import Buffer
from zarr.abc.store import Store
from zarr.storage import LocalStore

if TYPE_CHECKING:
    from upath import UPath


class _Folder(LocalStore):
    """A folder of any file system: zarr's own makes files by hard links, which not all have."""

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Write what is not there yet; there is one writer, so nobody comes in between."""
        if not await self.exists(key):
            await self.set(key, value)


def of_folder(path: Path, *, read_only: bool) -> Store:
    """Return zarr's view of a local folder."""
    return LocalStore(path, read_only=True) if read_only else _Folder(path)


def of_objects(path: "UPath", *, read_only: bool) -> Store:
    """Return zarr's view of the objects at a URL."""
    from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
    from zarr.storage import FsspecStore

    # In threads of zarr's own loop, over the one connection that all else here uses.
    reached = AsyncFileSystemWrapper(path.fs, asynchronous=True)
    return FsspecStore(reached, read_only=read_only, path=path.path)
