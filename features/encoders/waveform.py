"""HuBERT, WavLM, wav2vec 2.0 and data2vec-audio: encoders that hear the waveform itself.

Clips of different length share a batch only where that is exact: with a layer norm front end,
a mask over the padding and averages over valid frames, a padded clip equals the same clip alone
to 1e-6. A group norm front end takes its statistics over the padding too, and data2vec-audio's
stacked positional convolutions read it: there a batch holds clips of one length.

Letters: B clips, n samples, F frames, L width.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.estimator.errors import EncoderError
from gensr.features.encoders.base import Encoder
from gensr.features.encoders.checkpoint import Checkpoint
from gensr.features.encoders.device import exact_inference
from gensr.features.pooling import LayerMeans


class WaveformEncoder(Encoder):
    """A convolutional front end, a positional convolution and a stack of transformer layers."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        model = checkpoint.model
        config = model.config
        if getattr(config, "add_adapter", False):
            raise EncoderError(f"{checkpoint.source.folder} ends in an adapter, a shorter sequence")
        self._checkpoint = checkpoint
        self._model = model
        self.name = checkpoint.source.name
        self.layers = (*(str(i) for i in range(config.num_hidden_layers)), "last")
        self.width = int(config.hidden_size)
        front_norm = getattr(config, "feat_extract_norm", "layer")
        self.equal_lengths = (
            front_norm == "group"
            or checkpoint.model_type == "data2vec-audio"
            or bool(getattr(config, "conv_pos_batch_norm", False))  # its shift fills the padding
        )
        asked = (checkpoint.preprocessor or {}).get("do_normalize")
        self._normalise = bool(asked) if asked is not None else front_norm == "layer"
        self._normalisation_source = "preprocessor_config.json" if asked is not None else "assumed"

    def _encode(self, waveforms: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        lengths = torch.tensor([len(waveform) for waveform in waveforms])  # (B,)
        batch = np.zeros((len(waveforms), int(lengths.max())), np.float32)  # (B, n)
        for row, waveform in zip(batch, waveforms, strict=True):
            row[: len(waveform)] = standardise(waveform) if self._normalise else waveform
        frames = self._model._get_feat_extract_output_lengths(lengths)
        if int(frames.min()) < 1:
            raise EncoderError(f"{self.name} makes no frame of {int(lengths.min())} samples")
        device, dtype = self._checkpoint.device, self._checkpoint.dtype
        options: dict[str, Any] = {}
        if not self.equal_lengths:  # where padding is masked; the others are trained without
            valid = torch.arange(batch.shape[1]) < lengths[:, None]
            options["attention_mask"] = valid.long().to(device)
        with exact_inference(), warnings.catch_warnings():
            # WavLM's masks, one of booleans and one of floats, are its own business.
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            values = torch.from_numpy(batch).to(device, dtype)
            with LayerMeans(self._model.encoder.layers, frames.to(device)) as means:
                output = self._model(values, **options)
            means.add(output.last_hidden_state)
            vectors: NDArray[np.float32] = means.stacked().cpu().numpy()
        return vectors

    def provenance(self) -> dict[str, Any]:
        """See `Encoder.provenance`."""
        stable = getattr(self._model.config, "do_stable_layer_norm", False)
        how = "zero mean, unit variance over the clip" if self._normalise else "none"
        return self._checkpoint.provenance(
            x1=(
                "last_hidden_state, after the final layer norm"
                if stable
                else "last_hidden_state, after the last layer's own layer norm"
            ),
            context="clip",
            normalisation=f"{how} ({self._normalisation_source})",
        )


def standardise(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Zero mean and unit variance, as the Hugging Face feature extractor has it (float32)."""
    centred = waveform - waveform.mean()
    scaled: NDArray[np.float32] = centred / np.sqrt(waveform.var() + 1e-7)
    return scaled
