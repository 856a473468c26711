"""The settings of an extraction: what its vectors depend on, and where and how it runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from gensr.estimator.errors import ConfigError
from gensr.features.audio.mixdown import LONGEST_SECONDS
from gensr.features.audio.perturb import Perturbation, perturbation
from gensr.features.encoders import DEFAULT_ENCODER, Encoder
from gensr.features.encoders.errors import EncoderError

STORE_DTYPES = ("float32", "float16")
_MOST_WORKERS = 1024
"""No machine has more GPUs, or memory for more encoders."""
BATCH_SECONDS: Mapping[str, float] = {"cpu": 5.0, "cuda": 100.0, "mps": 100.0}
"""Audio of one batch in seconds, by kind of device, where an encoder says nothing itself (ours).

A GPU wants many clips at once: those that hear waveforms take what its memory holds (`footprint.py`
among the encoders). A few cores are busy with one of a few seconds: larger batches add padding and
masks for nothing (docs/results/batch_size.md).
"""
SHARD_CLIPS: Mapping[str, int] = {"cpu": 256, "cuda": 2048, "mps": 256}
"""Rows of one shard, by kind of device (ours): 25 MiB, or 200, for 25 layers of width 1024.

No batch spans two shards, and clips of about one length share a batch: so 256 clips seldom fill one
of more than 80 s of audio, with which a fast GPU waits for the host.
"""


def batch_seconds(encoder: Encoder) -> float:
    """Audio of one batch in seconds, as the encoder's device likes it.

    Raises:
        EncoderError: an encoder of one's own names no kind of device.
    """
    if encoder.device not in BATCH_SECONDS:
        raise EncoderError(
            f"{encoder.name} says that it runs on the device {encoder.device!r}; its `device` is "
            f"the kind alone, {', '.join(BATCH_SECONDS)}"
        )
    return encoder.batch_seconds or BATCH_SECONDS[encoder.device]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractConfig:
    """What an extraction depends on, beside the corpus."""

    encoder: str = DEFAULT_ENCODER
    """A registered encoder as `fbank`, a folder in Hugging Face layout, or a hub id (default: the
    paper's)."""
    revision: str | None = None
    """Revision on the hub; recorded resolved, so that the vectors can be made again."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:N`; not part of what a store is."""
    dtype: str = "float32"
    """Precision inside the encoder; averages are accumulated in float32 always (ours)."""
    allow_slow: bool = False
    """Whether `dtype` may be one that this device computes many times slower than float32."""
    store_dtype: str = "float32"
    """Precision of the stored averages: `float32` or, for half the bytes, `float16` (ours)."""
    context: str = "full"
    """Whisper only: `full` 30 s window, as trained, or the `clip`'s own frames (ours)."""
    max_seconds: float = 30.0
    """A longer clip is encoded in windows of at most this, averaged by frames (ours)."""
    perturb: str | None = None
    """What is done to every clip before it is encoded, as `noise:20dB,phone`; see
    `features/audio/perturb.py`. None: nothing."""
    batch_seconds: float | None = None
    """Audio of one batch in seconds, padding included; bounds the encoder's memory. None: what
    the device likes, see `BATCH_SECONDS`."""
    shard_clips: int | None = None
    """Rows of one shard. None: those of the store that is added to, or of the run that is resumed;
    else what the device likes, see `SHARD_CLIPS`."""
    verify: int = 0
    """Clips that are encoded once more, alone, and compared before the store is committed."""
    workers: int | None = None
    """Processes on this machine, a GPU each where there are any; None: this process alone."""
    cluster: str | None = None
    """Address of a dask.distributed scheduler, `tcp://HOST:PORT`."""
    allow_outside: bool = False
    """Whether the paths of a manifest may lead out of its folder."""
    allow_errors: int = 0
    """Files that may be unusable before the report counts as failed."""
    overwrite: bool = False
    """Replace a store that is there; anything that is not a store is never replaced."""

    def __post_init__(self) -> None:
        if not self.encoder:
            raise ConfigError("encoder is empty: pass `fbank`, a folder, or a hub id")
        perturbation(self.perturb)
        if self.batch_seconds is not None and not 0 < self.batch_seconds <= LONGEST_SECONDS:
            raise ConfigError(
                f"batch_seconds is {self.batch_seconds}: it must be above 0, and at most "
                f"{LONGEST_SECONDS}"
            )
        if not 1 <= self.max_seconds <= LONGEST_SECONDS:
            raise ConfigError(
                f"max_seconds is {self.max_seconds}: it must be from 1 to {LONGEST_SECONDS}"
            )
        if self.store_dtype not in STORE_DTYPES:
            raise ConfigError(
                f"store_dtype is {self.store_dtype!r}: it must be one of {', '.join(STORE_DTYPES)}"
            )
        for name, value, least in (
            ("shard_clips", 1 if self.shard_clips is None else self.shard_clips, 1),
            ("allow_errors", self.allow_errors, 0),
            ("verify", self.verify, 0),
            ("workers", 1 if self.workers is None else self.workers, 1),
        ):
            if value < least:
                raise ConfigError(f"{name} is {value}: it must be at least {least}")
        if self.workers is not None and self.workers > _MOST_WORKERS:
            raise ConfigError(f"workers is {self.workers}: it must be at most {_MOST_WORKERS}")
        if self.workers is not None and self.cluster is not None:
            raise ConfigError("workers and cluster: pass one of them, a cluster brings its own")

    @property
    def perturbation(self) -> Perturbation:
        """`perturb`, read."""
        return perturbation(self.perturb)
