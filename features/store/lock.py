"""The lock of the one process that plans and commits a store: gone when its owner dies.

It is `flock`, held by the kernel. Where a file system has none, filelock would by default leave
a marker file instead, which outlives a killed owner and locks everybody out: that is refused.

At a URL there is no such thing. Its lock is a file of this machine, named by the URL; another
machine does not see it, and is told by the plan alone (docs/store.md, "At a URL").
"""

import errno
import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from gensr.features.store.errors import StoreError
from gensr.features.store.files import disk_of, exists, make_folders
from gensr.features.store.where import Where

LOCK = "lock"
"""Name in the work folder; at a URL an empty object that says whose folder it is."""

_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)
"""What `flock` answers where the file system has no locks, or no server that keeps them."""
_ELSEWHERE = {
    True: "extract to a local disk",
    False: "let XDG_CACHE_HOME name a folder on a local disk",
}
"""The way out, where the lock was to be beside the store, or not."""


def hold(store: Where, folder: Where) -> FileLock:
    """Return the lock of a store's work folder, held; a local folder is made for it.

    Raises:
        StoreError: another process holds it, or the file system has no locks.
        OSError: there is no place for the lock.
    """
    beside = disk_of(folder).locks
    made = beside and not exists(folder)
    if beside:
        make_folders(folder)
    path = folder / LOCK if beside else _locks() / f"{_name(folder)}.lock"
    lock = FileLock(str(path), timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(
            f"{store} is being written by another process: wait for it, or choose another --out"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        if made:
            with suppress(OSError):
                path.unlink()
                path.parent.rmdir()
        raise StoreError(
            f"{path} cannot be locked ({error.strerror}): mount its file system with flock "
            f"(Lustre: -o flock), or {_ELSEWHERE[beside]}"
        ) from error
    return lock


def _name(folder: Where) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()[:32]


def _locks() -> Path:
    """Return the folder of locks of this user: in the cache, or where that cannot be written."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "gensr" / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    folder = Path(tempfile.gettempdir()) / f"gensr-locks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
