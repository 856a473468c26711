"""Listening to every clip once before anything is encoded.

What can fail in a file fails here. A clip that cannot be used never gets a row, and the rows,
the members of every shard and the batches follow from the table and the settings alone, so
that a run that was killed and resumed writes what an uninterrupted one would have written.

The survey costs one decoding, far less than the encoder. A file whose bytes were heard before
(by an interrupted run, or by the extraction that made the store) is only hashed.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from gensr.estimator.errors import AudioError
from gensr.features.audio import SAMPLE_RATE, Waveform, read_audio
from gensr.features.corpora.clip import Clip, Problem

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What decoding a file gave; the same bytes always give the same."""

    samples: int
    """At 16 kHz; 0 where the file cannot be used."""
    audio_sha256: str
    """Hash of the decoded samples: the clip's content address; empty where there are none."""
    reason: str = ""
    """Why the file cannot be used; empty where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A clip that can be used, and what is known of its audio."""

    clip: Clip
    samples: int
    """At 16 kHz."""
    audio_sha256: str
    """Hash of the decoded samples."""
    file_sha256: str
    """Hash of the file's bytes."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All clips of a corpus, each used or reported."""

    heard: tuple[Heard, ...]
    """The clips that can be used, in the order given."""
    problems: tuple[Problem, ...]
    """The clips that cannot, with the reason, in the order given."""
    verdicts: Mapping[str, Verdict] = field(repr=False)
    """Every verdict by the hash of the file's bytes: `known` for the next survey."""
    decoded: int
    """How many files had to be decoded, not only hashed."""


def survey(
    root: Path,
    clips: Iterable[Clip],
    *,
    known: Mapping[str, Verdict] | None = None,
    read: Callable[[Path], Waveform] = read_audio,
    workers: int | None = None,
    advance: Callable[[int, float], None] = lambda clips, seconds: None,
) -> Survey:
    """Decode every clip that is not known, in threads (libsndfile releases the GIL).

    Args:
        root: the folder that `Clip.path` is relative to.
        clips: the clips to hear; results keep their order.
        known: verdicts of earlier surveys, by the hash of the file's bytes.
        read: decodes one file or raises `AudioError`.
        workers: threads; by default one a core, at most 8.
        advance: called with the number of clips and the seconds of audio just heard.
    """
    before = known or {}

    def hear(clip: Clip) -> tuple[Clip, str, Verdict]:
        return clip, *_hear(root / clip.path, before, read)

    heard: list[Heard] = []
    problems: list[Problem] = []
    verdicts: dict[str, Verdict] = {}
    decoded = 0
    threads = workers or min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, thread_name_prefix="survey") as pool:
        for clip, file_sha, verdict in in_order(pool, hear, clips, ahead=4 * threads):
            decoded += not file_sha or file_sha not in before
            if file_sha:
                verdicts[file_sha] = verdict
            if verdict.reason:
                problems.append(Problem(path=clip.path, reason=verdict.reason))
            else:
                heard.append(
                    Heard(
                        clip=clip,
                        samples=verdict.samples,
                        audio_sha256=verdict.audio_sha256,
                        file_sha256=file_sha,
                    )
                )
            advance(1, verdict.samples / SAMPLE_RATE)
    return Survey(heard=tuple(heard), problems=tuple(problems), verdicts=verdicts, decoded=decoded)


def in_order(
    pool: Executor, work: Callable[[T], R], items: Iterable[T], *, ahead: int
) -> Iterator[R]:
    """Yield `work(item)` in the order of the items, with `ahead` of them begun before needed.

    Unlike `Executor.map` it does not take all items at once, so what waits is bounded.
    """
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _hear(
    path: Path, known: Mapping[str, Verdict], read: Callable[[Path], Waveform]
) -> tuple[str, Verdict]:
    """Return the hash of the file's bytes ("" where it has none) and the verdict."""
    file_sha = _hash_file(path)
    if file_sha and file_sha in known:
        return file_sha, known[file_sha]
    try:
        wave = read(path)
    except AudioError as error:
        return file_sha, Verdict(samples=0, audio_sha256="", reason=str(error))
    return file_sha, Verdict(samples=len(wave.samples), audio_sha256=wave.sha256)


def _hash_file(path: Path) -> str:
    """Return the SHA-256 of the bytes; "" where there is no regular file to read."""
    try:
        if not path.is_file():  # a named pipe would wait for ever
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
