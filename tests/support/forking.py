"""Calls in processes of their own, imports paid once, so that thousands of them can be killed.

    with forking("store_works") as calls:
        status = calls.call("make", out, "abc", how={"kill": 7}).status

A server imports a module of `support` and forks a child for each line of JSON on its stdin,
[name, arguments, how]: it calls WORKS[name], ended as ENDINGS[module] or `how` says. It prints a
line for each thing that comes about:

    pid 123         the child is there
    step remove x   it waits at a step for one byte on stdin (`waiting`)
    answer [1, 2]   what it has returned
    taken 85        it got through, and so many steps were counted
    status 0        it has ended so; negative: by that signal
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.processes import python, with_support
from support.steps import FLUSHES, FOLDERS, NAMES, At, PowerCut, Step, Steps, die, of_store, onto


@dataclass
class Ended:
    """How a call has ended, and what it has told until then."""

    status: int = 0
    answer: Any = None
    steps: list[str] = field(default_factory=list)
    taken: int = 0
    """Steps that were counted, where it was to be ended at one and was not."""


class Calls:
    """Calls of a module's WORKS, one at a time."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            python("forking", module),
            env=with_support(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._early: list[str] = []

    def begin(self, name: str, *arguments: object, how: dict[str, Any] | None = None) -> int:
        """Start a call; return the id of its process."""
        self._write(json.dumps([name, arguments, how or {}], default=str) + "\n")
        while not (line := self._line()).startswith("pid "):
            self._early.append(line)  # a step's, which may come first
        return int(line.removeprefix("pid "))

    def end(
        self, kill: Callable[[int, str], float | None] = lambda *_: None, pid: int = 0
    ) -> Ended:
        """Let the call that was begun go on, step by step where it waits, until it has ended.

        Args:
            kill: of a step's number and name: None, or how many seconds after it went on from
                there it is to be killed.
            pid: whom to kill.
        """
        found, doomed = Ended(), False
        while True:
            word, _, rest = (self._early.pop(0) if self._early else self._line()).partition(" ")
            if word == "status":
                found.status = int(rest)
                return found
            if word == "answer":
                found.answer = json.loads(rest)
            elif word == "taken":
                found.taken = int(rest)
            elif word == "step" and not doomed:
                pause = kill(len(found.steps), rest)
                found.steps.append(rest)
                self._write("\n")
                if pause is not None:
                    doomed = True
                    time.sleep(pause)
                    os.kill(pid, signal.SIGKILL)

    def call(self, name: str, *arguments: object, how: dict[str, Any] | None = None) -> Ended:
        """Do it to its end."""
        self.begin(name, *arguments, how=how)
        return self.end()

    def close(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.close()
        self._process.wait()
        stdout.close()

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the calls have ended"
        return line.strip()


@contextmanager
def forking(module: str) -> Iterator[Calls]:
    """Start a server of a module's WORKS."""
    calls = Calls(module)
    try:
        yield calls
    finally:
        calls.close()


def say(word: str, rest: object) -> None:
    """Print a line, whole, from whichever process."""
    os.write(1, f"{word} {rest}\n".encode())


def wait(name: str) -> None:
    """Tell a step, and wait until it may be taken."""
    say("step", name)
    os.read(0, 1)


def waiting() -> Steps:
    """While it lasts, wait before each step that the store takes."""

    def before(step: Step) -> None:
        wait(f"{step.function} {step.path}")

    return Steps(of_store("write_atomic", "sync", "move", "remove"), before)


def ending(
    kill: int | None = None,
    since: tuple[str, ...] = (),
    cut: int | None = None,
    tear: str = "",
    folder: str = "",
) -> tuple[AbstractContextManager[object], At | None]:
    """How a call is to end, as `how` of its line says it, and who counts its steps.

    Args:
        kill: at that step of what changes names or makes them last, as by SIGKILL.
        since: count only changes of names, from the one that puts something in such a place.
        cut: by a power cut at that step.
        tear: what a power cut does to files.
        folder: where.
    """
    if kill is not None and since:
        at = At(kill, die, since=onto(*since))
        return Steps(NAMES, at), at
    if kill is not None:
        at = At(kill, die)
        return Steps((*NAMES, *FLUSHES, *FOLDERS), at), at
    if cut is not None:
        power = PowerCut(Path(folder), tear)
        at = At(cut, power)
        return Steps((*NAMES, *FLUSHES), at, power.done), at
    return nullcontext(), None


def serve(module: str) -> None:
    """Fork a child for every line that comes, until none does."""
    works = importlib.import_module(f"support.{module}").WORKS
    child = None
    for line in sys.stdin:
        if not line.strip():  # of a call that was killed before it read it
            continue
        if child is not None:
            os.waitpid(child, 0)
        name, arguments, how = json.loads(line)
        child = os.fork()
        if not child:
            try:
                watching, at = ending(**how)
                with watching:
                    answer = works[name](*arguments)
                if answer is not None:
                    say("answer", json.dumps(answer))
                if at is not None:
                    say("taken", at.taken)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        say("pid", child)  # after the first step's name, perhaps
        # It stays a zombie until the next line: a kill that comes too late hits nobody else.
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        say("status", ended.si_status * (1 if ended.si_code == os.CLD_EXITED else -1))


if __name__ == "__main__":
    serve(sys.argv[1])
