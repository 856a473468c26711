"""Small encoders of every family: real architectures and front ends, random weights, saved."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

FRONT = {"conv_dim": (16,) * 7}  # kernels and strides stay the real ones: 400 samples, 320 apart
BODY = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "num_conv_pos_embedding_groups": 4,
    "initializer_range": 0.2,  # weights that matter, so that an error shows
}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
BASE = {"feat_extract_norm": "group", "do_stable_layer_norm": False}

KINDS = (
    "hubert-large",
    "hubert-base",
    "hubert-batchnorm",
    "wav2vec2-large",
    "wav2vec2-base",
    "wavlm-large",
    "wavlm-base",
    "data2vec",
    "whisper",
)


def _config(kind: str) -> Any:
    import transformers

    small: dict[str, Any] = {**FRONT, **BODY}
    match kind:
        case "hubert-large":
            return transformers.HubertConfig(**small, **LARGE)
        case "hubert-base":
            return transformers.HubertConfig(**small, **BASE)
        case "wav2vec2-large":
            return transformers.Wav2Vec2Config(**small, **LARGE)
        case "wav2vec2-base":
            return transformers.Wav2Vec2Config(**small, **BASE)
        case "wavlm-large":
            return transformers.WavLMConfig(**small, **LARGE)
        case "wavlm-base":
            return transformers.WavLMConfig(**small, **BASE)
        case "hubert-batchnorm":  # as distilled and other later HuBERTs have it
            return transformers.HubertConfig(**small, **BASE, conv_pos_batch_norm=True)
        case "data2vec":
            return transformers.Data2VecAudioConfig(**small, conv_pos_kernel_size=19)
        case "whisper":
            return transformers.WhisperConfig(
                d_model=32,
                encoder_layers=3,
                encoder_attention_heads=4,
                encoder_ffn_dim=48,
                decoder_layers=1,
                decoder_attention_heads=4,
                decoder_ffn_dim=48,
                vocab_size=8,
                pad_token_id=0,
                bos_token_id=1,
                eos_token_id=2,
                decoder_start_token_id=3,
                max_source_positions=100,  # windows of 2 s instead of 30 s
                init_std=0.2,
            )
    raise AssertionError(kind)


@torch.no_grad()
def _unsettle(model: torch.nn.Module) -> None:
    """Norms as training leaves them: as they begin, they shift nothing and leaks hide."""
    for module in model.modules():
        if isinstance(module, (torch.nn.GroupNorm, torch.nn.BatchNorm1d)):
            module.weight.uniform_(0.5, 2.0)
            module.bias.normal_()
        if isinstance(module, torch.nn.BatchNorm1d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)


def save_checkpoint(kind: str, folder: Path) -> None:
    """Make a small encoder of a kind; the same weights each time."""
    from transformers import AutoModel

    torch.manual_seed(KINDS.index(kind))
    model = AutoModel.from_config(_config(kind))
    _unsettle(model)
    model.save_pretrained(folder)
    if kind != "whisper":
        settings = {"do_normalize": "large" in kind, "sampling_rate": 16_000}
        (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def relative_error(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Largest over clips and layers of |found - expected| / |expected|; (..., L) each."""
    scale = np.linalg.norm(expected, axis=-1)
    return float((np.linalg.norm(found - expected, axis=-1) / scale).max())
