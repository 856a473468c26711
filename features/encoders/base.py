"""What the rest of the project knows of an encoder: clips in, one vector per layer out.

An encoder hands out x1, the time average of its `last_hidden_state`, and before it X_c, the
time averages of the inputs of its layers (Eq. 1). How it batches, masks and normalises is its
own affair; that a clip's vectors do not depend on its batch-mates is its promise.
"""

import abc
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import EncoderError
from gensr.features.audio import MIN_SAMPLES


class Encoder(abc.ABC):
    """A frozen encoder.

    Attributes:
        name: as it was asked for: a hub id, the name of a folder, or `fbank`.
        layers: names of the rows of an encoded clip, X_c first and x1 last.
        width: length of each row (L).
        equal_lengths: a batch must hold clips of one length, because padding would leak into
            the result (group norm front ends, data2vec-audio, Whisper on clips of their own
            length).
    """

    name: str
    layers: tuple[str, ...]
    width: int
    equal_lengths: bool

    def encode(self, waveforms: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Time averages of every layer.

        Args:
            waveforms: (n,) each, mono at 16 kHz, at least 400 samples.

        Returns:
            (B, layers, width) float32, in the order of `waveforms`.

        Raises:
            EncoderError: a clip is too short, lengths differ where they must not, or the
                vectors are not finite in the chosen precision.
        """
        if not waveforms:
            return np.zeros((0, len(self.layers), self.width), np.float32)
        lengths = {len(waveform) for waveform in waveforms}
        if min(lengths) < MIN_SAMPLES:
            raise EncoderError(f"{self.name} needs {MIN_SAMPLES} samples, not {min(lengths)}")
        if self.equal_lengths and len(lengths) > 1:
            raise EncoderError(f"{self.name} needs clips of one length in a batch")
        vectors = self._encode(waveforms)
        if not np.isfinite(vectors).all():
            raise EncoderError(
                f"{self.name} gave vectors that are not finite (NaN or infinity); "
                "where this is float16, pass --dtype bfloat16 or float32"
            )
        return vectors

    @abc.abstractmethod
    def _encode(self, waveforms: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """`encode` for checked waveforms, at least one."""

    @abc.abstractmethod
    def provenance(self) -> dict[str, Any]:
        """Everything the vectors depend on, as JSON: never the device, never an absolute path."""


def library_versions(*names: str) -> dict[str, str]:
    """Versions of the libraries whose code computes the vectors."""
    return {name: version(name) for name in names}
