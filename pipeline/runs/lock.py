"""The lock of the one training that writes a run folder: gone when its owner dies.

It is `flock`, held by the kernel, on a file in the folder. That file is removed by its owner as
the last thing it does; a killed owner's stays, and locks nobody out. Whoever reads a run asks
whether it is being written, and leaves nothing behind.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from gensr.estimator.errors import RunError
from gensr.estimator.files import why

LOCK = "lock"
"""Name in the run folder."""
PATIENCE = 0.5
"""Seconds that a training waits for the lock: as long as a reader's question may take."""
_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)
"""What `flock` answers where the file system has no locks, or no server that keeps them."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder that is there.

    Raises:
        RunError: another process holds it, the folder cannot be written, or the file system has
            no locks.
    """
    path = folder / LOCK
    # By the umask, so that those who share a folder may go on with each other's runs.
    lock = FileLock(path, timeout=PATIENCE, poll_interval=0.05, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(busy(folder)) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            with suppress(OSError):
                path.unlink()
            raise RunError(
                f"{path} cannot be locked ({error.strerror}): mount its file system with flock "
                "(Lustre: -o flock), or train to a local disk"
            ) from error
        raise RunError(f"{folder} cannot be written: {why(error)}; pass another --run") from error
    try:
        yield
    finally:
        # While it is held: whoever has opened it meanwhile sees that it has no name any more.
        with suppress(OSError):
            path.unlink()
        lock.release()


def idle(folder: Path) -> bool:
    """Whether nobody trains this run just now."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return True  # none, or one that this user cannot see
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # no locks here: then nobody holds one
    finally:
        os.close(descriptor)
    return True


def check_idle(folder: Path) -> None:
    """Refuse to read a run that is being trained.

    Raises:
        RunError: it is.
    """
    if not idle(folder):
        raise RunError(busy(folder))


def busy(folder: Path) -> str:
    """What to say of a run that is being trained."""
    return f"{folder} is being trained by another process: wait for it, or name another run"
