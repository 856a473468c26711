"""The one way to end a piece of work at a chosen step of what it does to the disk.

    with Steps(NAMES, At(7, die)):
        work()

`Steps` watches some functions and tells every call of them, before it is made, to a listener.
`At` is the listener that counts them, and ends the work before its n-th. How it ends is a
function without arguments: `die` (the process, as by SIGKILL), `killed` (an exception that stands
for it), `refuse(errno.ENOSPC)`, or a `PowerCut`, which takes with it what was not flushed. `every`
goes through the steps of a piece of work, one death after the other.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from gensr.features.store.disk import Disk
from gensr.features.store.local_disk import LocalDisk
from gensr.features.store.url_disk import UrlDisk

DIED = 9
"""Exit status of a process that has died at its step."""


def of(owner: Any, *names: str) -> tuple[tuple[Any, str], ...]:
    """Functions of a module, or of a class, to be watched."""
    return tuple((owner, name) for name in names)


NAMES = of(os, "rename", "replace", "unlink", "rmdir")
"""What changes names on a disk."""
FLUSHES = of(os, "fsync")
FOLDERS = of(os, "mkdir")


def of_store(*names: str) -> tuple[tuple[Any, str], ...]:
    """What the store does to files, wherever they are: write_atomic, sync, move, remove."""
    return (*of(LocalDisk, *names), *of(UrlDisk, *names))


@dataclass(frozen=True)
class Step:
    """A call that is about to be made."""

    function: str
    arguments: tuple[Any, ...]

    @property
    def path(self) -> str:
        """What it is about: its first argument, a path, or a file that is open."""
        first = self.arguments[0]
        if isinstance(first, int):
            first = Path(f"/proc/self/fd/{first}").readlink()
        return str(first)


class Steps:
    """While it lasts, calls of these functions are told to a listener before they are made."""

    def __init__(
        self,
        functions: Iterable[tuple[Any, str]],
        before: Callable[[Step], None],
        after: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self._functions, self._before, self._after = tuple(functions), before, after
        self._own: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> "Steps":
        for owner, name in self._functions:
            self._own.append((owner, name, vars(owner).get(name)))
            setattr(owner, name, self._watched(name, getattr(owner, name)))
        return self

    def __exit__(self, *error: object) -> None:
        while self._own:
            owner, name, own = self._own.pop()
            if own is None:  # inherited
                delattr(owner, name)
            else:
                setattr(owner, name, own)

    def _watched(self, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            step = Step(name, arguments[1:] if isinstance(arguments[0], Disk) else arguments)
            self._before(step)
            answer = do(*arguments, **options)
            self._after(step)
            return answer

        return call


class At:
    """Ends the work before its step number `step`, and before whatever it goes on to do."""

    def __init__(
        self,
        step: int,
        end: Callable[[], object],
        *,
        counts: Callable[[Step], bool] = lambda step: True,
        since: Callable[[Step], bool] = lambda step: True,
    ) -> None:
        """Count the steps that `counts` is true of, from the first that `since` is true of."""
        self._step, self._end, self._counts, self._since = step, end, counts, since
        self._begun = False
        self.taken = 0
        """Steps that were counted."""
        self.ended = 0
        """How many steps it was ended at: more than one where the work goes on regardless."""

    def __call__(self, step: Step) -> None:
        if not self._counts(step):
            return
        self._begun = self._begun or self._since(step)
        if not self._begun:
            return
        self.taken += 1
        if self.taken > self._step:
            self.ended += 1
            self._end()


def onto(*names: str) -> Callable[[Step], bool]:
    """Whether a step puts something in a place that has one of these names, or is within it."""
    wanted = set(names)
    return lambda step: (
        step.function in ("move", "rename", "replace")
        and bool({*Path(step.arguments[1]).parts[-2:]} & wanted)
    )


class Killed(BaseException):
    """Stands for SIGKILL where a test's own process goes on: nothing catches it."""


def killed() -> NoReturn:
    """End the work, and not the process."""
    raise Killed


def die() -> NoReturn:
    """End the process, as SIGKILL does: nothing is cleared up."""
    os._exit(DIED)


def refuse(code: int) -> Callable[[], NoReturn]:
    """End a call as the system refuses it, by a number of `errno`."""

    def end() -> NoReturn:
        raise OSError(code, os.strerror(code))

    return end


class PowerCut:
    """Ends the process, and loses what was written in a folder and not flushed since.

    As file systems lose it, so is each of these files afterwards: `empty`, full of `zeros`, or
    whole up to the `half`. It is the end of `At`, and what `Steps` tells after each call.
    """

    TEARS = ("empty", "zeros", "half")

    def __init__(self, folder: Path, tear: str) -> None:
        self._folder, self._tear = folder, tear
        self._lasting = {_state(file.stat()) for file in self._files()}

    def __call__(self) -> NoReturn:
        for file in self._files():
            if _state(file.stat()) not in self._lasting:
                self._lose(file)
        die()

    def done(self, step: Step) -> None:
        """Note what was flushed."""
        if step.function == "fsync":
            self._lasting.add(_state(os.fstat(step.arguments[0])))

    def _files(self) -> list[Path]:
        return [file for file in self._folder.rglob("*") if file.is_file()]

    def _lose(self, file: Path) -> None:
        size = file.stat().st_size
        with file.open("r+b") as data:
            kept = data.read(size // 2) if self._tear == "half" else b""
            data.seek(0)
            data.truncate()
            data.write(kept)
            data.truncate(0 if self._tear == "empty" else size)


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_mtime_ns, status.st_size


NEVER = 10**9
"""A step that no piece of work gets to: it is counted to its end."""


def strided(first: int, stride: int) -> Iterator[int]:
    """Every one of the first steps, then every `stride`th."""
    return itertools.chain(range(first), itertools.count(first, stride))


def spread(count: int, *, ends: int, stride: int, offset: int = 0) -> list[int]:
    """Choose from a piece of work of `count` steps: both its ends whole, and some between.

    Between the ends lies what is done over and over, as a folder's files are removed: who begins
    at another `offset` there than another does covers with it what each leaves out.
    """
    inner = range(ends + offset, count - ends, stride)
    return [*range(ends), *inner, *range(count - ends, count)]


def every(steps: Iterable[int], attempt: Callable[[int], int], least: int) -> Iterator[int]:
    """Let a piece of work end at each of these steps, until it gets through.

    Args:
        steps: where to end it, ascending.
        attempt: does the work from its beginning up to a step; its exit status.
        least: if it gets through, then past this step.

    Yields:
        Each step that it was ended at.
    """
    for step in steps:
        status = attempt(step)
        if status == 0:
            assert step > least, f"it had no more than {step} steps to die of"
            return
        assert status == DIED
        yield step


def status_of(work: Callable[[], object]) -> int:
    """Do a piece of work in this process; return its status as if it had one of its own."""
    try:
        work()
    except Killed:
        return DIED
    return 0
