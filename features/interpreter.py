"""What the Pythons that we start may import: nothing of the folder that one happens to be in.

An interpreter that is started by `-c` or `-m` looks into the current folder first, before its own
library: a file `signal.py` beside a corpus would run. Ours are started in Python's safe mode, and
are handed the import path of this process without the folder that its own start has put first:
the current one, or the script's. `PYTHONPATH` is the user's choice, and stays.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STARTED_IN = Path.cwd()
_SAFE = "PYTHONSAFEPATH"
_lock = threading.Lock()
_inside = 0
_before: tuple[list[str], str | None] = ([], None)


def start_folder() -> str | None:
    """Return the entry of `sys.path` that this interpreter's start has put there, as it is there.

    It was the first one then; libraries put theirs before it (dask's nannies do). None where there
    is none: in safe mode, or where somebody has taken it out.
    """
    if sys.flags.safe_path:
        return None
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    put = None
    if getattr(main, "__spec__", None) is not None:  # `python -m`
        put = _STARTED_IN.resolve()
    elif file is not None:
        put = Path(file).resolve().parent
    for entry in sys.path:
        if entry == "":  # a notebook, a terminal, `python -c`
            return entry
        if put is not None and Path(entry).resolve() == put:
            return entry
    return None


def import_path() -> list[str]:
    """Return where a child that needs nothing but gensr and its libraries looks for them."""
    start = start_folder()
    # A copy of gensr that lies beside a script is found there, after everything else.
    own = [start] if start and Path(__file__).parents[2] == Path(start) else []
    return [folder for folder in (*_without(start), *own) if folder]


def _without(start: str | None) -> list[str]:
    """Return `sys.path` without the first entry of this kind: another one is the user's."""
    rest = list(sys.path)
    if start is not None:
        rest.remove(start)
    return rest


@contextmanager
def safe_starts(*, keep: bool) -> Iterator[None]:
    """Start processes by multiprocessing's `spawn` inside: they inherit a safe import path.

    spawn passes `sys.path` on as it is at that moment, and its command line knows safe mode by
    the environment alone; so both are changed for as long as a process is being started, once
    for all that are being started at the same time.

    Args:
        keep: whether the start folder holds code that the processes need, an encoder of the
            caller's own or the main script that spawn imports again; then it comes last.
    """
    _enter(keep=keep)
    try:
        yield
    finally:
        _leave()


def _enter(*, keep: bool) -> None:
    global _inside, _before
    with _lock:
        _inside += 1
        if _inside > 1:
            return
        _before = (list(sys.path), os.environ.get(_SAFE))
        start = start_folder()
        if start is not None:
            kept = str(Path(start or _STARTED_IN).resolve())
            needed = keep or _holds_main(kept)
            sys.path[:] = [each for each in _without(start) if each] + [kept] * needed
        os.environ[_SAFE] = "1"


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if _inside:
            return
        path, safe = _before
        sys.path[:] = path
        if safe is None:
            del os.environ[_SAFE]
        else:
            os.environ[_SAFE] = safe


def _holds_main(folder: str) -> bool:
    """Whether the script or module that spawn imports again lies in a folder, and is not ours."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if file is None or getattr(main, "__package__", None) == "gensr.cli":
        return False
    return Path(file).resolve().is_relative_to(folder)
