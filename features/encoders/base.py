"""What the rest of the project knows of an encoder: clips in, one vector per layer out.

An encoder hands out x1, the time average of its `last_hidden_state`, and before it X_c, the
time averages of the inputs of its layers (Eq. 1). How it batches, masks and normalises is its
own affair; that a clip's vectors do not depend on its batch-mates is its promise.
"""

import abc
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoders.memory import enough_memory
from gensr.features.encoders.streaming import Arrival, arrive, run_ahead
from gensr.features.hearing.decode import MIN_SAMPLES

if TYPE_CHECKING:
    import torch

Waveforms: TypeAlias = Sequence[NDArray[np.float32]]
"""Clips of one batch: (n,) each, mono at 16 kHz, at least 400 samples."""

BOUNDS: Mapping[str, float] = {"float32": 1e-5, "float16": 5e-3, "bfloat16": 3e-2}
"""What batch-mates may change, by dtype: |batched - alone| / |alone|, in each layer of a clip.

Two to four times the largest measured with HuBERT, wav2vec 2.0, WavLM and data2vec-audio of full
size (float32 2.6e-6, float16 2.4e-3, bfloat16 1.5e-2; docs/results/batch_mates.md): a clip of one
frame, which no average steadies. From half a second on it is a seventh to a quarter of that. A
leak of padding makes 0.15 and more.
"""


class NotFiniteError(EncoderError):
    """A clip's vectors hold NaN or infinity; `clip` is its place in the batch."""

    def __init__(self, name: str, clip: int) -> None:
        super().__init__(
            f"{name} gave vectors that are not finite (NaN or infinity); "
            "where this is float16, pass --dtype bfloat16 or float32"
        )
        self.clip = clip


class Encoder(abc.ABC):
    """A frozen encoder.

    A family defines `_encode`; where work can be done before the device is needed, `_prepare`
    too.

    Attributes:
        name: as it was asked for: a hub id, the name of a folder, or `fbank`.
        layers: names of the rows of an encoded clip, X_c first and x1 last.
        width: length of each row (L).
        equal_lengths: a batch must hold clips of one length, because padding would leak into
            the result (Whisper on clips of their own length).
        max_samples: the longest waveform of one forward; none where any length will do.
        dtype: name of the dtype of weights and activations; vectors are float32 whatever it is.
        device: kind of device it runs on, `cpu`, `cuda` or `mps`; not part of its provenance.
        batch_seconds: audio of one batch that suits its device, in s; none: what suits its kind.
    """

    name: str
    layers: tuple[str, ...]
    width: int
    equal_lengths: bool
    max_samples: int | None = None
    dtype: str = "float32"
    device: str = "cpu"
    batch_seconds: float | None = None

    @classmethod
    def load(cls, *, device: str = "auto", dtype: str = "float32") -> "Encoder":
        """Make one ready that is known by its name (`ENCODERS`).

        By default it takes no arguments and computes in float32 on the CPU, whatever `device` is.

        Args:
            device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
            dtype: `float32`, `bfloat16` or `float16`.

        Raises:
            ConfigError: it cannot be had so.
        """
        if dtype != "float32":
            raise ConfigError(f"{cls.name} is computed in float32, not {dtype}")
        return cls()

    def frames(self, samples: int) -> int:
        """Return how many frames are averaged for a waveform of so many samples."""
        return max(1, (samples - 400) // 320 + 1)

    def encode(self, waveforms: Waveforms) -> NDArray[np.float32]:
        """Time averages of every layer.

        Args:
            waveforms: (n,) each, mono at 16 kHz, at least 400 samples.

        Returns:
            (B, layers, width) float32, in the order of `waveforms`.

        Raises:
            EncoderError: a clip is too short or too long, lengths differ where they must not,
                the vectors are not finite in the chosen precision or have another shape than
                was said, or memory ran out.
        """
        return self._checked(self._start(self._ready(waveforms)))

    def stream(self, batches: Iterable[Waveforms]) -> Generator[NDArray[np.float32], None, None]:
        """`encode` of each batch, in order, without leaving a GPU idle in between.

        A thread takes the next batch from `batches` and prepares it while this one runs, and a
        GPU is given its next batch before the results of this one are waited for. At most
        three batches are taken ahead of the results.

        Raises:
            EncoderError: as `encode`; results of the batches before are handed out first.
        """
        with closing(run_ahead(batches, prepare=self._ready, start=self._start)) as arrivals:
            for arrival in arrivals:
                yield self._checked(arrival)

    def _prepare(self, waveforms: Waveforms) -> Any:
        """Work of the host alone: scaling, padding. Runs in a thread of its own."""
        return waveforms

    @abc.abstractmethod
    def _encode(self, prepared: Any) -> "NDArray[np.float32] | torch.Tensor":
        """Vectors of what `_prepare` made of checked waveforms, at least one.

        Returns:
            (B, layers, width) float32; a tensor may be on a device that still computes it.
        """

    @abc.abstractmethod
    def provenance(self) -> dict[str, Any]:
        """Everything the vectors depend on, as JSON: never the device, never an absolute path."""

    def _ready(self, waveforms: Waveforms) -> Any:
        """Check and prepare; None for a batch of no clips."""
        if not waveforms:
            return None
        lengths = {len(waveform) for waveform in waveforms}
        if min(lengths) < MIN_SAMPLES:
            raise EncoderError(f"{self.name} needs {MIN_SAMPLES} samples, not {min(lengths)}")
        if self.max_samples is not None and max(lengths) > self.max_samples:
            raise EncoderError(
                f"{self.name} takes {self.max_samples} samples at once, not {max(lengths)}; "
                "cut the clip into windows and average their vectors by frames"
            )
        if self.equal_lengths and len(lengths) > 1:
            raise EncoderError(f"{self.name} needs clips of one length in a batch")
        with enough_memory(f"while {self.name} was given a batch"):
            return self._prepare(waveforms)

    def _start(self, prepared: Any) -> Arrival:
        if prepared is None:
            return arrive(np.zeros((0, len(self.layers), self.width), np.float32))
        with enough_memory(f"while {self.name} encoded a batch"):
            return arrive(self._encode(prepared))

    def _checked(self, arrival: Arrival) -> NDArray[np.float32]:
        vectors = arrival.wait()
        if vectors.shape[1:] != (len(self.layers), self.width):  # numpy would spread some over all
            raise EncoderError(
                f"{self.name} gave vectors of the shape {vectors.shape}; it says that they are "
                f"(clips, {len(self.layers)} layers, {self.width})"
            )
        finite = np.isfinite(vectors).all(axis=(1, 2))
        if not finite.all():
            raise NotFiniteError(self.name, int(np.flatnonzero(~finite)[0]))
        return vectors


def library_versions(*names: str) -> dict[str, str]:
    """Versions of the libraries whose code computes the vectors."""
    return {name: version(name) for name in names}
