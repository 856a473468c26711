"""Layers that count by their scores: what `--layers auto` asks of a model."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from gensr.estimator.errors import ConfigError
from gensr.estimator.models.registry import MODELS


def by_scores(model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a model with layers that are scored by inner folds of each training part.

    Args:
        model: its name.
        options: plain settings.

    Raises:
        ConfigError: the model has no such setting.
    """
    own = {field.name for field in fields(MODELS[model].Config)}
    if "inputs" not in own:
        if options.get("layers", getattr(MODELS[model].Config(), "layers", "")) == "scored":
            return dict(options)  # the closed form's layers are scored, unless it is told otherwise
        or_name = ", or name them" if MODELS[model].reads_layers else ""
        raise ConfigError(f"{model} does not take layers by scores; drop --layers auto{or_name}")
    return {**options, "inputs": {**options.get("inputs", {}), "layers": "auto"}}
