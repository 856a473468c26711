"""A trained model in a folder: what it is in `config.json`, its weights in `model.safetensors`.

`config.json` holds the SHA-256 of the weights and the identity of the run that they belong to,
so that damage, an exchange, or a model of another training is noticed before it answers.
Models of version 0.1.0 have neither; they are held to the settings of their run alone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from gensr.estimator.config import from_plain, to_plain
from gensr.estimator.errors import ConfigError, RunError, one_line
from gensr.estimator.files import make_folder, read_whole, write_whole
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.spec import ModelSpec, build

WIDEST = 2**20
"""Bound on the width of a layer: a number beyond it is damage, not an encoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a model in a run's folder must be."""

    run: str | None
    """Identity of the run; None for a run of version 0.1.0."""
    spec: ModelSpec
    """What the run asked for."""


def save_model(
    folder: Path,
    model: Classifier,
    spec: ModelSpec,
    run: str | None = None,
    beside: Mapping[str, str] | None = None,
) -> None:
    """Write `config.json` and `model.safetensors`; the weights last, by rename.

    Args:
        folder: made where it is not there.
        model: trained.
        spec: what it takes to build it again.
        run: identity of the run that it belongs to.
        beside: what else is noted with it: the hash of a file that was written before it, say.

    Raises:
        RunError: there is no room, or no permission.
    """
    make_folder(folder)
    weights = save({name: w.contiguous().cpu() for name, w in model.weights().items()})
    about = {
        **to_plain(spec),
        **({"run": run} if run else {}),
        "model_sha256": hashlib.sha256(weights).hexdigest(),
        **(beside or {}),
    }
    write_whole(folder / "config.json", (json.dumps(about, indent=2) + "\n").encode())
    write_whole(folder / "model.safetensors", weights)


def load_model(
    folder: Path, device: torch.device | None = None, *, expected: Expected | None = None
) -> tuple[Classifier, ModelSpec]:
    """Read what `save_model` wrote.

    Args:
        folder: of one model.
        device: to answer on; None is the CPU.
        expected: what it must be, where the run is known.

    Raises:
        RunError: files missing, damaged, that do not fit each other, or of another run.
    """
    try:
        plain = json.loads(read_whole(folder / "config.json", 2**24))
        spec = spec_from_plain(plain, str(folder))
        if expected is not None:
            _check_owner(folder, plain, spec, expected)
        weights = read_whole(folder / "model.safetensors")
        known = plain.get("model_sha256")
        if known is not None and hashlib.sha256(weights).hexdigest() != known:
            raise ValueError("model.safetensors was damaged or exchanged: its SHA-256 is another")
        model = build(spec)
        model.restore(load(weights))
    except FileNotFoundError as error:
        raise RunError(f"{folder}: {error.filename or error} is missing; train again") from error
    except (
        ConfigError,
        LookupError,
        RecursionError,
        RuntimeError,
        SafetensorError,
        TypeError,
        ValueError,
    ) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(
            f"{folder}: the model cannot be read ({one_line(error)}); train again"
        ) from error
    model.place(device or torch.device("cpu"))
    return model, spec


def spec_from_plain(plain: Any, where: str) -> ModelSpec:
    """A model's spec from plain values.

    Raises:
        LookupError, TypeError, ValueError: they are not those of a spec.
    """
    if not isinstance(plain, Mapping):
        raise TypeError("it is no JSON object")
    name, width = plain["model"], plain["width"]
    if not isinstance(name, str) or name not in MODELS:
        raise ValueError(f"no model {name!r}")
    if type(width) is not int or not 0 < width <= WIDEST:
        raise ValueError(f"no width of vectors: {width!r}")
    lists = {}
    for key in ("classes", "layers"):
        lists[key] = plain[key]
        if not isinstance(lists[key], list | tuple) or not lists[key]:
            raise TypeError(f"{key} is no list of names")
        if not all(isinstance(value, str) for value in lists[key]):
            raise TypeError(f"{key} is no list of names")
    return ModelSpec(
        model=name,
        classes=tuple(lists["classes"]),
        layers=tuple(lists["layers"]),
        width=width,
        options=from_plain(MODELS[name].Config, plain["options"], where),
    )


def _check_owner(
    folder: Path, plain: Mapping[str, Any], spec: ModelSpec, expected: Expected
) -> None:
    """Refuse a model of another run, naming the first difference."""
    pairs = {
        field.name: (getattr(spec, field.name), getattr(expected.spec, field.name))
        for field in fields(ModelSpec)
    }
    pairs["run"] = (plain.get("run"), expected.run)
    for key, (found, wanted) in pairs.items():
        if found != wanted:
            raise RunError(
                f"{folder} holds a model that is not this run's: {key} is {found}, expected "
                f"{wanted}; train again, or remove {folder} and go on with --resume"
            )
    if expected.run is not None and "model_sha256" not in plain:
        raise RunError(f"{folder / 'config.json'} has lost the hash of its model; train again")
