"""Encoding in this process: reading ahead of the encoder, writing behind it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoders import Encoder, load_encoder
from gensr.features.encoders.precision import PRECISIONS, cost_on
from gensr.features.encoders.registry import ENCODERS
from gensr.features.encoding.encode import Clips, clips_of, encode_clips
from gensr.features.encoding.windows import Batching
from gensr.features.hearing.decoders import shared_decoders
from gensr.features.hearing.survey import hear_in_children
from gensr.features.hearing.verdict import Verdict
from gensr.features.store.where import Where
from gensr.features.store.writing import Writing
from gensr.pipeline.extraction.config import ExtractConfig
from gensr.pipeline.extraction.settings import ExtractionSettings, settings_of
from gensr.pipeline.progress import Listener

_WRITES_AHEAD = 2
"""Shards that may wait for the disk: with the one being filled, they bound the memory."""


@contextmanager
def local_executor(
    config: ExtractConfig, encoder: Encoder | None, files: int
) -> Iterator["LocalExecutor"]:
    """Load the encoder into this process.

    Args:
        config: the settings.
        encoder: used instead of the one that `config` names.
        files: that are likely to be heard; the processes that do it start meanwhile.
    """
    shared_decoders().expect(files)
    notes: list[str] = []
    yield LocalExecutor(encoder or load_as(config, say=notes.append), config, notes)


def load_as(
    config: ExtractConfig,
    device: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Encoder:
    """Load the encoder that a config names.

    Args:
        config: the settings.
        device: used instead of the config's.
        say: hears of a precision that the device computes much faster than the one asked for.

    Raises:
        ConfigError: the device computes the precision many times slower than float32, and nobody
            insists on it.
        EncoderError: see `load_encoder`.
    """
    place = device or config.device
    if config.encoder not in ENCODERS and config.dtype in PRECISIONS:
        cost = cost_on(place)
        if not config.allow_slow:
            cost.check(config.dtype)
        for line in cost.advice(config.dtype):
            say(line)
    return load_encoder(
        config.encoder,
        revision=config.revision,
        device=place,
        dtype=config.dtype,
        context=config.context,
    )


class LocalExecutor:
    """See `Executor`."""

    def __init__(self, encoder: Encoder, config: ExtractConfig, notes: Sequence[str] = ()) -> None:
        self._encoder, self._config = encoder, config
        self.notes = tuple(notes)

    def settings(self, root: Path, work: Where) -> ExtractionSettings:
        """See `Executor.settings`."""
        return settings_of(self._encoder, self._config)

    def decoders(self) -> Mapping[str, str]:
        """See `Executor.decoders`."""
        return {}

    def hear(
        self, paths: Iterable[Path], known: Mapping[str, Verdict]
    ) -> Iterator[tuple[str, Verdict]]:
        """See `Executor.hear`."""
        return hear_in_children(paths, known)

    def encode(
        self, root: Path, settings: ExtractionSettings, writing: Writing, listener: Listener
    ) -> None:
        """See `Executor.encode`."""
        begin_encoding(writing, listener)
        plan, pending = writing.plan, writing.pending
        clips = (clips_of(root, plan.columns, shard.encode, settings.perturb) for shard in pending)
        encoded = encode_clips(clips, self._encoder, settings.batching, listener.advance)
        writes: deque[Future[None]] = deque()
        with closing(encoded), ThreadPoolExecutor(1, "write") as thread:
            for shard, vectors in zip(pending, encoded, strict=True):
                rows = dict(zip(shard.encode, vectors, strict=True))
                writes.append(thread.submit(writing.writer.write, shard, rows))
                while len(writes) > _WRITES_AHEAD:
                    writes.popleft().result()
            while writes:
                writes.popleft().result()

    def alone(self, clips: Clips, batching: Batching) -> NDArray[np.float32]:
        """See `Executor.alone`."""
        (vectors,) = encode_clips([clips], self._encoder, batching)
        return vectors


def begin_encoding(writing: Writing, listener: Listener) -> None:
    """Tell how much there is to encode."""
    samples = writing.plan.columns["samples"]
    left = [len(shard.encode) for shard in writing.pending]
    total = sum(int(samples[list(shard.encode)].sum()) for shard in writing.pending)
    listener.stage("encode", sum(left), total / SAMPLE_RATE)
