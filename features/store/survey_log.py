"""What was heard of every file, kept line by line while a corpus is surveyed.

    {"preprocessing": {...}}
    ["<hash of the file>", 16000, "<hash of the samples>", ""]
    ...

A survey of a large corpus takes hours; killed, it goes on where it was. Lines are only ever
added, and reach the disk every few seconds. The last one may be torn, and is then ignored.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gensr.features.store import files
from gensr.features.verdict import Verdict

Keep = Callable[[str, Verdict], None]
"""Called with the hash of a file's bytes and what was heard."""

_LINES, _SECONDS = 1000, 2.0
"""What a power cut can cost."""


def read(path: Path, preprocessing: Mapping[str, Any]) -> dict[str, Verdict]:
    """Return the verdicts by the hash of the file's bytes.

    None where there is no log, or one of another preprocessing.
    """
    known: dict[str, Verdict] = {}
    for _, line in _lines(path, preprocessing):
        if isinstance(line, list):
            sha, samples, audio_sha, reason = line
            known[sha] = Verdict(samples=samples, audio_sha256=audio_sha, reason=reason)
    return known


class SurveyLog:
    """A log to be added to, from one thread; one of another preprocessing is replaced.

    Args:
        path: the log, which may not be there.
        preprocessing: how files become samples; verdicts hold for that alone.
    """

    def __init__(self, path: Path, preprocessing: Mapping[str, Any]) -> None:
        end = max((end for end, _ in _lines(path, preprocessing)), default=0)
        if not end:
            first = _dump({"preprocessing": dict(preprocessing)})
            files.write_atomic(path, first)
            end = len(first)
        self._file = path.open("r+b")
        self._file.truncate(end)  # a torn last line
        self._file.seek(end)
        self._waiting, self._synced = 0, time.monotonic()

    def add(self, file_sha256: str, verdict: Verdict) -> None:
        """Add one verdict; it outlives this process at once, and a power cut soon after."""
        line = [file_sha256, verdict.samples, verdict.audio_sha256, verdict.reason]
        self._file.write(_dump(line))
        self._file.flush()
        self._waiting += 1
        if self._waiting >= _LINES or time.monotonic() - self._synced > _SECONDS:
            self._sync()

    def close(self) -> None:
        """Wait until all is on the disk."""
        with self._file:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._waiting, self._synced = 0, time.monotonic()


def _lines(path: Path, preprocessing: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    """Yield (end of the line in bytes, its content) as far as the log is whole and fits."""
    if not path.is_file():
        return
    end = 0
    with path.open("rb") as file:
        for raw in file:
            try:
                line = json.loads(raw) if raw.endswith(b"\n") else None
            except ValueError:
                return
            whole = line == {"preprocessing": dict(preprocessing)} if not end else _is_row(line)
            if not whole:
                return
            end += len(raw)
            yield end, line


def _is_row(line: object) -> bool:
    return isinstance(line, list) and [type(part) for part in line] == [str, int, str, str]


def _dump(line: object) -> bytes:
    return json.dumps(line).encode() + b"\n"
