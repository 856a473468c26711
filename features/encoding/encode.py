"""Clips to vectors: cut, batched, read ahead of the encoder, averaged.

The one way in which audio meets an encoder: in an extraction, on a worker of a cluster, when
an extraction is verified (every window a batch of its own), and in a prediction.

    groups of clips -> batches of windows -> [read ahead by threads] -> encoder -> averages

Where clips are made worse on purpose, it is done as they are read: whole, before they are cut.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from gensr.features.audio.errors import AudioError
from gensr.features.audio.perturb import CLEAN, Perturbation
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.cores import usable_cores
from gensr.features.encoders import Encoder, NotFiniteError, enough_memory
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoding.windows import Batching, Window
from gensr.features.hearing.decode import Waveform
from gensr.features.hearing.decoders import read_again
from gensr.features.store.errors import StoreError

Advance = Callable[[int, float], None]
"""Called with the clips, and the seconds of audio, that are just through."""

_READERS = min(16, usable_cores())
_PAUSES = (0.2, 1.0)
"""Seconds before a file is tried again that the disk, or the network, did not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """Clips that were heard before; small enough to be sent to another machine."""

    root: Path
    """The folder that paths are relative to."""
    paths: tuple[str, ...]
    samples: tuple[int, ...]
    """At 16 kHz."""
    file_sha256: tuple[str, ...]
    """Of the bytes that were heard: only those are decoded again."""
    audio_sha256: tuple[str, ...]
    """Of the samples that were heard: only those are encoded."""
    perturb: Perturbation = CLEAN
    """What is done to every clip before it is encoded."""

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def seconds(self) -> float:
        """Length of all."""
        return sum(self.samples) / SAMPLE_RATE

    def read(self, clip: int) -> NDArray[np.float32]:
        """Decode one clip, and make it worse if that is asked for.

        Raises:
            StoreError: the file, or what the decoder makes of it, is not what was heard; or the
                system does not give it, tried three times; or it cannot be made worse so.
        """
        wave = self._decoded(clip)
        if wave.sha256 != (audio := self.audio_sha256[clip]):
            raise StoreError(
                f"{self.paths[clip]} is decoded otherwise than when it was heard (another version "
                "of libsndfile, FFmpeg or scipy?): run the same call again; if it is refused, with "
                "--overwrite"
            )
        try:
            return self.perturb(wave.samples, audio)
        except AudioError as error:
            raise StoreError(f"{self.paths[clip]} {error}") from None

    def _decoded(self, clip: int) -> Waveform:
        """Decode the bytes that were heard; a network disk that falters shall not end a run."""
        path = self.paths[clip]
        pauses = iter(_PAUSES)
        while True:
            try:
                return read_again(self.root / path, self.file_sha256[clip])
            except AudioError as error:
                if not isinstance(error.__cause__, OSError):
                    raise StoreError(
                        f"{path} changed while it was read: {error}; run the same call again"
                    ) from None
                if (pause := next(pauses, None)) is None:
                    raise StoreError(
                        f"{path} cannot be read: {error}; run the same call again"
                    ) from error
            time.sleep(pause)


def encode_clips(
    groups: Iterable[Clips],
    encoder: Encoder,
    batching: Batching,
    advance: Advance = lambda clips, seconds: None,
    *,
    gate: AbstractContextManager[object] | None = None,
) -> Generator[NDArray[np.float32], None, None]:
    """Encode groups of clips (the shards of a store), one after the other without a gap.

    Batches never span groups, so that a group's vectors do not depend on its neighbours; but
    the next group is read, and its first batch prepared, while this one is still encoded.

    Args:
        groups: taken as they are needed, in another thread.
        encoder: must be used by no one else meanwhile.
        batching: how windows share a batch.
        advance: hears of each batch.
        gate: held while the encoder is used; entered only when the first batch was read, in
            another thread than it is left. A `threading.Lock`, where others use the encoder too.

    Yields:
        For each group float32 (clips, layers, width).

    Raises:
        StoreError: a file changed since it was heard.
        EncoderError: a clip has no finite vectors in the chosen precision; it is named. Or
            memory ran out.
    """
    under_way: deque[_Group] = deque()
    given: deque[_Batch] = deque()
    gates = [gate] if gate is not None else []

    def batches() -> Iterator[_Batch]:
        for clips in groups:
            group = _Group(clips, encoder)
            under_way.append(group)
            for windows in batching.plan(clips.samples):
                yield _Batch(group, windows, {})

    def audio(pool: ThreadPoolExecutor) -> Iterator[list[NDArray[np.float32]]]:
        for batch in _read_ahead(batches(), pool, 2 * batching.batch_samples):
            with enough_memory("while clips were read"):
                waveforms = batch.waveforms()
            if gates:
                held.enter_context(gates.pop())
            given.append(batch)
            yield waveforms

    pool = ThreadPoolExecutor(_READERS, "read")
    held = ExitStack()
    try:
        with closing(encoder.stream(audio(pool))) as results:
            for vectors in results:
                batch = given.popleft()
                advance(*batch.group.add(batch.windows, vectors))
                while under_way and under_way[0].whole:
                    yield under_way.popleft().vectors
        while under_way:  # groups without a clip
            yield under_way.popleft().vectors
    except NotFiniteError as error:  # results come in order: it is the oldest batch's
        batch = given.popleft()
        path = batch.group.clips.paths[batch.windows[error.clip].clip]
        raise EncoderError(f"{path}: {error}") from None
    finally:
        held.close()
        pool.shutdown(cancel_futures=True)


class _Group:
    """The clips that are encoded together, and what is there of their vectors."""

    def __init__(self, clips: Clips, encoder: Encoder) -> None:
        self.clips = clips
        self._encoder = encoder
        self._vectors: NDArray[np.float32] | None = None
        self._unheard = list(clips.samples)
        self._sums: dict[int, tuple[NDArray[np.float64], int]] = {}
        self._waves: WeakValueDictionary[int, Future[NDArray[np.float32]]] = WeakValueDictionary()

    @property
    def vectors(self) -> NDArray[np.float32]:
        """(clips, layers, width); room for it is made when the first batch comes."""
        if self._vectors is None:  # many small groups may be read ahead
            size = (len(self.clips), len(self._encoder.layers), self._encoder.width)
            self._vectors = np.empty(size, np.float32)
        return self._vectors

    @property
    def whole(self) -> bool:
        """Whether every clip has its vectors."""
        return not any(self._unheard)

    def read(self, clip: int, pool: ThreadPoolExecutor) -> "Future[NDArray[np.float32]]":
        """Begin to read a clip, unless a batch that waits has it already.

        A clip that is cut is in several batches, and is let go of with the last that waits.
        """
        wave = self._waves.get(clip)
        if wave is None:
            wave = self._waves[clip] = pool.submit(self.clips.read, clip)
        return wave

    def add(self, windows: Sequence[Window], vectors: NDArray[np.float32]) -> tuple[int, float]:
        """Take in a batch; return the clips that are whole with it, and its seconds."""
        clips = 0
        for window, vector in zip(windows, vectors, strict=True):
            self._unheard[window.clip] -= len(window)
            whole = not self._unheard[window.clip]
            clips += whole
            if len(window) == self.clips.samples[window.clip]:
                mean = vector
            else:
                frames = self._encoder.frames(len(window))
                total, count = self._sums.pop(window.clip, (np.zeros(vector.shape), 0))
                self._sums[window.clip] = total + frames * vector.astype(np.float64), count + frames
                if not whole:
                    continue
                total, count = self._sums.pop(window.clip)
                mean = (total / count).astype(np.float32)
            self.vectors[window.clip] = mean
        return clips, sum(map(len, windows)) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class _Batch:
    """Windows that the encoder is given at once."""

    group: _Group
    windows: list[Window]
    waves: "dict[int, Future[NDArray[np.float32]]]"
    """The clips that are cut, once `read` was called."""

    def __len__(self) -> int:
        """Samples, without padding."""
        return sum(map(len, self.windows))

    def read(self, pool: ThreadPoolExecutor) -> None:
        """Begin to read what is needed."""
        for window in self.windows:
            self.waves[window.clip] = self.group.read(window.clip, pool)

    def waveforms(self) -> list[NDArray[np.float32]]:
        """Wait for the audio, and let go of the clips."""
        found = [
            self.waves[window.clip].result()[window.start : window.stop] for window in self.windows
        ]
        self.waves.clear()
        return found


def _read_ahead(
    batches: Iterable[_Batch], pool: ThreadPoolExecutor, ahead: int
) -> Iterator[_Batch]:
    """Yield batches, the next ones of at least `ahead` samples being read already."""
    waiting: deque[_Batch] = deque()
    held = 0
    for batch in batches:
        batch.read(pool)
        waiting.append(batch)
        held += len(batch)
        while len(waiting) > 1 and held - len(waiting[0]) >= ahead:
            held -= len(waiting[0])
            yield waiting.popleft()
    while waiting:  # let go of each as it is yielded: a group holds its vectors
        yield waiting.popleft()


def clips_of(
    root: Path,
    columns: dict[str, NDArray[Any]],
    rows: Sequence[int],
    perturb: Perturbation = CLEAN,
) -> Clips:
    """Return rows of a clip table as clips to encode, made worse as `perturb` says."""
    chosen = np.asarray(rows, dtype=np.int64)
    return Clips(
        root=root,
        paths=tuple(columns["path"][chosen].tolist()),
        samples=tuple(columns["samples"][chosen].tolist()),
        file_sha256=tuple(columns["file_sha256"][chosen].tolist()),
        audio_sha256=tuple(columns["audio_sha256"][chosen].tolist()),
        perturb=perturb,
    )
