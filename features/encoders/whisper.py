"""Whisper's encoder: 30 s of log-mel frames in, whatever the clip's length.

It was trained on speech padded with silence to 30 s and takes no mask, so that is what it gets
by default (`context="full"`), and only the frames that cover the clip are averaged. Running its
layers on the clip's own frames, the position table cut to length (`context="clip"`), costs a
fraction for short clips; it is a good vector too, and not the same one.

The log-mel frames are computed where the model is: on the host they would take longer than a
GPU takes for the encoder.

Letters: B clips, n samples, F frames of 20 ms, L width.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoders.base import Encoder
from gensr.features.encoders.device import exact_inference, host_zeros
from gensr.features.encoders.pooling import Frames, LayerMeans
from gensr.features.encoders.pretrained import Pretrained
from gensr.features.encoders.settings import Extractor

FRAME_SAMPLES = 320
"""Samples per frame: log-mel frames every 160, halved by the second convolution."""

_CLIPS_AT_ONCE = 16
"""Clips in one forward: a batch of many short clips is many windows of 30 s."""


@dataclass(frozen=True, slots=True)
class _Batch:
    samples: Tensor
    """(B, n) float32 on the host, zero behind each clip."""
    frames: tuple[int, ...]
    """Frames that cover audio, of each clip."""


class WhisperEncoder(Encoder):
    """At most 30 s at once; longer clips come as windows."""

    max_samples: int

    def __init__(self, pretrained: Pretrained, *, context: str) -> None:
        from transformers import WhisperFeatureExtractor

        config = pretrained.model.config
        extractor: Any = WhisperFeatureExtractor(feature_size=config.num_mel_bins)
        self.max_samples = int(config.max_source_positions) * FRAME_SAMPLES
        self._pretrained = pretrained
        self._model = pretrained.model
        self._context = context
        filters = torch.from_numpy(extractor.mel_filters).float().T.contiguous()
        self._log_mel = LogMel(filters.to(pretrained.device), extractor.n_fft, extractor.hop_length)
        self.name = pretrained.source.name
        self.layers = (*(str(i) for i in range(config.encoder_layers)), "last")
        self.width = int(config.d_model)
        self.dtype = str(pretrained.dtype).removeprefix("torch.")
        self.device = pretrained.device.type
        self.equal_lengths = context == "clip"
        self._agree(pretrained.extractor, extractor)

    def _agree(self, own: Extractor, usual: Any) -> None:
        """Refuse a folder whose log-mel frames are not Whisper's usual ones."""
        shared = ("feature_size", "n_fft", "hop_length", "dither", "padding_value", "padding_side")
        own.wants(**{name: getattr(usual, name) for name in shared})
        window = self.max_samples / SAMPLE_RATE
        if own.made is not None and own.made.chunk_length != usual.chunk_length:
            own.wants(chunk_length=window)  # the usual 30 s may stand with any model
        bands = self._log_mel

        def computed(samples: NDArray[np.float32]) -> Any:
            padded = np.zeros((1, self.max_samples), np.float32)
            padded[0, : len(samples)] = samples[: self.max_samples]
            return bands(torch.from_numpy(padded).to(bands.device)).cpu()

        own.agrees(computed, padding="max_length", max_length=self.max_samples)

    def tried(self) -> "WhisperEncoder":
        """Return itself, after two frames: what cannot run says so before any work is done."""
        samples = torch.zeros((1, 2 * FRAME_SAMPLES), device=self._pretrained.device)
        with exact_inference():
            self._forward(samples, Frames.of([2], self._pretrained.device))
        return self

    def frames(self, samples: int) -> int:
        """See `Encoder.frames`: frame j is centred on sample 320 j."""
        return -(-samples // FRAME_SAMPLES)

    def _prepare(self, waveforms: Sequence[NDArray[np.float32]]) -> _Batch:
        longest = max(len(waveform) for waveform in waveforms)
        batch = host_zeros((len(waveforms), longest), self._pretrained.device)
        for row, waveform in zip(batch.numpy(), waveforms, strict=True):
            row[: len(waveform)] = waveform
        return _Batch(batch, tuple(self.frames(len(waveform)) for waveform in waveforms))

    def _encode(self, batch: _Batch) -> Tensor:
        device = self._pretrained.device
        heard = max(batch.frames) * FRAME_SAMPLES
        length = self.max_samples if self._context == "full" else heard
        means = []
        with exact_inference():
            for start in range(0, len(batch.frames), _CLIPS_AT_ONCE):
                part = slice(start, start + _CLIPS_AT_ONCE)
                samples = batch.samples[part].to(device, non_blocking=True)
                silence = length - samples.shape[1]
                samples = nn.functional.pad(samples, (0, silence))  # sent without its silence
                means.append(self._forward(samples, Frames.of(batch.frames[part], device)))
            return torch.cat(means)

    def _forward(self, samples: Tensor, frames: Frames) -> Tensor:
        """Time averages of (B, n) samples, (B, layers, L)."""
        features = self._log_mel(samples).to(self._pretrained.dtype)  # (B, mel bands, 2 F)
        with _positions(self._model, features.shape[2] // 2):
            with LayerMeans(self._model.layers, frames) as means:
                output = self._model(features)
            means.add(output.last_hidden_state)
        return means.stacked()

    def provenance(self) -> dict[str, Any]:
        """See `Encoder.provenance`."""
        return self._pretrained.provenance(
            x1="last_hidden_state, after the final layer norm",
            context=self._context,
            normalisation=f"Whisper's log-mel, {self._log_mel.bands} bands",
        )


class LogMel:
    """Whisper's log-mel frames, as its feature extractor has them, on any device."""

    def __init__(self, filters: Tensor, size: int, hop: int) -> None:
        """Take what a feature extractor says.

        Args:
            filters: (bands, size / 2 + 1) mel filters, on the device.
            size: samples of a Fourier transform.
            hop: samples from frame to frame.
        """
        self._filters, self._size, self._hop = filters, size, hop
        self._window = torch.hann_window(size, device=filters.device)

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return self._filters.device

    @property
    def bands(self) -> int:
        """How many mel bands."""
        return len(self._filters)

    def __call__(self, samples: Tensor) -> Tensor:
        """(B, n) float32 samples to (B, bands, n / hop); of each clip the upper 80 dB."""
        spectrum = torch.stft(
            samples, self._size, self._hop, window=self._window, return_complex=True
        )
        power = (spectrum[..., :-1].abs() ** 2).contiguous()
        bands = (self._filters @ power).clamp(min=1e-10).log10()
        return (torch.maximum(bands, bands.amax(dim=(1, 2), keepdim=True) - 8.0) + 4.0) / 4.0


@contextmanager
def _positions(model: Any, frames: int) -> Iterator[None]:
    """Let the encoder take this many frames: its table of positions cut, then put back."""
    whole, count = model.embed_positions, model.config.max_source_positions
    if frames == count:
        yield
        return
    model.embed_positions = nn.Embedding.from_pretrained(whole.weight[:frames])  # type: ignore[no-untyped-call]
    model.config.max_source_positions = frames
    try:
        yield
    finally:
        model.embed_positions = whole
        model.config.max_source_positions = count
