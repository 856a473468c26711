"""The numbers of a run: from its predictions and its protocol alone, and against N.

`score` needs no model and no store, so that predictions from anywhere can be scored by it. The
sweep over N (Table 3) and the mean trajectory (Fig. 1) go back to the models and the vectors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.metrics import Numbers
from gensr.estimator.models.model import Generative
from gensr.estimator.models.registry import MODELS
from gensr.features.card import rows_card
from gensr.features.store.where import Location, each
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.config import RunConfig
from gensr.pipeline.runs.dev import Temperature, temperatures
from gensr.pipeline.runs.lock import check_idle
from gensr.pipeline.runs.models import expected_of
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.breakdown import WorstSpeaker, recalls, worst_speaker
from gensr.pipeline.scoring.calibration import Calibration, calibration
from gensr.pipeline.scoring.counts import count
from gensr.pipeline.scoring.groups import Grouping, groupings
from gensr.pipeline.scoring.replay import MeanTrajectory, Replay
from gensr.pipeline.scoring.system import system_of

SWEEP = (1, 2, 4, 10, 20)
"""N of the paper's Table 3."""
_MADE_BY = ("options", "training", "layers", "seed", "encoder")
"""Settings of a run that are told with its numbers."""
PARTS = ("target", "mean", "variance", "codes")
"""Parts of the method that are told by name, beside the model."""
CALLED = {
    "accuracy": "WA",
    "uar": "UAR",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted-F1",
    "majority_baseline": "majority class",
}
"""Metrics as readers call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything `gensr eval` says of one run."""

    run: Path
    model: str
    protocol: Protocol
    numbers: Numbers
    """Over all tested clips, pooled."""
    folds: dict[str, dict[str, float]]
    """Per fold: n, accuracy, uar."""
    by_steps: dict[int, Numbers]
    """Per N; empty for a model without N."""
    config: RunConfig
    """What made the model."""
    sampler: str | None
    """What was asked of a model that has any."""
    trajectory: "MeanTrajectory | None"
    """Fig. 1, for a model that has one."""
    worst_speaker: WorstSpeaker | None
    """Of those with clips enough."""
    own: bool
    """Whether the numbers are of the run's own predictions, not of another sampler's."""
    joined: str
    """Which spellings of labels were made one class; empty where none were."""
    groups: list[Grouping]
    """Its numbers by class, speaker, gender, ..., where more than one is tested."""
    calibration: Calibration | None
    """What its probabilities are worth; None where there are none."""
    perturbed: str = ""
    """What was done to the clips learnt from before they were encoded; empty for nothing."""
    pictures: list[Path] = field(default_factory=list)

    def __repr__(self) -> str:
        told = ", ".join(" ".join(filter(None, row)) for row in self._rows()[:2])
        return f"Evaluation({str(self.run)!r}: {self.model}, {told}, n = {self.numbers.n})"

    def _repr_html_(self) -> str:
        numbers, about = self.numbers, self.protocol
        head = ["", "%", f"95 % over {numbers.clusters} {about.cluster}s"]
        title = f"{self.run}: {self.model}, {about.name}, {about.label}, n = {numbers.n}"
        by_class = [[one.name, f"{100 * one.recall:.1f}", str(one.n)] for one in recalls(numbers)]
        return rows_card(title, head, self._rows()) + rows_card(
            "recall by class", ["class", "%", "n"], by_class
        )

    def _rows(self) -> list[list[str]]:
        """Each number in per cent, and its interval."""
        rows = []
        for name, called in CALLED.items():
            span = self.numbers.intervals[name]
            told = f"[{100 * span[0]:.1f}, {100 * span[1]:.1f}]" if span else ""
            rows.append([called, f"{100 * self.numbers.values[name]:.1f}", told])
        return rows

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "run": str(self.run),
            "model": self.model,
            **parts_of(self.config.options),
            **self.numbers.as_json(),
            "protocol": {"hash": self.protocol.hash, **self.protocol.describe()},
            "recall": {one.name: one.recall for one in recalls(self.numbers)},
            "worst_speaker": asdict(self.worst_speaker) if self.worst_speaker else None,
            "groups": {one.by: one.as_json() for one in self.groups},
            "calibration": self.calibration.as_json() if self.calibration else None,
            "spellings_joined": self.joined,
            "perturbed": self.perturbed,
            "folds": self.folds,
            "over_folds": self.over_folds(),
            "by_steps": {str(N): result.as_json() for N, result in self.by_steps.items()},
            "options": {
                **{name: getattr(self.config, name) for name in _MADE_BY},
                "sampler": self.sampler,
                "split_seed": self.config.split_seed,
            },
            "pictures": [str(picture) for picture in self.pictures],
        }

    @property
    def split_seed(self) -> int:
        """Of the draws of hold-outs."""
        return self.config.split_seed

    def over_folds(self) -> dict[str, dict[str, float]]:
        """Mean and standard deviation over folds, beside the pooled numbers."""
        result = {}
        for name in ("accuracy", "uar"):
            values = [fold[name] for fold in self.folds.values()]
            sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            result[name] = {"mean": float(np.mean(values)), "sd": sd}
        return result


def parts_of(options: Mapping[str, Any]) -> dict[str, str | None]:
    """The names of the parts of the method in a model's options, None of one without that part.

    Runs of version 0.1.0, whose only schedules and codes were the paper's, name none of them.
    """
    usual = {"mean": "logistic", "variance": "bridge"} if {"k", "sigma"} & {*options} else {}
    usual |= {"target": "x0", "codes": "sinusoidal"} if usual else {}
    found = {name: options.get(name, usual.get(name)) for name in PARTS}
    return {
        name: one.get("name") if isinstance(one, Mapping) else one for name, one in found.items()
    }


def score(predictions: Sequence[Prediction], protocol: Protocol) -> Numbers:
    """The numbers of any predictions, given the protocol.

    Raises:
        RunError: a prediction for a clip that the protocol does not test in that fold, two for
            one clip, none for a clip of a fold that has others, another label than the
            protocol's, or a class that it does not know.
    """
    return count([predictions], protocol).numbers()


def evaluate(
    run: Run | Location,
    *,
    sampler: str | None = None,
    steps: Sequence[int] = SWEEP,
    stores: Location | Iterable[Location] | None = None,
    trajectory_of: str | None = None,
    by: Sequence[str] = (),
    reject_below: float | None = None,
    device: str = "auto",
    progress: Listener | None = None,
) -> Evaluation:
    """Score a run; a generative model also at every N of `steps`.

    Args:
        run: a finished run that tests something, or its folder.
        sampler: name of one, in place of the one it was trained to use.
        steps: N to sweep; empty for none.
        stores: where the vectors are now, if they were moved; one or several.
        trajectory_of: class whose mean way is drawn; default: the first that is tested.
        by: columns to tell the numbers by, beside the usual ones.
        reject_below: confidence below which a clip counts as refused, from 0 to 1.
        device: for the sweep.
        progress: told how far the sweep is.

    Raises:
        RunError: the run is unfinished, being trained, damaged, tests nothing, or does not fit
            the stores.
        ConfigError: `trajectory_of` is no tested class, `by` no column, `reject_below` no share.
    """
    run = Run.of(run)
    predictions = answered(run, trajectory_of=trajectory_of)
    fitted = temperatures(run)
    scored = score(predictions, run.protocol)
    groups, worth = _detail(run.protocol, predictions, fitted, by, reject_below)
    config, protocol = run.config, run.protocol
    by_steps: dict[int, Numbers] = {}
    trajectory = None
    used = own = config.options.get("sampler")  # a generative model need not have any
    expected_of(run)  # what other packages brought is still here
    if issubclass(MODELS[config.model], Generative):
        used = sampler or own
        listener = progress or Silent()
        with Replay(run, stores, device) as replay:
            listener.stage("sampling", sum(steps))
            for N in steps:
                by_steps[N] = score(replay.predictions(sampler=used, N=N), protocol)
                listener.advance(N)
            trajectory = replay.trajectory(used, of=trajectory_of)
            if used != own:
                predictions = replay.predictions(sampler=used)
                # No temperature: it is of what the run's own sampler answers.
                groups, worth = _detail(protocol, predictions, {}, by, reject_below)
                scored = score(predictions, protocol)
    return Evaluation(
        run=run.folder,
        model=config.model,
        protocol=protocol,
        numbers=scored,
        folds={
            name: _fold_numbers(predictions, protocol, name)
            for name in config.folds
            if name in _tested(protocol)
        },
        by_steps=by_steps,
        config=config,
        sampler=used,
        trajectory=trajectory,
        worst_speaker=worst_speaker(predictions, protocol),
        own=used == own,
        joined=run.joined,
        groups=groups,
        calibration=worth,
        perturbed=run.manifest.perturbed,
    )


def _detail(
    protocol: Protocol,
    predictions: Sequence[Prediction],
    fitted: Mapping[str, Temperature],
    by: Sequence[str],
    reject_below: float | None,
) -> tuple[list[Grouping], Calibration | None]:
    """Whom a run serves worse, and what its probabilities are worth."""
    found = system_of(protocol, [predictions])
    return groupings(found, by), calibration(found, [fitted], reject_below=reject_below)


def evaluate_all(
    runs: Iterable[Run | Location], *, trajectory_of: str | None = None, **options: Any
) -> list[Evaluation]:
    """Score runs, none before all were found fit for it.

    Args:
        runs: which, or their folders.
        trajectory_of: see `evaluate`.
        options: of `evaluate`.

    Raises:
        RunError, ConfigError: see `evaluate`.
    """
    found = [Run.of(run) for run in each(runs)]
    for run in found:
        answered(run, trajectory_of=trajectory_of)
    return [evaluate(run, trajectory_of=trajectory_of, **options) for run in found]


def answered(run: Run, *, trajectory_of: str | None = None) -> list[Prediction]:
    """The predictions of a run that can be evaluated; what cannot is refused before any work.

    Raises:
        RunError: see `evaluate`.
        ConfigError: `trajectory_of` is no class.
    """
    check_idle(run.folder)
    config, protocol = run.config, run.protocol
    if config.deployed:
        raise RunError(
            f"{run.folder} learnt from every clip, never tested: nothing is left to test; "
            "train without --fold none to evaluate"
        )
    if trajectory_of is not None and trajectory_of not in protocol.classes:
        raise ConfigError(
            f"{run.folder} has no class {trajectory_of!r}; it has {', '.join(protocol.classes)}"
        )
    predictions = run.predictions()
    lacking = {*config.folds} & {*_tested(protocol)} - {given.fold for given in predictions}
    if lacking:
        raise RunError(
            f"{run.folder}: its predictions.csv has none of fold {', '.join(sorted(lacking))}; "
            "train again"
        )
    return predictions


def _tested(protocol: Protocol) -> list[str]:
    return [fold.name for fold in protocol.folds if len(fold.test)]


def _fold_numbers(
    predictions: Sequence[Prediction], protocol: Protocol, name: str
) -> dict[str, float]:
    found = score([given for given in predictions if given.fold == name], protocol)
    return {"n": found.n, "accuracy": found.values["accuracy"], "uar": found.values["uar"]}
