"""All that decides vectors, shards and batches: what a resumed extraction must share."""

import json
from dataclasses import dataclass
from typing import Any

from gensr.features.audio.perturb import PERTURB, Perturbation, perturbation_of
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoders import Encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoding.windows import FRAME, Batching
from gensr.features.hearing.decode import resampling_provenance
from gensr.features.store.settings import Settings
from gensr.pipeline.extraction.config import SHARD_CLIPS, ExtractConfig, batch_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionSettings(Settings):
    """What a config and an encoder come to; the store's own settings, and how clips are batched."""

    batch_seconds: float
    """Audio of one batch in seconds, padding included."""
    longest: int
    """Samples of one window."""
    equal_lengths: bool
    """Whether a batch holds windows of one length only."""

    @property
    def perturb(self) -> Perturbation:
        """What is done to every clip before it is encoded."""
        return perturbation_of(self.preprocessing)

    @property
    def hearing(self) -> dict[str, Any]:
        """How a file becomes the samples that are heard, before they are made worse."""
        return {name: what for name, what in self.preprocessing.items() if name != PERTURB}

    @property
    def batching(self) -> Batching:
        """How clips are grouped."""
        return Batching(
            batch_samples=max(1, round(self.batch_seconds * SAMPLE_RATE)),
            longest=self.longest,
            equal_lengths=self.equal_lengths,
        )


def settings_of(encoder: Encoder, config: ExtractConfig) -> ExtractionSettings:
    """Return the settings of an extraction by an encoder at hand.

    Raises:
        EncoderError: an encoder of one's own has no name, or no device.
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
    liked = batch_seconds(encoder)
    settings = ExtractionSettings(
        encoder={**about, "max_seconds": longest / SAMPLE_RATE},
        layers=tuple(encoder.layers),
        width=encoder.width,
        dtype=config.store_dtype,
        preprocessing={**resampling_provenance(), **config.perturbation.provenance()},
        shard_clips=config.shard_clips or SHARD_CLIPS[encoder.device],
        batch_seconds=config.batch_seconds or liked,
        longest=longest,
        equal_lengths=encoder.equal_lengths,
    )
    # As a plan gives them back: an encoder of one's own may tell of itself in tuples.
    return ExtractionSettings.from_plain(json.loads(json.dumps(settings.as_plain())))
