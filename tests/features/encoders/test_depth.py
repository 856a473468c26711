"""Layers are averaged as they run: however many there are, few hidden states are in memory."""

import json
import shutil
import weakref
from pathlib import Path

from gensr.features.encoders import load_encoder
from support.sounds import noise


def most_alive(folder, tmp_path):
    """Hidden states alive at once, though the checkpoint's own config asks for all of them."""
    greedy = Path(shutil.copytree(folder, tmp_path / "greedy"))
    config = json.loads((greedy / "config.json").read_text())
    config |= {"output_hidden_states": True, "output_attentions": False}
    (greedy / "config.json").write_text(json.dumps(config))
    encoder = load_encoder(str(greedy), device="cpu")
    seen, alive = [], []

    def note(layer, args, kwargs):
        seen.append(weakref.ref(args[0] if args else kwargs["hidden_states"]))
        alive.append(sum(ref() is not None for ref in seen))

    model = encoder._model
    layers = getattr(model, "encoder", model).layers
    for layer in layers:
        layer.register_forward_pre_hook(note, with_kwargs=True)
    encoder.encode(noise(16_000, 9_000))
    assert len(alive) == len(layers) == 3
    return max(alive)


def test_no_hidden_state_outlives_the_next_layer(kind, checkpoint, tmp_path):
    assert most_alive(checkpoint(kind), tmp_path) <= 2


def test_nor_does_whispers(checkpoint, tmp_path):
    assert most_alive(checkpoint("whisper"), tmp_path) <= 2
