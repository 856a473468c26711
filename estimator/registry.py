"""The models by name: how each is configured, built, saved and loaded. A rival is one line here."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from gensr.estimator.baselines import Linear, LinearConfig, TransformerCE, TransformerCEConfig
from gensr.estimator.config import from_plain, to_plain
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.gen_ser import GenSER, GenSERConfig
from gensr.estimator.model import Model
from gensr.estimator.network import NetworkConfig
from gensr.estimator.training import TrainingConfig

MODELS: dict[str, tuple[type[Model], type[Any]]] = {
    "gen-ser": (GenSER, GenSERConfig),
    "linear": (Linear, LinearConfig),
    "transformer-ce": (TransformerCE, TransformerCEConfig),
}
PRESETS = ("small", "paper")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """What it takes to build a model again."""

    model: str
    """Name, a key of `MODELS`."""
    classes: tuple[str, ...]
    """Class names in the order of their codes."""
    layers: tuple[str, ...]
    """Names of the layers it reads, x1 last."""
    width: int
    """L."""
    options: Any
    """The model's own config."""


def preset(model: str, name: str) -> tuple[Any, TrainingConfig]:
    """Model options and budget of a preset.

    `small` trains on two CPU cores in seconds; `paper` is section 3.2.

    Raises:
        ConfigError: no such model or preset.
    """
    if model not in MODELS:
        raise ConfigError(f"no model {model!r}; choose one of {', '.join(MODELS)}")
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}; choose one of {', '.join(PRESETS)}")
    config = MODELS[model][1]
    if name == "small":
        return config(), TrainingConfig()
    sized = {"network": NetworkConfig.paper()} if "network" in config.__slots__ else {}
    return config(**sized), TrainingConfig.paper()


def build(spec: ModelSpec) -> Model:
    """An untrained model; its weights follow from torch's generator."""
    cls: Any = MODELS[spec.model][0]
    model: Model = cls(len(spec.classes), len(spec.layers), spec.width, spec.options)
    return model.eval()


def save_model(folder: Path, model: Model, spec: ModelSpec) -> None:
    """Write `config.json` and `model.safetensors`; the weights last, by rename."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(to_plain(spec), indent=2) + "\n")
    aside = folder / "model.safetensors.new"
    save_file({name: w.contiguous().cpu() for name, w in model.state_dict().items()}, aside)
    aside.replace(folder / "model.safetensors")


def load_model(folder: Path, device: torch.device | None = None) -> tuple[Model, ModelSpec]:
    """Read what `save_model` wrote.

    Raises:
        RunError: files missing, damaged, or that do not fit each other.
    """
    try:
        plain = json.loads((folder / "config.json").read_text())
        options = from_plain(MODELS[plain["model"]][1], plain["options"], str(folder))
        spec = ModelSpec(
            model=plain["model"],
            classes=tuple(plain["classes"]),
            layers=tuple(plain["layers"]),
            width=plain["width"],
            options=options,
        )
        model = build(spec)
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except FileNotFoundError as error:
        raise RunError(f"{folder}: {error.filename or error} is missing; train again") from error
    except (json.JSONDecodeError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{folder}: the model cannot be read ({reason}); train again") from error
    return model.to(device or torch.device("cpu")), spec
