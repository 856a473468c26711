"""The encoder without weights: log-mel bands and their statistics over time.

The weakest front end, and one that is always there: no download, no transformers. It keeps
the shape of the others: x1 is the time mean of each band, X_c are further statistics of the
same bands, one width for all, so every model of the project runs on it unchanged.
"""

from collections.abc import Generator, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.estimator.device import threads_for
from gensr.features.encoders.band_statistics import STATISTICS, statistics
from gensr.features.encoders.base import Encoder, Waveforms, library_versions
from gensr.features.encoders.log_mel import BANDS, FLOOR, FULL_SCALE, log_mel_bands
from gensr.features.encoders.streaming import side_by_side
from gensr.features.hearing.decode import resampling_provenance


class Fbank(Encoder):
    """Kaldi-compatible log-mel bands: 80 of them, 25 ms windows every 10 ms, no dither."""

    name = "fbank"
    layers = STATISTICS
    width = BANDS
    equal_lengths = False

    def frames(self, samples: int) -> int:
        """See `Encoder.frames`: windows of 400 samples every 160."""
        return (samples - 400) // 160 + 1

    def stream(self, batches: Iterable[Waveforms]) -> Generator[NDArray[np.float32], None, None]:
        """See `Encoder.stream`: as many batches side by side as torch has threads.

        A clip has a core to itself from its first sample to its last, so how many there are
        changes neither the order nor a bit.
        """
        count = torch.get_num_threads()
        with threads_for(0):  # which those that are started here inherit
            yield from side_by_side(batches, self.encode, count)

    def _encode(self, waveforms: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        # One clip at a time on one thread of the CPU: a few milliseconds each, nothing to pad,
        # and matrices so small that threads would mostly wait for each other.
        with torch.inference_mode(), threads_for(0):
            return np.stack([statistics(log_mel_bands(samples)) for samples in waveforms])

    def provenance(self) -> dict[str, Any]:
        """See `Encoder.provenance`."""
        return {
            "family": "fbank",
            "name": self.name,
            "revision": None,
            "weights_sha256": None,
            "dtype": "float32",
            "x1": "mean of the log-mel bands",
            "context": "clip",
            "preprocessing": {
                **resampling_provenance(),
                "normalisation": "none",
                "bands": f"{BANDS} Kaldi log-mel bands, 25 ms / 10 ms, no dither, floor {FLOOR:g}",
                "scale": FULL_SCALE,
            },
            "libraries": library_versions("torch", "torchaudio"),
        }
