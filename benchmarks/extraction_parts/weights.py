"""Encoders of the real sizes with random weights: speed does not depend on what they learned.

Saved once in Hugging Face layout, so that every system loads the same files.
"""

import json
from pathlib import Path
from typing import Any

_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
}
SIZES: dict[str, dict[str, Any]] = {
    "base": {},  # transformers' defaults: 12 x 768, group norm
    "large": _LARGE,
    "tiny": {
        **_LARGE,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "conv_dim": (16,) * 7,
        "num_conv_pos_embedding_groups": 2,
    },
}
"""HuBERT's `config.json`, where it differs from the default. `tiny` is for smoke runs."""
FAMILIES = ("hubert", "wav2vec2", "wavlm", "data2vec-audio")
"""Families that read waveforms, by `model_type`; the sizes mean the same in each."""


def save_encoder(folder: Path, size: str, family: str = "hubert") -> None:
    """Write config, preprocessor config and random weights, unless they are there.

    Args:
        folder: where to.
        size: one of `SIZES`.
        family: one of `FAMILIES`.
    """
    if (folder / "preprocessor_config.json").is_file():
        return
    import torch
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(0)
    AutoModel.from_config(AutoConfig.for_model(family, **SIZES[size])).save_pretrained(folder)
    preprocessor = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "do_normalize": True,
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": size != "base",
        "sampling_rate": 16_000,
    }
    # Last: its presence says that the folder is complete.
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=2))
