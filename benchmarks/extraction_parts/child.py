"""Run one system in a process of its own, and watch what the process and its children hold.

A process of its own, because start-up is part of the answer and memory is freed by nothing else.
"""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PAGE = os.sysconf("SC_PAGE_SIZE")
_RSS_EVERY, _GPU_EVERY = 0.25, 1.0
"""Seconds between looks."""


class RunError(Exception):
    """A system did not finish; the message is the last line it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What is known of a process that ended well."""

    seconds: float
    """Wall clock, start of the process to its end."""
    rss: int
    """Bytes: the largest sum of resident memory over the process and its children."""
    gpu: int | None
    """Bytes: the device's used memory at its largest, less what was used before."""
    said: dict[str, Any]
    """The JSON object on the last line of its output; empty where there is none."""


def run_child(
    command: list[str], *, log: Path, env: Mapping[str, str] | None = None, gpu: bool = False
) -> Finished:
    """Run a command to its end.

    Args:
        command: program and arguments.
        log: file for its standard error.
        env: added to this process's environment; `STARTED` is set to the time of the start.
        gpu: also look at the device's memory.

    Raises:
        RunError: the command is not there or its exit status is not 0.
    """
    watch = _Watch(gpu)
    with log.open("w") as errors:
        began = time.time()
        surroundings = {**os.environ, **(env or {}), "STARTED": repr(began)}
        try:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=surroundings
            )
        except OSError as error:
            raise RunError(f"{command[0]}: {error.strerror}") from error
        watch.start(process.pid)
        out, _ = process.communicate()
        seconds = time.time() - began
        watch.stop()
    if process.returncode:
        raise RunError(f"exit status {process.returncode}: {_last_line(log.read_text(), out)}")
    lines = out.strip().splitlines()
    said = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return Finished(seconds=seconds, rss=watch.rss, gpu=watch.gpu, said=said)


def gpu_name() -> str | None:
    """The first GPU's name, or None where no driver answers."""
    return _nvidia_smi("name")


class _Watch:
    """Looks at a process tree in a thread until it is told to stop."""

    def __init__(self, gpu: bool) -> None:
        self.rss = 0
        self._before = _gpu_used() if gpu else None
        self._most = self._before
        self._done = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def gpu(self) -> int | None:
        if self._before is None or self._most is None:
            return None
        return self._most - self._before

    def start(self, pid: int) -> None:
        looks = [(lambda: self._look_rss(pid), _RSS_EVERY)]
        if self._before is not None:
            looks.append((self._look_gpu, _GPU_EVERY))
        for look, every in looks:
            thread = threading.Thread(target=self._repeat, args=(look, every), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, look: Any, every: float) -> None:
        while not self._done.wait(every):
            look()

    def _look_rss(self, pid: int) -> None:
        self.rss = max(self.rss, tree_rss(pid))

    def _look_gpu(self) -> None:
        self._most = max(self._most or 0, _gpu_used() or 0)


def tree_rss(pid: int) -> int:
    """Resident bytes of a process and all below it; shared pages count once a process."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold spaces: the fields are counted from behind it.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # gone while we looked
    family = {pid}
    grown = True
    while grown:
        below = {child for child, parent in parents.items() if parent in family} - family
        family |= below
        grown = bool(below)
    total = 0
    for member in family:
        try:
            total += int(Path(f"/proc/{member}/statm").read_text().split()[1]) * _PAGE
        except (OSError, IndexError):
            continue
    return total


def _gpu_used() -> int | None:
    used = _nvidia_smi("memory.used")
    return None if used is None else int(used) * 2**20


def _nvidia_smi(field: str) -> str | None:
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader,nounits"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = answer.stdout.strip().splitlines()
    return lines[0].strip() if answer.returncode == 0 and lines else None


def _last_line(*texts: str) -> str:
    for text in texts:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            return lines[-1][:300]
    return "it left no message"
