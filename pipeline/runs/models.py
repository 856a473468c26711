"""The models of a run, each held to what the run asked for before it answers anything."""

import re

import torch
from safetensors import SafetensorError, safe_open

from gensr.estimator.errors import GensrError, RunError, one_line
from gensr.estimator.learner import Learner
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.saved import Expected, load_model, spec_from_plain
from gensr.estimator.models.spec import ModelSpec
from gensr.pipeline.runs.lock import check_idle
from gensr.pipeline.runs.run import Run


def expected_of(run: Run) -> Expected:
    """What every fold's model of a run must be.

    Raises:
        RunError: the run's config describes no model, or one whose package is not here.
    """
    config = run.config
    plain = {
        "model": config.model,
        "classes": run.protocol.classes,
        "layers": config.layers,
        "width": config.width,
        "options": config.options,
    }
    try:
        spec = spec_from_plain(plain, "options")
    except RunError:
        raise
    except (GensrError, LookupError, TypeError, ValueError) as error:
        brought = "; ".join(f"{what} of {by}" for what, by in run.manifest.packages.items())
        if brought:
            raise RunError(
                f"{run.folder} needs what other packages brought ({brought}): install or add them "
                f"here ({error})"
            ) from error
        path = run.folder / "config.json"
        raise RunError(f"{path} cannot be read ({error}); train again") from error
    return Expected(run=run.identity, spec=spec)


_SCORES = re.compile(r"layers|.*\.scores")
"""What models call their scores of the layers: the closed form's, and a network's inputs'."""


def layer_scores(run: Run) -> dict[str, float]:
    """How much each layer of a finished run counts, the mean over its folds and their members.

    Returns:
        By name, summing to one; empty where no inner folds have scored them.

    Raises:
        RunError: a model is damaged.
    """
    found = []
    for fold in run.config.folds:
        path = run.fold(fold) / "model.safetensors"
        try:
            with safe_open(path, "pt") as weights:
                named = [name for name in weights.keys() if _SCORES.fullmatch(name)]  # noqa: SIM118
                found += [weights.get_tensor(name) for name in named]
        except (OSError, SafetensorError) as error:
            raise RunError(f"{path} cannot be read ({one_line(error)}); train again") from error
    found = [each for each in found if each.shape == (len(run.config.layers),)]
    if not found:
        return {}
    return dict(zip(run.config.layers, torch.stack(found).mean(0).tolist(), strict=True))


def load_fold(
    run: Run, name: str, device: torch.device | None = None
) -> tuple[Classifier, ModelSpec]:
    """The model of one fold.

    Raises:
        RunError: it is missing, damaged, or of another run.
    """
    if name not in [fold.name for fold in run.protocol.folds]:
        path = run.folder / "config.json"
        raise RunError(f"{path} cannot be read (its protocol has no fold {name!r}); train again")
    model, spec = load_model(run.fold(name), device, expected=expected_of(run))
    if isinstance(model, Learner):
        model.precision = str((run.config.training or {}).get("precision", model.precision))
    return model, spec


def load_deployed(run: Run, device: torch.device) -> tuple[Classifier, ModelSpec]:
    """The one model of a run that learnt from every clip.

    Raises:
        RunError: the run is unfinished, being trained, damaged, or was made to be evaluated.
    """
    check_idle(run.folder)
    if not run.config.deployed:
        folds = len(run.config.folds)
        raise RunError(
            f"{run.folder} was trained to be evaluated: {folds} model{'s' * (folds > 1)}, each "
            "with speakers left out; train with --fold none for one model that learns from all"
        )
    run.predictions()  # an unfinished training has none
    return load_fold(run, "all", device)
