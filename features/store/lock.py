"""The lock of the one process that plans and commits a store: gone when its owner dies.

At a URL there is no such thing. Its lock is a file of this machine, named by the URL; another
machine does not see it, and is told by the plan alone (docs/store.md, "At a URL").
"""

import hashlib
import os
import tempfile
from pathlib import Path

from filelock import FileLock

from gensr.features.store.where import Where

LOCK = "lock"
"""Name in the work folder; at a URL an empty object that says whose folder it is."""


def lock_of(folder: Where) -> FileLock:
    """Return the lock of a work folder, not held yet; a local folder is made for it.

    Raises:
        OSError: there is no place for the lock.
    """
    if isinstance(folder, Path):
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / LOCK, timeout=0)
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:32]
    return FileLock(_locks() / f"{name}.lock", timeout=0)


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
