"""HuBERT, WavLM, wav2vec 2.0 and data2vec-audio: encoders that hear the waveform itself.

Clips of different length share a batch: with a mask over the padding, averages over valid
frames, and the leaks of `padding.py` mended, a padded clip equals the same clip alone to 1e-5.
Where all clips are of one length there is nothing to mask, and the call is Hugging Face's own.

Letters: B clips, n samples, F frames, L width.
"""

import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoders.base import Encoder
from gensr.features.encoders.device import exact_inference, host_zeros
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoders.footprint import bytes_per_second, seconds_that_fit
from gensr.features.encoders.padding import mend_padding
from gensr.features.encoders.pooling import Frames, LayerMeans
from gensr.features.encoders.pretrained import Pretrained

LONGEST_WINDOW = 30 * SAMPLE_RATE
"""Samples; a front end that makes no frame of these is none for speech."""


@dataclass(frozen=True, slots=True)
class _Batch:
    samples: torch.Tensor
    """(B, n) float32 on the host, scaled, zero behind each clip."""
    lengths: tuple[int, ...]
    """Samples of each clip."""


class WaveformEncoder(Encoder):
    """A convolutional front end, a positional convolution and a stack of transformer layers."""

    def __init__(self, pretrained: Pretrained) -> None:
        model = pretrained.model
        config = model.config
        if getattr(config, "add_adapter", False):
            raise EncoderError(f"{pretrained.source.folder} ends in an adapter, a shorter sequence")
        self._pretrained = pretrained
        self._model = model
        self.name = pretrained.source.name
        self.layers = (*(str(i) for i in range(config.num_hidden_layers)), "last")
        self.width = int(config.hidden_size)
        self.dtype = str(pretrained.dtype).removeprefix("torch.")
        self.device = pretrained.device.type
        self.batch_seconds = self._fitting()
        self._convolutions = tuple(zip(config.conv_kernel, config.conv_stride, strict=True))
        self._padding = mend_padding(model)
        self.equal_lengths = self._padding is None
        extractor = pretrained.extractor
        front_norm = getattr(config, "feat_extract_norm", "layer")
        self._normalise = (
            front_norm == "layer" if extractor.made is None else bool(extractor.made.do_normalize)
        )
        extractor.agrees(lambda samples: [self._scaled(samples)])

    def _fitting(self) -> float | None:
        """Return the audio of a batch that suits a GPU's memory."""
        device, config = self._pretrained.device, self._model.config
        if device.type != "cuda":
            return None
        memory = torch.cuda.get_device_properties(device).total_memory
        weights = sum(each.numel() * each.element_size() for each in self._model.parameters())
        number = self._pretrained.dtype.itemsize
        a_second = bytes_per_second(config.conv_dim[0], config.conv_stride[0], number, SAMPLE_RATE)
        return seconds_that_fit(memory, weights, a_second)

    def frames(self, samples: int) -> int:
        """See `Encoder.frames`; fewer than one where the front end is longer than the clip."""
        return frames_behind(samples, self._convolutions)

    def tried(self) -> "WaveformEncoder":
        """Return itself, after one short clip: what cannot run says so before any work is done.

        Raises:
            EncoderError: its front end makes no frame of the longest window, or its vectors are
                not finite.
        """
        samples = 400
        while self.frames(samples) < 1 and samples < LONGEST_WINDOW:
            samples *= 2
        self.encode([np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)])
        return self

    def _prepare(self, waveforms: Sequence[NDArray[np.float32]]) -> _Batch:
        lengths = tuple(len(waveform) for waveform in waveforms)
        if self.frames(min(lengths)) < 1:
            raise EncoderError(f"{self.name} makes no frame of {min(lengths)} samples")
        batch = host_zeros((len(lengths), max(lengths)), self._pretrained.device)  # (B, n)
        for row, waveform in zip(batch.numpy(), waveforms, strict=True):
            row[: len(waveform)] = self._scaled(waveform)
        return _Batch(batch, lengths)

    def _scaled(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        return standardise(waveform) if self._normalise else waveform

    def _encode(self, batch: _Batch) -> torch.Tensor:
        device, dtype = self._pretrained.device, self._pretrained.dtype
        frames = Frames.of([self.frames(n) for n in batch.lengths], device)
        with exact_inference(), warnings.catch_warnings(), ExitStack() as stack:
            # WavLM's masks, one of booleans and one of floats, are its own business.
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            values = batch.samples.to(device, non_blocking=True).to(dtype)
            if self._padding is not None and len(set(batch.lengths)) > 1:
                first = [frames_behind(n, self._convolutions[:1]) for n in batch.lengths]
                stack.enter_context(self._padding.masked(Frames.of(first, device), frames))
            with LayerMeans(self._model.encoder.layers, frames) as means:
                output = self._model(values)
            means.add(output.last_hidden_state)
            return means.stacked()

    def provenance(self) -> dict[str, Any]:
        """See `Encoder.provenance`."""
        stable = getattr(self._model.config, "do_stable_layer_norm", False)
        how = "zero mean, unit variance over the clip" if self._normalise else "none"
        return self._pretrained.provenance(
            x1=(
                "last_hidden_state, after the final layer norm"
                if stable
                else "last_hidden_state, after the last layer's own layer norm"
            ),
            context="clip",
            normalisation=f"{how} ({self._pretrained.extractor.source})",
        )


def frames_behind(samples: int, convolutions: Iterable[tuple[int, int]]) -> int:
    """Length of a sequence behind convolutions of these kernels and strides, without padding.

    >>> frames_behind(16_000, [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)])
    49
    """
    for kernel, stride in convolutions:
        samples = (samples - kernel) // stride + 1
    return samples


def standardise(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Zero mean and unit variance, as the Hugging Face feature extractor has it (float32)."""
    centred = waveform - waveform.mean()
    scaled: NDArray[np.float32] = centred / np.sqrt(waveform.var() + 1e-7)
    return scaled
