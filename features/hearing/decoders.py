"""Decoding in processes of its own, where a crash or a hang costs one clip, by name.

Why not `multiprocessing` or `ProcessPoolExecutor`: their workers import the user's script again
(a script without a main guard would start itself), and one crash breaks the whole pool. These
are plain processes that speak lines over pipes, see `decode_child.py`.

A clip whose decoding crashes is tried once more, in a fresh process and no other clip with it:
memory may have run out, and an earlier clip may have damaged what this one fell over. A clip
that does not finish in its time is not tried again: it would cost that time once more.

The processes are started when they are needed, and kept for later calls (a start costs about
0.3 s). Who knows that many files are to come says so (`expect`), and they are all started at once,
while something else is done. Else another is added once waiting for a free one has cost as much as
a start.

A process is given several paths a line: what is said of a file costs as much as a tenth of
hearing it. Where it crashes or hangs, the file that it had come to is the one, and those behind it
are given to another.
"""

import atexit
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from gensr.estimator.errors import GensrError
from gensr.features.audio.errors import AudioError
from gensr.features.audio.hashes import hash_of
from gensr.features.audio.segments import file_of, locate
from gensr.features.cores import usable_cores
from gensr.features.hearing.decode import (
    CHANGED,
    Waveform,
    decode_opened,
    is_for_here,
    open_audio,
)
from gensr.features.hearing.decoding_process import MODULE, NO_SAMPLES, Child, EndedError, Told
from gensr.features.hearing.verdict import Verdict, refused

_START_COST = 0.3
"""Seconds of waiting after which another process pays for itself."""
_WORTH_A_START = 100
"""Files that take as long to hear as a process to start, 3 ms each."""
_MEGABYTE = 1_000_000
_MOST = 16
_CONVERT = "convert the file first: ffmpeg -i clip.wav -ac 1 -ar 16000 converted.wav"


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
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._places = 0
        """Children that are idle, busy or being started."""
        self._starting = False
        self._waiting = 0
        self._crowded, self._since = 0.0, 0.0
        """Seconds in which some thread waited, up to the time `_since`."""
        self.closed = False
        self._why_closed = ""

    def expect(self, files: int) -> None:
        """Start as many processes as are worth it for so many files; wait for none of them."""
        wanted = min(self.count, -(-files // _WORTH_A_START))
        while self._take_place(wanted):
            try:
                child = Child(self._command)
            except GensrError:  # whoever hears a file is told
                with self._free:
                    self._places -= 1
                return
            with self._free:
                self._idle.append(child)
                self._free.notify()
                if self.closed:
                    child.process.kill()

    def _take_place(self, wanted: int) -> bool:
        """Count another child, if there are to be so many."""
        with self._free:
            free = not self.closed and self._places < wanted
            self._places += free
            return free

    def hear(self, path: Path) -> tuple[str, Verdict]:
        """Decode one file: the hash of its bytes ("" where they cannot be read) and the verdict.

        Raises:
            GensrError: no file can be decoded here, or `close` was called.
        """
        (found,) = self.hear_all([path])
        return found

    def hear_all(self, paths: Sequence[Path]) -> list[tuple[str, Verdict]]:
        """Decode some files in one process, see `hear`."""
        found: list[tuple[str, Verdict]] = []
        while len(found) < len(paths):
            found += [told[:2] for told in self._told("hear", paths[len(found) :])]
        return found

    def read(self, path: Path, file_sha256: str) -> Waveform:
        """Decode one file that was heard before: its samples, from the process that has them.

        Args:
            path: the file.
            file_sha256: hex digest that its bytes must have.

        Raises:
            AudioError: it cannot be used, or changed; caused by an `OSError` where another attempt
                may succeed.
            GensrError: no file can be decoded here, or `close` was called.
        """
        ((file_sha, verdict, samples),) = self._told("read", [path], file_sha256)
        if verdict.reason:
            passing = ChildProcessError(verdict.reason) if verdict.passing else None
            raise AudioError(verdict.reason) from passing
        return Waveform(samples=samples, file_sha256=file_sha)

    def _told(self, task: str, paths: Sequence[Path], *more: str) -> list[Told]:
        """Ask for some files; return what is told of the first ones, up to one that fails.

        That one is asked for once more where the process crashed.
        """
        paths = [path.absolute() for path in paths]  # the child's working folder is its own
        names = [os.fsencode(path).decode("latin-1") for path in paths]
        limits = [self._seconds + self._per_mb * _size(path) / _MEGABYTE for path in paths]
        found: list[Told] = []
        try:
            self._ask((task, *names, *more), limits, found)
        except EndedError as end:
            name, limit = names[len(found)], limits[len(found)]
            found.append(
                _refused(end, f"the decoder {_late(end)}")
                if end.timed_out
                else self._retried((task, name, *more), limit)
            )
        return found

    def _retried(self, line: Sequence[str], limit: float) -> Told:
        """Ask for one file once more, in a fresh process."""
        found: list[Told] = []
        with self._retries:
            try:
                self._ask(line, [limit], found, fresh=True)
            except EndedError as end:
                words = f"and then {_late(end)}" if end.timed_out else f"({end})"
                return _refused(end, f"the decoder crashed {words}; {_CONVERT}")
        return found[0]

    def _ask(
        self,
        line: Sequence[str],
        limits: Sequence[float],
        found: list[Told],
        *,
        fresh: bool = False,
    ) -> None:
        """Add to `found` what a process tells of each file, as long as it does."""
        child = self._take(fresh=fresh)
        try:
            found.extend(child.answers(line, limits))
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

    def _take(self, *, fresh: bool) -> Child:
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
            child = Child(self._command)
            child.begin()
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

    def _give_back(self, child: Child) -> None:
        with self._free:
            self._busy.discard(child)
            kept = bool(child.ready) and not self.closed and self._places <= self.count
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


def read_again(path: Path, file_sha256: str) -> Waveform:
    """Decode a clip that was heard before, where its kind may be: here, or in a process of its own.

    Args:
        path: the file, or the name of a part of it.
        file_sha256: hex digest that its bytes must have.

    Raises:
        AudioError: the clip changed, or cannot be read.
        GensrError: no file can be decoded or resampled on this machine.
    """
    whole, segment = locate(path)
    with open_audio(whole) as file:
        if hash_of(file, segment) != file_sha256:
            raise AudioError(CHANGED)
        if is_for_here(file):
            return decode_opened(file, file_sha256, segment, heard=True)
    return shared_decoders().read(path, file_sha256)


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


def _late(end: EndedError) -> str:
    return f"did not finish within {end.limit:.0f} s"


def _refused(end: EndedError, reason: str) -> Told:
    return end.file_sha256, refused(reason, passing=True), NO_SAMPLES


def _size(path: Path) -> int:
    try:
        return Path(file_of(os.fspath(path))).stat().st_size
    except OSError:
        return 0
