"""Whisper's encoder: 30 s of log-mel frames in, whatever the clip's length.

It was trained on speech padded with silence to 30 s and takes no mask, so that is what it gets
by default (`context="full"`), and only the frames that cover the clip are averaged. Running its
layers on the clip's own frames, the position table cut to length (`context="clip"`), costs a
fraction for short clips; it is a good vector too, and not the same one.

Letters: W windows, F frames of 20 ms, L width.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gensr.features.audio import SAMPLE_RATE
from gensr.features.encoders.base import Encoder
from gensr.features.encoders.checkpoint import Checkpoint
from gensr.features.encoders.device import exact_inference
from gensr.features.pooling import LayerMeans

FRAME_SAMPLES = 320
"""Samples per frame: log-mel frames every 160, halved by the second convolution."""

_WINDOWS_AT_ONCE = 16
"""Windows in one forward: a batch of many short clips is many windows of 30 s."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of one clip, padded with silence to what the encoder is given."""

    clip: int
    samples: NDArray[np.float32]
    frames: int
    """Frames that cover audio; the rest is padding."""


class WhisperEncoder(Encoder):
    """Clips above 30 s are encoded in windows of 30 s, averaged by their number of frames."""

    def __init__(self, checkpoint: Checkpoint, *, context: str) -> None:
        from transformers import WhisperFeatureExtractor

        config = checkpoint.model.config
        self._checkpoint = checkpoint
        self._model = checkpoint.model
        self._context = context
        self._log_mel: Any = WhisperFeatureExtractor(feature_size=config.num_mel_bins)
        self._window = int(config.max_source_positions) * FRAME_SAMPLES
        self.name = checkpoint.source.name
        self.layers = (*(str(i) for i in range(config.encoder_layers)), "last")
        self.width = int(config.d_model)
        self.equal_lengths = context == "clip"

    def _encode(self, waveforms: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        total = np.zeros((len(waveforms), len(self.layers), self.width))
        frames = np.zeros(len(waveforms))
        for group in self._groups(waveforms):
            means = self._encode_windows(group)
            for window, mean in zip(group, means, strict=True):
                total[window.clip] += window.frames * mean.astype(np.float64)
                frames[window.clip] += window.frames
        return (total / frames[:, None, None]).astype(np.float32)

    def _groups(self, waveforms: Sequence[NDArray[np.float32]]) -> Iterator[list[_Window]]:
        """Windows of one padded length, at most `_WINDOWS_AT_ONCE` at a time."""
        windows = [
            self._cut(clip, waveform[start : start + self._window])
            for clip, waveform in enumerate(waveforms)
            for start in range(0, len(waveform), self._window)
        ]
        windows.sort(key=lambda window: len(window.samples))  # stable: clips stay in order
        for _, same in groupby(windows, key=lambda window: len(window.samples)):
            group = list(same)
            for start in range(0, len(group), _WINDOWS_AT_ONCE):
                yield group[start : start + _WINDOWS_AT_ONCE]

    def _cut(self, clip: int, samples: NDArray[np.float32]) -> _Window:
        frames = -(-len(samples) // FRAME_SAMPLES)  # frame j is centred on sample 320 j
        length = self._window if self._context == "full" else frames * FRAME_SAMPLES
        return _Window(clip, np.pad(samples, (0, length - len(samples))), frames)

    def _encode_windows(self, windows: list[_Window]) -> NDArray[np.float32]:
        """Time averages, (W, layers, L)."""
        device, dtype = self._checkpoint.device, self._checkpoint.dtype
        features = self._log_mel(
            [window.samples for window in windows],
            sampling_rate=SAMPLE_RATE,
            padding="longest",
            truncation=False,
            return_tensors="pt",
        ).input_features  # (W, mel bands, 2 F)
        valid = torch.tensor([window.frames for window in windows], device=device)
        with exact_inference(), _positions(self._model, features.shape[-1] // 2):
            with LayerMeans(self._model.layers, valid) as means:
                output = self._model(features.to(device, dtype))
            means.add(output.last_hidden_state)
            vectors: NDArray[np.float32] = means.stacked().cpu().numpy()
        return vectors

    def provenance(self) -> dict[str, Any]:
        """See `Encoder.provenance`."""
        return self._checkpoint.provenance(
            x1="last_hidden_state, after the final layer norm",
            context=self._context,
            normalisation=f"Whisper's log-mel, {self._log_mel.feature_size} bands",
        )


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
