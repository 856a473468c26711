"""Decoding in processes of its own, where a crash or a hang costs one clip, by name.

Why not `multiprocessing` or `ProcessPoolExecutor`: their workers import the user's script again
(a script without a main guard would start itself), and one crash breaks the whole pool. These
are plain processes that speak lines over pipes, see `decode_child.py`.

A clip whose decoding crashes is tried once more, in a fresh process and no other clip with it:
memory may have run out, and an earlier clip may have damaged what this one fell over. A clip
that does not finish in its time is not tried again: it would cost that time once more.

The processes are started when they are needed, and kept for later calls (a start costs about
0.3 s). Another is added once waiting for a free one has cost as much as a start.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gensr.estimator.errors import GensrError
from gensr.features.cores import usable_cores
from gensr.features.interpreter import import_path
from gensr.features.segments import file_of
from gensr.features.verdict import Verdict, refused

MODULE = "gensr.features.decode_child"
_START_COST = 0.3
"""Seconds of waiting after which another process pays for itself."""
_START_SECONDS = 300.0
"""Within this time libraries are loaded, however slow the disk."""
_MEGABYTE = 1_000_000
_MOST = 16
_CONVERT = "convert the file first: ffmpeg -i clip.wav -ac 1 -ar 16000 converted.wav"


class _EndedError(Exception):
    """The process ended, or has to be ended, before it came to a verdict."""

    def __init__(self, words: str, *, timed_out: bool = False) -> None:
        super().__init__(words)
        self.timed_out = timed_out
        self.file_sha256 = ""
        """Hash of the bytes, where it had come that far."""
        self.limit = 0.0
        """Seconds it had for what it did last."""


class _Child:
    """One process, used by one thread at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        try:
            # Unbuffered pipes hold no lock, which a fork could leave locked for ever. A process
            # group of its own, so that Ctrl-Z stops the clock's owner and not the work.
            self.process = subprocess.Popen(  # noqa: S603
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                process_group=0,
            )
        except OSError as error:
            raise GensrError(
                f"no process to decode in can be started ({error.strerror or error}): free "
                "memory, or raise the limit on processes (ulimit -u)"
            ) from error
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._to, self._from = self.process.stdin, self.process.stdout
        self._poll = select.poll()
        self._poll.register(self._from, select.POLLIN)
        self._buffer = b""
        self.ready = False
        """Whether it waits for a path; not so when an answer was waited for in vain."""
        try:
            self._next(time.monotonic() + _START_SECONDS)
        except _EndedError:
            self.stop()
            raise GensrError(f"the decoding process does not start: {_why(command)}") from None
        self.ready = True

    def hear(self, path: Path, limit: float) -> tuple[str, Verdict]:
        """Return the hash of a file's bytes ("" where they cannot be read) and the verdict.

        Raises:
            _EndedError: it came to no verdict.
            GensrError: no file can be resampled.
        """
        self.ready = False
        file_sha = ""
        until = time.monotonic() + limit
        try:
            self._to.write(json.dumps(os.fsencode(path).decode("latin-1")).encode() + b"\n")
            while True:
                kind, *values = self._next(until)
                if kind == "verdict":
                    self.ready = True
                    return file_sha, Verdict(*values)
                if kind == "hashed":
                    file_sha = values[0]
                elif kind == "loading":
                    limit = max(limit, _START_SECONDS)
                    until = time.monotonic() + limit
                else:
                    raise GensrError(values[0])
        except BrokenPipeError:  # it died while it had nothing to do
            raise _EndedError(self._last_words()) from None
        except _EndedError as end:
            end.file_sha256, end.limit = file_sha, limit
            raise

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.forget()
        with suppress(subprocess.TimeoutExpired):  # a dead network disk holds it beyond any signal
            self.process.wait(timeout=10)

    def forget(self) -> None:
        """Close the pipes: the process ends by itself once no one else holds them."""
        for pipe in (self._to, self._from):
            with suppress(OSError):
                pipe.close()

    def _next(self, until: float) -> list[Any]:
        """Return the next line, waiting for it until a time of the monotonic clock."""
        while b"\n" not in self._buffer:
            left = max(0.0, until - time.monotonic())
            if not self._poll.poll(left * 1000):
                raise _EndedError("timed out", timed_out=True)
            data = self._from.read(1 << 16)
            if not data:
                raise _EndedError(self._last_words())
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        values: list[Any] = json.loads(line)
        return values

    def _last_words(self) -> str:
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        if code >= 0:
            return f"exit status {code}"
        if code == -signal.SIGKILL:
            return "SIGKILL, as when memory runs out"
        known = {number.value: number.name for number in signal.Signals}
        return known.get(-code, f"signal {-code}")


class Decoders:
    """Processes that decode files; `hear` may be called from several threads.

    Args:
        count: how many processes there may be; by default one a core, at most 16.
        command: what is started; tests start worse ones.
        seconds: time that any clip has, before `seconds_per_megabyte` for its size.
        seconds_per_megabyte: a network disk may give no more than 1 MB in a second (ours).
    """

    def __init__(
        self,
        count: int | None = None,
        *,
        command: Sequence[str] = (sys.executable, "-P", "-m", MODULE),
        seconds: float = 30.0,
        seconds_per_megabyte: float = 1.0,
    ) -> None:
        self.count = count or min(_MOST, usable_cores())
        self._command, self._seconds, self._per_mb = tuple(command), seconds, seconds_per_megabyte
        self._free = threading.Condition()
        self._retries = threading.Lock()
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._places = 0
        """Children that are idle, busy or being started."""
        self._starting = False
        self._waiting = 0
        self._crowded, self._since = 0.0, 0.0
        """Seconds in which some thread waited, up to the time `_since`."""
        self.closed = False
        self._why_closed = ""

    def hear(self, path: Path) -> tuple[str, Verdict]:
        """Decode one file: the hash of its bytes ("" where they cannot be read) and the verdict.

        Raises:
            GensrError: no file can be decoded here, or `close` was called.
        """
        path = path.absolute()  # the child's working folder is its own
        limit = self._seconds + self._per_mb * _size(path) / _MEGABYTE
        late = "did not finish within {:.0f} s"
        try:
            return self._once(path, limit)
        except _EndedError as end:
            if end.timed_out:
                reason = f"the decoder {late.format(end.limit)}"
                return end.file_sha256, refused(reason, passing=True)
        with self._retries:
            try:
                return self._once(path, limit, fresh=True)
            except _EndedError as end:
                words = f"and then {late.format(end.limit)}" if end.timed_out else f"({end})"
                reason = f"the decoder crashed {words}; {_CONVERT}"
                return end.file_sha256, refused(reason, passing=True)

    def _once(self, path: Path, limit: float, *, fresh: bool = False) -> tuple[str, Verdict]:
        child = self._take(fresh=fresh)
        try:
            return child.hear(path, limit)
        finally:
            self._give_back(child)

    def rest(self) -> None:
        """End the idle processes but one: what waits shall cost little memory."""
        with self._free:
            surplus, self._idle = self._idle[1:], self._idle[:1]
            self._places -= len(surplus)
            self._free.notify_all()
        for child in surplus:
            child.stop()

    def close(self, reason: str = "the decoders were closed while files were heard") -> None:
        """End all processes; what is being heard raises `GensrError`.

        Args:
            reason: what that error says; the first one given counts.
        """
        with self._free:
            self._why_closed = self._why_closed or reason
            self.closed = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.process.kill()  # its thread sees the end, and does the rest
            self._free.notify_all()
        for child in idle:
            child.stop()

    def forget(self) -> None:
        """Leave the processes to the parent of a fork, which is still using them."""
        for child in (*self._idle, *self._busy):
            child.forget()
            child.process.returncode = 0  # not this process's to wait for

    def _take(self, *, fresh: bool) -> _Child:
        """Return a child that no other thread uses, waiting for it or starting it."""
        with self._free:
            while not self._may_start(fresh):
                if self._idle and not fresh:
                    child = self._idle.pop()
                    self._busy.add(child)
                    return child
                self._wait()
            self._places += 1
            self._starting |= not fresh
        try:
            child = _Child(self._command)
        except BaseException:
            with self._free:
                self._places -= 1
                self._started(fresh=fresh)
            raise
        with self._free:
            self._busy.add(child)
            self._started(fresh=fresh)
            if self.closed:
                child.process.kill()
        return child

    def _may_start(self, fresh: bool) -> bool:
        if self.closed:
            raise GensrError(self._why_closed)
        if fresh:  # beside the others, and gone when it has done its work
            return True
        if self._idle or self._starting or self._places >= self.count:
            return False
        self._count_waiting()
        return not self._places or self._crowded >= _START_COST

    def _wait(self) -> None:
        self._count_waiting()
        self._waiting += 1
        self._free.wait(_START_COST if self._places < self.count else None)
        self._count_waiting()
        self._waiting -= 1

    def _count_waiting(self) -> None:
        now = time.monotonic()
        if self._waiting:
            self._crowded += now - self._since
        self._since = now

    def _started(self, *, fresh: bool) -> None:
        if not fresh:  # one of those that are shared
            self._starting = False
            self._crowded, self._since = 0.0, time.monotonic()
        self._free.notify_all()

    def _give_back(self, child: _Child) -> None:
        with self._free:
            self._busy.discard(child)
            kept = child.ready and not self.closed and self._places <= self.count
            if kept:
                self._idle.append(child)
            else:
                self._places -= 1
            self._free.notify()
        if not kept:
            child.stop()


_shared: Decoders | None = None
_shared_lock = threading.Lock()


def shared_decoders() -> Decoders:
    """Return the decoders that all surveys of this process use."""
    global _shared
    with _shared_lock:
        if _shared is None or _shared.closed:
            _shared = Decoders()
        return _shared


def _close_shared() -> None:
    if _shared is not None:
        _shared.close()


def _forget_shared() -> None:
    global _shared, _shared_lock
    if _shared is not None:
        _shared.forget()
    _shared, _shared_lock = None, threading.Lock()


atexit.register(_close_shared)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_shared)


def _environment() -> dict[str, str]:
    """Return a child's environment: it finds what this process finds, and keeps to one core."""
    found = os.pathsep.join(import_path())
    return {**os.environ, "PYTHONPATH": found, "OMP_NUM_THREADS": "1"}


def _why(command: Sequence[str]) -> str:
    """Start a child that ends at once, to see what it complains about."""
    try:
        result = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, capture_output=True, env=_environment(), timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = result.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {result.returncode}"


def _size(path: Path) -> int:
    try:
        return Path(file_of(os.fspath(path))).stat().st_size
    except OSError:
        return 0
