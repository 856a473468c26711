"""What was heard of every file, kept line by line while a corpus is surveyed.

    {"preprocessing": {...}, "decoders": {...}}
    ["<hash of the file>", 16000, "<hash of the samples>", "", false]
    ["<hash of the file>#t=1.5,4", 40000, "<hash of the part's samples>", "", false]
    ...

The first line says what the verdicts hold for: how files become samples, and the versions of the
libraries that do it. Where either is another now, the log is begun anew: samples, and so their
hashes, may be others in the last bits. Versions stay out of the store, whose vectors are those
of the samples, whoever decoded them.

A survey of a large corpus takes hours; killed, it goes on where it was. Lines are only ever
added, and reach the disk every few seconds. The last one may be torn, and is then ignored.
Of two lines about the same clip the later one holds: a file may have been tried again.

At a URL nothing can be added to an object. There the log is a folder of pieces, each such a log
by itself, of what was heard in about half a minute.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensr.features.hearing.verdict import Verdict, decoder_versions
from gensr.features.store import files
from gensr.features.store.where import Where

if TYPE_CHECKING:
    from upath import UPath

Keep = Callable[[str, Verdict], None]
"""Called with the key of a clip (`segments.key_of`) and what was heard."""

_ROW = [str, int, str, str, bool]
"""Types of a line's parts: the key of the clip, and the fields of a verdict."""
_LINES, _SECONDS = 1000, 2.0
"""What a power cut can cost."""
_PIECE_LINES, _PIECE_SECONDS = 10_000, 30.0
"""What a kill can cost at a URL, and how many objects a survey makes."""


def read(path: Where, preprocessing: Mapping[str, Any]) -> dict[str, Verdict]:
    """Return the verdicts by the hash of the file's bytes, and the part of it that was heard.

    None where there is no log, or one of another preprocessing or of other decoders.
    """
    known: dict[str, Verdict] = {}
    for _, line in _lines(path, preprocessing):
        if isinstance(line, list):
            key, *told = line
            known[key] = Verdict(*told)
    return known


def begin(path: Where, preprocessing: Mapping[str, Any]) -> "SurveyLog | SurveyPieces":
    """Return a log to be added to, of either kind."""
    if isinstance(path, Path):
        return SurveyLog(path, preprocessing)
    return SurveyPieces(path, preprocessing)


class SurveyLog:
    """A log to be added to, from one thread; one that holds for something else is replaced.

    Args:
        path: the log, which may not be there.
        preprocessing: how files become samples; verdicts hold for that alone.
    """

    def __init__(self, path: Path, preprocessing: Mapping[str, Any]) -> None:
        end = max((end for end, _ in _lines(path, preprocessing)), default=0)
        if not end:
            first = _dump(_head(preprocessing))
            files.write_atomic(path, first)
            end = len(first)
        self._file = path.open("r+b")
        self._file.truncate(end)  # a torn last line
        self._file.seek(end)
        self._waiting, self._synced = 0, time.monotonic()

    def add(self, key: str, verdict: Verdict) -> None:
        """Add one verdict; it outlives this process at once, and a power cut soon after."""
        self._file.write(_dump([key, *astuple(verdict)]))
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


class SurveyPieces:
    """A log at a URL, one object for some lines; otherwise like `SurveyLog`."""

    def __init__(self, folder: "UPath", preprocessing: Mapping[str, Any]) -> None:
        self._folder = folder
        self._head = _dump(_head(preprocessing))
        pieces = _pieces(folder)
        # All are of one kind: others were removed before the first of these was written.
        if pieces and not any(_whole(_content(pieces[0]), preprocessing)):
            files.remove(folder)
            pieces = []
        self._next = int(pieces[-1].name) + 1 if pieces else 0
        self._begin()

    def add(self, key: str, verdict: Verdict) -> None:
        """Add one verdict; it outlives this process within half a minute."""
        self._waiting.append(_dump([key, *astuple(verdict)]))
        if len(self._waiting) >= _PIECE_LINES or time.monotonic() - self._since > _PIECE_SECONDS:
            self._put()

    def close(self) -> None:
        """Write what is waiting."""
        if self._waiting:
            self._put()

    def _put(self) -> None:
        data = self._head + b"".join(self._waiting)
        files.write_atomic(self._folder / f"{self._next:08}", data)
        self._next += 1
        self._begin()

    def _begin(self) -> None:
        self._waiting: list[bytes] = []
        self._since = time.monotonic()


def _lines(path: Where, preprocessing: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    """Yield (end of the line in bytes, its content) as far as the log is whole and fits."""
    if not isinstance(path, Path):
        for piece in _pieces(path):
            yield from _whole(_content(piece), preprocessing)
    elif path.is_file():
        with path.open("rb") as file:
            yield from _whole(file, preprocessing)


def _whole(file: Iterable[bytes], preprocessing: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    head, end = _head(preprocessing), 0
    for raw in file:
        try:
            line = json.loads(raw) if raw.endswith(b"\n") else None
        except (ValueError, RecursionError):
            return
        if not (_is_row(line) if end else line == head):
            return
        end += len(raw)
        yield end, line


def _head(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    return {"preprocessing": dict(preprocessing), "decoders": decoder_versions()}


def _pieces(folder: "UPath") -> list["UPath"]:
    """Return the pieces of a log at a URL, in order."""
    return [folder / name for name in sorted(files.names(folder))]


def _content(piece: "UPath") -> list[bytes]:
    return piece.read_bytes().splitlines(keepends=True)


def _is_row(line: object) -> bool:
    return isinstance(line, list) and [type(part) for part in line] == _ROW


def _dump(line: object) -> bytes:
    return json.dumps(line).encode() + b"\n"
