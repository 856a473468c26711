"""One environment's part of test_transformers_versions.py, run as a script in each.

python -m support.encode_kinds make FOLDER            save a small checkpoint of every kind
python -m support.encode_kinds encode FOLDER OUT.npz  encode with gensr, and with transformers alone
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from support.checkpoints import KINDS, save_checkpoint

LENGTHS = (400, 5_000, 16_001, 31_999)


def clips() -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    return [rng.normal(0.01, 0.1, n).astype(np.float32) for n in LENGTHS]


def reference(folder: Path, clip: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over a clip's frames of `last_hidden_state`, by transformers and nothing else."""
    from transformers import AutoModel, Wav2Vec2FeatureExtractor, WhisperFeatureExtractor

    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    frames = None
    with torch.inference_mode():
        if folder.name == "whisper":
            padded = np.pad(clip, (0, 32_000 - len(clip)))
            values = WhisperFeatureExtractor()(
                padded, sampling_rate=16_000, padding="do_not_pad", return_tensors="pt"
            ).input_features
            output, frames = model.get_encoder()(values), -(-len(clip) // 320)
        else:
            extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder)
            output = model(extractor(clip, sampling_rate=16_000, return_tensors="pt").input_values)
    mean: NDArray[np.float32] = output.last_hidden_state[0, :frames].mean(dim=0).numpy()
    return mean


def encode(root: Path, out: Path) -> None:
    import transformers

    from gensr.features.encoders import load_encoder

    found: dict[str, Any] = {"version": np.array(transformers.__version__)}
    for folder in sorted(root.iterdir()):
        encoder = load_encoder(str(folder), device="cpu")
        assert encoder.provenance()["libraries"]["transformers"] == transformers.__version__
        found[f"vectors/{folder.name}"] = encoder.encode(clips())
        found[f"alone/{folder.name}"] = encoder.encode(clips()[2:3])[0, -1]
        found[f"theirs/{folder.name}"] = reference(folder, clips()[2])
    np.savez(out, **found)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "make":
        for kind in KINDS:
            save_checkpoint(kind, Path(sys.argv[2]) / kind)
    else:
        encode(Path(sys.argv[2]), Path(sys.argv[3]))
