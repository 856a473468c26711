"""What it takes to build a model again, and the presets a model begins from."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch

from gensr.estimator.config import from_plain
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.ensemble import Ensemble
from gensr.estimator.models.registry import MODELS

PRESETS = {"small": "transformer-mse", "paper": "gen-ser"}
"""By name, each with the model it is of where none is named: of `small` what the rule of
docs/results/study.md picked of all, of `paper` the paper's."""


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


def check_preset(name: str) -> str:
    """The model of a preset, where none is named.

    Raises:
        ConfigError: no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def preset(
    model: str, name: str, asked: Mapping[str, Any] | None = None
) -> tuple[Any, TrainingConfig | None]:
    """Model options of a preset, and a budget where the model is trained by steps.

    `small` trains on two CPU cores in seconds; `paper` is section 3.2.

    Args:
        model: its name.
        name: one of `PRESETS`.
        asked: settings of the model that are asked for: what others follow from, as a target's own
            T does, is chosen here already, so that a setting asked for beside it stands.

    Raises:
        ConfigError: no such model or preset.
    """
    cls = MODELS[model]
    check_preset(name)
    if name == "paper" and not cls.by_gradient and not hasattr(cls.Config, name):
        raise ConfigError(f"{model} has no sizes and no budget of the paper's; drop --preset paper")
    options = getattr(cls.Config, name, cls.Config)()
    if asked and "target" in asked and hasattr(options, "target"):
        with suppress(ConfigError):  # told by who reads it from where it was asked
            named = from_plain(cls.Config, {"target": asked["target"]}, model)
            if name == "small" and hasattr(cls.Config, "small"):
                options = cls.Config.small(named.target.name)
            options = from_plain(cls.Config, {"target": asked["target"]}, model, base=options)
    if not cls.by_gradient:
        return options, None
    if name == "paper":
        usual = TrainingConfig.paper()
    elif hasattr(options, "small_budget"):
        usual = options.small_budget()
    else:  # a linear layer has no smaller size
        sized = hasattr(cls.Config, "small")
        usual = TrainingConfig.small() if sized else TrainingConfig()
    return options, options.budget(usual) if hasattr(options, "budget") else usual


def check_training(options: Any) -> None:
    """Refuse settings that can be read and asked, but are not worth a training.

    Raises:
        ConfigError: as the model's own config says by `check_training`, where it has one.
    """
    if check := getattr(options, "check_training", None):
        check()


def check_asked(options: Any, asked: Iterable[str]) -> None:
    """Refuse settings that were asked for and have no say beside the others.

    Raises:
        ConfigError: one is among those that the model's own config calls `idle`, where it does.
    """
    idle: Mapping[str, str] = getattr(options, "idle", {})
    for name in sorted({*asked} & {*idle}):
        raise ConfigError(f"{name} has no say beside {idle[name]}; drop one of them")


def check_sizes(spec: ModelSpec) -> None:
    """Refuse settings that are not worth a training of these classes and this width.

    Raises:
        ConfigError: as the model's own config says by `check_sizes`, where it has one.
    """
    if check := getattr(spec.options, "check_sizes", None):
        check(len(spec.classes), spec.width)


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
