"""What it takes to build a model again, and the presets a model begins from."""

from dataclasses import dataclass
from typing import Any

import torch

from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.ensemble import Ensemble
from gensr.estimator.models.registry import MODELS

PRESETS = ("small", "paper")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """What it takes to build a model again."""

    model: str
    """Name, one of `MODELS`."""
    classes: tuple[str, ...]
    """Class names in the order of their codes."""
    layers: tuple[str, ...]
    """Names of the layers it reads, x1 last."""
    width: int
    """L."""
    options: Any
    """The model's own config."""


def preset(model: str, name: str) -> tuple[Any, TrainingConfig | None]:
    """Model options of a preset, and a budget where the model is trained by steps.

    `small` trains on two CPU cores in seconds; `paper` is section 3.2.

    Raises:
        ConfigError: no such model or preset.
    """
    cls = MODELS[model]
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}; choose one of {', '.join(PRESETS)}")
    if name == "small":
        return cls.Config(), TrainingConfig() if cls.by_gradient else None
    options = getattr(cls.Config, "paper", cls.Config)()
    return options, TrainingConfig.paper() if cls.by_gradient else None


def build(spec: ModelSpec, device: torch.device | None = None) -> Classifier:
    """An unfitted model in evaluation mode; its weights follow from torch's generator.

    Of a config with `members` it is so many, as one.
    """
    sizes = len(spec.classes), len(spec.layers), spec.width
    members = getattr(spec.options, "members", 1)
    each = [MODELS[spec.model](*sizes, spec.options) for _ in range(members)]
    for one in each:
        if isinstance(one, torch.nn.Module):
            one.eval()
    model = each[0] if members == 1 else Ensemble(each)
    model.place(device or torch.device("cpu"))
    return model
