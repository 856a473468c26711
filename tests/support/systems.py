"""Every system of the method: what the paper names, what it argues against, and the controls."""

from typing import Any

SYSTEMS: dict[str, dict[str, Any]] = {
    "gen-ser": {},
    "linear": {"model": "linear"},
    "mlp": {"model": "mlp"},
    "transformer-ce": {"model": "transformer-ce"},
    "transformer-ce-noisy": {"model": "transformer-ce", "options": {"state": "noisy"}},
    "transformer-mse": {"model": "transformer-mse"},
    "transformer-mse-fixed": {"model": "transformer-mse", "options": {"state": "fixed"}},
    "transformer-mse-none": {"model": "transformer-mse", "options": {"state": "none"}},
    "svm": {"model": "svm"},
    "logreg": {"model": "logreg"},
    "closed-form": {"model": "closed-form"},
    "diffusion-classifier": {"model": "diffusion-classifier", "options": {"draws": 4}},
    "flow": {"options": {"target": "flow"}},
    "score": {"options": {"target": "score"}},
    "mean-linear": {"options": {"mean": "linear"}},
    "mean-ve": {"options": {"mean": "ve"}},
    "mean-vp": {"options": {"mean": "vp"}},
    "variance-constant": {"options": {"variance": "constant", "start": "noisy", "draws": 2}},
    "variance-exploding": {"options": {"variance": "exploding", "start": "noisy", "draws": 2}},
    "codes-onehot": {"options": {"codes": "onehot"}},
    "codes-random-orthogonal": {"options": {"codes": "random-orthogonal"}},
    "codes-autoencoder": {"options": {"codes": "autoencoder"}},
    "transformer-mse-autoencoder": {
        "model": "transformer-mse",
        "options": {"codes": "autoencoder"},
    },
    "closed-form-autoencoder": {"model": "closed-form", "options": {"codes": "autoencoder"}},
    "sampler-heun": {"options": {"sampler": "heun"}},
    "readout-state": {"options": {"sampler": "euler", "readout": "state"}},
    "readout-after": {"options": {"readout": "after"}},
    "inputs-concat": {"options": {"inputs": {"way": "concat", "layers": "auto"}}},
    "inputs-tokens": {"options": {"inputs": {"way": "tokens", "layers": "auto"}}},
    "inputs-one": {"options": {"inputs": {"way": "one", "layers": "auto"}}},
    "times": {"options": {"times": 4.0, "sigma": 8.0}},
    "smoothing": {"options": {"smoothing": 0.1, "balance": True}},
    "members": {"options": {"members": 2}},
    "members-mlp": {"model": "mlp", "options": {"members": 2}},
}
"""By name, what `TrainConfig` is given."""

ONE_GO = ("svm", "logreg", "closed-form")
"""Models that are fitted in one go."""
SIZED = ("gen-ser", "transformer-ce", "transformer-mse", "diffusion-classifier")
"""Models with a network whose sizes can be asked for."""


def settings(model: str, *, hidden: int, steps: int, every: int, batch: int = 8) -> str:
    """A TOML file of small sizes for a model."""
    text = ""
    if model in SIZED:
        text += f"[model.network]\nhidden = {hidden}\ndepth = 1\nheads = 2\n"
    if model == "mlp":
        text += f"[model]\nhidden = {hidden}\n"
    if model not in ONE_GO:
        text += f"[training]\nsteps = {steps}\nbatch_size = {batch}\nlearning_rate = 0.003\n"
        text += f"ema = 0.5\nevaluate_every = {every}\n"
    return text
