"""Processes of tests: started with the helpers at hand, asked, watched, and waited for."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parents[1]


def python(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of `support`, warnings being errors."""
    return [sys.executable, "-W", "error", "-m", f"support.{module}", *map(str, arguments)]


def with_support() -> dict[str, str]:
    """Return an environment in which a child finds `support`."""
    return os.environ | {"PYTHONPATH": str(TESTS)}


def hearing() -> None:
    """Hear Ctrl-C, though the tests may run in the background of a shell, which makes deaf."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def group_of(leader: int) -> list[int]:
    """Return the processes of a terminal's session that still run, by their ids."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has asked for its status yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "\nState:\tZ" in status.read_text()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let a block take no longer."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def wait_for(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
