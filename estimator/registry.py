"""The models by name: how each is configured and built. A rival is one line here."""

from dataclasses import dataclass
from typing import Any

from gensr.estimator.baselines import Linear, LinearConfig, TransformerCE, TransformerCEConfig
from gensr.estimator.errors import ConfigError
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
