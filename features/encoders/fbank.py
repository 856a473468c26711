"""The encoder without weights: log-mel bands and their statistics over time.

The weakest front end, and one that is always there: no download, no transformers. It keeps
the shape of the others: x1 is the time mean of each band, X_c are further statistics of the
same bands, one width for all, so every model of the project runs on it unchanged.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchaudio.compliance import kaldi
from torchaudio.functional import compute_deltas

from gensr.estimator.device import threads_for
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoders.base import Encoder, library_versions
from gensr.features.hearing.decode import resampling_provenance

BANDS = 80
_FULL_SCALE = 32_768.0
"""Kaldi's bands are of 16-bit integers; samples in [-1, 1] are brought to their range."""
_FLOOR = 0.0
"""Natural log of one: below the quantisation noise of 16 bits. Without it, and without dither,
a stretch of digital zeros would sit at -15.9 and one pause would outweigh the speech."""
_PERCENTILES = (10, 25, 50, 75, 90)


class Fbank(Encoder):
    """Kaldi-compatible log-mel bands: 80 of them, 25 ms windows every 10 ms, no dither."""

    name = "fbank"
    layers = (
        "std",  # how far each band swings
        "flux",  # mean absolute change from frame to frame
        "delta_std",  # spread of its slope and of its curvature: how lively the speech is
        "delta2_std",
        *(f"p{percent}" for percent in _PERCENTILES),
        "loud_mean",  # mean over the louder half of the frames: the voice without its pauses
        "mean",  # x1
    )
    width = BANDS
    equal_lengths = False

    def frames(self, samples: int) -> int:
        """See `Encoder.frames`: windows of 400 samples every 160."""
        return (samples - 400) // 160 + 1

    def _encode(self, waveforms: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        # One clip at a time on one thread of the CPU: a few milliseconds each, nothing to pad,
        # and matrices so small that threads would mostly wait for each other.
        with torch.inference_mode(), threads_for(0):
            return np.stack([_statistics(log_mel_bands(samples)) for samples in waveforms])

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
                "bands": f"{BANDS} Kaldi log-mel bands, 25 ms / 10 ms, no dither, floor {_FLOOR:g}",
                "scale": _FULL_SCALE,
            },
            "libraries": library_versions("torch", "torchaudio"),
        }


def log_mel_bands(samples: NDArray[np.float32]) -> torch.Tensor:
    """(n,) samples at 16 kHz -> (F, 80), F = floor((n - 400) / 160) + 1."""
    bands: torch.Tensor = kaldi.fbank(
        torch.tensor(samples).unsqueeze(0) * _FULL_SCALE,
        num_mel_bins=BANDS,
        frame_length=25.0,
        frame_shift=10.0,
        dither=0.0,
        sample_frequency=float(SAMPLE_RATE),
    )
    return bands.clamp_min(_FLOOR)


def _statistics(bands: torch.Tensor) -> NDArray[np.float32]:
    """(F, 80) -> (layers, 80); of a single frame every spread and change is zero."""
    delta = _slope(bands)
    change = bands.diff(dim=0).abs()
    loudness = bands.mean(dim=1)  # (F,)
    loud = bands[loudness >= loudness.median()]
    rows = [
        bands.std(dim=0, correction=0),
        change.mean(dim=0) if len(change) else torch.zeros(BANDS),
        delta.std(dim=0, correction=0),
        _slope(delta).std(dim=0, correction=0),
        *torch.from_numpy(np.percentile(bands.numpy(), _PERCENTILES, axis=0)),
        loud.mean(dim=0),
        bands.mean(dim=0),
    ]
    return np.stack([row.numpy().astype(np.float32) for row in rows])


def _slope(bands: torch.Tensor) -> torch.Tensor:
    """Regression slope over five frames, edges repeated: (F, 80) -> (F, 80)."""
    slope: torch.Tensor = compute_deltas(bands.T.unsqueeze(0), win_length=5)
    return slope.squeeze(0).T
