"""Where an encoder runs: what an extraction asks of this process, or of a cluster.

Whichever it is, the same shards are encoded in the same batches, so a store does not tell.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import EncoderError
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoders import Encoder
from gensr.features.encoding.encode import Clips
from gensr.features.encoding.windows import FRAME, Batching
from gensr.features.hearing.decode import resampling_provenance
from gensr.features.hearing.verdict import Verdict
from gensr.features.store.where import Where
from gensr.features.store.writing import Writing
from gensr.pipeline.extraction.config import BATCH_SECONDS, ExtractConfig
from gensr.pipeline.progress import Listener


class Site(Protocol):
    """A place with an encoder; used under `with`, by one thread."""

    def settings(self, root: Path, out: Where) -> dict[str, Any]:
        """Return all that decides vectors, shards and batches, as it reads back from JSON."""

    def decoders(self) -> Mapping[str, str]:
        """Return the libraries that `hear` files elsewhere: verdicts hold for those alone."""

    def hear(
        self, paths: Iterable[Path], known: Mapping[str, Verdict]
    ) -> Iterator[tuple[str, Verdict]]:
        """Yield the hash of each file's bytes, and what decoding them gives."""

    def encode(self, root: Path, writing: Writing, listener: Listener) -> None:
        """Encode, write and mark every shard of `writing.pending`; a stage of its own."""

    def alone(self, clips: Clips, batching: Batching) -> NDArray[np.float32]:
        """Encode clips window by window, (clips, layers, width): nothing shares a batch."""


def settings_of(encoder: Encoder, config: ExtractConfig) -> dict[str, Any]:
    """Return what `Site.settings` returns, for an encoder at hand.

    Raises:
        EncoderError: an encoder of one's own has no name.
    """
    about = dict(encoder.provenance())
    about.setdefault("name", encoder.name)
    if not isinstance(about["name"], str) or not about["name"]:
        raise EncoderError(
            f"the encoder calls itself {about['name']!r}: give it a name, by which a store and "
            "its runs know it"
        )
    longest = round(config.max_seconds * SAMPLE_RATE)
    if encoder.max_samples is not None:
        longest = min(longest, encoder.max_samples)
    longest -= longest % FRAME
    settings: dict[str, Any] = json.loads(
        json.dumps(
            {
                "encoder": {**about, "max_seconds": longest / SAMPLE_RATE},
                "layers": encoder.layers,
                "width": encoder.width,
                "dtype": config.store_dtype,
                "preprocessing": resampling_provenance(),
                "shard_clips": config.shard_clips,
                "batch_seconds": config.batch_seconds or BATCH_SECONDS[encoder.device],
                "longest": longest,
                "equal_lengths": encoder.equal_lengths,
            }
        )
    )
    return settings


def batching_of(settings: Mapping[str, Any]) -> Batching:
    """Return how the settings group clips."""
    return Batching(
        batch_samples=max(1, round(settings["batch_seconds"] * SAMPLE_RATE)),
        longest=settings["longest"],
        equal_lengths=settings["equal_lengths"],
    )
