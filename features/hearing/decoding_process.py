"""One process that decodes files: what is said to it and heard from it (`decode_child.py`)."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import GensrError
from gensr.features.audio.mixdown import LONGEST_SECONDS
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.hearing.verdict import Verdict
from gensr.features.interpreter import import_path

MODULE = "gensr.features.hearing.decode_child"
_START_SECONDS = 300.0
"""Within this time libraries are loaded, however slow the disk."""

NO_SAMPLES: NDArray[np.float32] = np.zeros(0, np.float32)
Told: TypeAlias = tuple[str, Verdict, NDArray[np.float32]]
"""The hash of a file's bytes, the verdict, and the samples where they were asked for."""


class EndedError(Exception):
    """The process ended, or has to be ended, before it came to a verdict."""

    def __init__(self, words: str, *, timed_out: bool = False) -> None:
        super().__init__(words)
        self.timed_out = timed_out
        self.file_sha256 = ""
        """Hash of the bytes, where it had come that far."""
        self.limit = 0.0
        """Seconds it had for what it did last."""


class Child:
    """One process, used by one thread at a time; started, and not yet waited for.

    Raises:
        GensrError: the system starts no further one.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
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
        self.ready: bool | None = None
        """Whether it waits for a path: None while it starts; not so when an answer was waited for
        in vain."""

    def begin(self) -> None:
        """Wait until its libraries are loaded, if they are not.

        Raises:
            GensrError: it ends before.
        """
        if self.ready is not None:
            return
        try:
            self._next(time.monotonic() + _START_SECONDS)
        except EndedError:
            self.ready = False
            self.stop()
            why = _why(self._command)
            raise GensrError(f"the decoding process does not start: {why}") from None
        self.ready = True

    def answers(self, task: Sequence[str], limits: Iterable[float]) -> Iterator[Told]:
        """Yield what comes of a task, a line of `decode_child`, file by file.

        Args:
            task: the line.
            limits: seconds that each file of it has.

        Raises:
            EndedError: it came to no verdict on the next file.
            GensrError: it does not start, or no file can be resampled.
        """
        self.begin()
        self.ready = False
        try:
            self._to.write(json.dumps(task).encode() + b"\n")
        except BrokenPipeError:  # it died while it had nothing to do
            raise EndedError(self._last_words()) from None
        for limit in limits:
            yield self._answer(limit)
        self.ready = True

    def _answer(self, limit: float) -> Told:
        """Return what comes of one file."""
        file_sha, samples = "", NO_SAMPLES
        until = time.monotonic() + limit
        try:
            while True:
                kind, *values = self._next(until)
                if kind == "verdict":
                    return file_sha, Verdict(*values), samples
                if kind == "hashed":
                    file_sha = values[0]
                elif kind == "samples":
                    samples = self._samples(values[0], until)
                elif kind == "loading":
                    limit = max(limit, _START_SECONDS)
                    until = time.monotonic() + limit
                else:
                    raise GensrError(values[0])
        except EndedError as end:
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
            self._buffer += self._more(until)
        line, _, self._buffer = self._buffer.partition(b"\n")
        values: list[Any] = json.loads(line)
        return values

    def _samples(self, count: int, until: float) -> NDArray[np.float32]:
        """Return the samples that follow; no more of them than a clip may have."""
        if not 0 <= count <= LONGEST_SECONDS * SAMPLE_RATE:
            raise EndedError("it announces more than a clip may have")
        data, self._buffer = bytearray(self._buffer), b""
        while len(data) < 4 * count:
            data += self._more(until)
        self._buffer = bytes(data[4 * count :])
        return np.frombuffer(data, "<f4", count).astype(np.float32, copy=False)

    def _more(self, until: float) -> bytes:
        left = max(0.0, until - time.monotonic())
        if not self._poll.poll(left * 1000):
            raise EndedError("timed out", timed_out=True)
        data: bytes = self._from.read(1 << 16)
        if not data:
            raise EndedError(self._last_words())
        return data

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
