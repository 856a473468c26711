"""Listening to every clip once before anything is encoded.

What can fail in a file fails here. A clip that cannot be used never gets a row, and the rows,
the members of every shard and the batches follow from the table and the settings alone, so
that a run that was killed and resumed writes what an uninterrupted one would have written.

The survey costs one decoding, far less than the encoder. A file whose bytes were heard before
(by an interrupted run, or by the extraction that made the store) is only hashed. Who listens is
a parameter: processes of this machine, or the workers of a cluster.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from gensr.estimator.errors import GensrError
from gensr.features.audio.hashes import LARGEST, hash_file
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.audio.segments import file_of, key_of
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.hearing.decoders import Decoders, shared_decoders
from gensr.features.hearing.verdict import Verdict, refused

T = TypeVar("T")
R = TypeVar("R")

Answer: TypeAlias = tuple[str, Verdict]
"""The hash of a file's bytes ("" where they cannot be read), and what hearing a clip came to."""
Hear: TypeAlias = Callable[[Iterable[Path], Mapping[str, Verdict]], Iterator[Answer]]
"""From paths, and the verdicts known by `key_of`, to answers in the order of the paths.

It takes no more paths at a time than it needs; if it is a generator, closing it ends its work.
"""


_TOGETHER, _MOST_BYTES = 16, 1 << 22
"""Files, and bytes, that a process is given at once."""


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
    decoded: int
    """How many files had to be decoded, not only hashed."""


def hear_in_children(
    paths: Iterable[Path],
    known: Mapping[str, Verdict],
    *,
    decoders: Decoders | None = None,
    rest: bool = True,
) -> Iterator[Answer]:
    """Decode what is not known in processes of its own: a crash or a hang costs one file.

    Args:
        paths: the files.
        known: verdicts by `key_of`; such files are hashed here, and never decoded.
        decoders: used instead of those that all surveys share.
        rest: end the processes that are idle then; not where more files come soon.

    Raises:
        GensrError: no file can be decoded on this machine.
    """
    own = decoders or shared_decoders()
    over = threading.Event()

    def stop(reason: str) -> None:
        over.set()
        own.close(reason)

    def hear(some: Sequence[Path]) -> list[Answer]:
        answers = [_without_decoding(path, known, over.is_set) for path in some]
        rest = [path for path, answer in zip(some, answers, strict=True) if answer is None]
        decoded = iter(own.hear_all(rest))
        return [answer or next(decoded) for answer in answers]

    for answers in _by_threads(_few(paths, own.count), hear, own.count, stop=stop):
        yield from answers
    if rest:
        own.rest()


def _without_decoding(
    path: Path, known: Mapping[str, Verdict], stopped: Callable[[], bool]
) -> Answer | None:
    """Return what is known of a file, or plain to see; None: it has to be decoded."""
    if _bytes(path) > LARGEST:
        return "", refused(f"larger than {LARGEST >> 30} GiB, which no clip of two hours is")
    file_sha = hash_file(path, stopped) if known else ""
    if file_sha and (key := key_of(file_sha, path)) in known:
        return file_sha, known[key]
    return None


def _few(paths: Iterable[Path], processes: int) -> Iterator[list[Path]]:
    """Group the paths that are heard together: at first one, more as more have gone by.

    So that few files keep all processes busy, and many cost few words. A large file ends a group.
    """
    group: list[Path] = []
    held = 0
    for passed, path in enumerate(paths, 1):
        group.append(path)
        held += _bytes(path)
        if len(group) >= min(_TOGETHER, passed // (4 * processes)) or held >= _MOST_BYTES:
            yield group
            group, held = [], 0
    if group:
        yield group


def survey(
    root: Path,
    clips: Iterable[Clip],
    *,
    known: Mapping[str, Verdict] | None = None,
    hear: Hear = hear_in_children,
    keep: Callable[[str, Verdict], None] = lambda file_sha256, verdict: None,
    advance: Callable[[int, float], None] = lambda clips, seconds: None,
) -> Survey:
    """Hear every clip, or know it by its bytes.

    Args:
        root: the folder that `Clip.path` is relative to.
        clips: the clips to hear; results keep their order.
        known: verdicts of earlier surveys, by `key_of`.
        hear: who listens.
        keep: called at once with each verdict that was not known and the key of what it is
            about, so that it outlives this process; twice where two clips have the same bytes.
        advance: called with the number of clips and the seconds of audio just heard.
    """
    before = known or {}
    heard: list[Heard] = []
    problems: list[Problem] = []
    decoded = 0
    items = iter(clips)
    waiting: deque[Clip] = deque()
    """Clips that were given out and are not answered yet."""

    def paths() -> Iterator[Path]:
        for clip in items:
            waiting.append(clip)
            yield root / clip.path

    with closed_at_the_end(hear(paths(), before)) as answers:
        for file_sha, verdict in answers:
            clip = waiting.popleft()
            key = key_of(file_sha, clip.path)
            if not file_sha or key not in before:
                decoded += 1
                if file_sha:
                    keep(key, verdict)
            if reason := verdict.reason or other_length(clip.length, verdict):
                problems.append(Problem(path=clip.path, reason=reason))
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
    return Survey(heard=tuple(heard), problems=tuple(problems), decoded=decoded)


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


@contextmanager
def closed_at_the_end(answers: Iterator[Answer]) -> Iterator[Iterator[Answer]]:
    """Close a generator when the work is over: one that a traceback holds would go on."""
    try:
        yield answers
    finally:
        if isinstance(answers, Generator):
            answers.close()


def _by_threads(
    groups: Iterable[Sequence[Path]],
    hear: Callable[[Sequence[Path]], list[Answer]],
    threads: int,
    stop: Callable[[str], None] = lambda reason: None,
) -> Iterator[list[Answer]]:
    """Yield answers in order; `stop` cuts short what has begun when no one waits for it.

    It hears why: other threads may use what it closes, and shall say the same.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="survey") as pool:
        try:
            yield from in_order(pool, hear, groups, ahead=2 * threads)
        except GensrError as error:
            stop(str(error))
            raise
        except BaseException as error:
            stop(f"the survey was broken off ({type(error).__name__}), and its decoders closed")
            raise


def _bytes(path: Path) -> int:
    try:
        return Path(file_of(os.fspath(path))).stat().st_size
    except OSError:
        return 0


def other_length(length: tuple[float, float] | None, verdict: Verdict) -> str:
    """Return how a clip's length differs from `Clip.length`; nothing where it does not."""
    if length is None:
        return ""
    given, slack = length
    found = verdict.samples / SAMPLE_RATE
    if abs(found - given) <= slack:
        return ""
    return (
        f"lasts {found:.2f} s, but its row says {given:g} s: if that is a part, say where it "
        "begins in a column 'start'; if it is something else, rename the column"
    )
