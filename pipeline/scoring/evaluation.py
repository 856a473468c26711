"""The numbers of one run, or of the runs of several seeds, as they are told.

Everything follows from answers (answered.py): of several seeds every number is the mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gensr.estimator.metrics import Numbers
from gensr.features.card import rows_card
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.config import RunConfig
from gensr.pipeline.runs.dev import Temperature
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.answered import Answered, together
from gensr.pipeline.scoring.breakdown import WorstSpeaker, recalls, worst_speaker
from gensr.pipeline.scoring.calibration import Calibration, calibration, check_confidence
from gensr.pipeline.scoring.groups import Grouping, groupings
from gensr.pipeline.scoring.replay import MeanTrajectory

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
    """Its folder; of several seeds that of the set."""
    model: str
    protocol: Protocol
    answers: Answered = field(repr=False)
    """What all its numbers are of."""
    swept: dict[int, Answered] = field(default_factory=dict, repr=False)
    """The same per N; empty for a model without N."""
    numbers: Numbers
    """Over all tested clips, pooled."""
    folds: dict[str, dict[str, float]]
    """Per fold: n, accuracy, uar."""
    by_steps: dict[int, Numbers]
    """Per N; empty for a model without N."""
    config: RunConfig
    """What made the model; of several seeds, the first one's."""
    seeds: tuple[int, ...]
    """Of its trainings."""
    temperatures: tuple[Mapping[str, Temperature], ...] = field(default=(), repr=False)
    """Of each seed, by fold; empty where nothing was kept."""
    sampler: str | None
    """What was asked of a model that has any."""
    trajectory: MeanTrajectory | None
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
    """What was done to the clips of each store before they were encoded; empty for nothing."""
    perturbations: tuple[str, ...] = ()
    """The same without the stores, each once."""
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
            "enrol_clips": self.enrol_clips,
            "folds": self.folds,
            "over_folds": self.over_folds(),
            "by_steps": {str(N): result.as_json() for N, result in self.by_steps.items()},
            **({"seeds": list(self.seeds)} if len(self.seeds) > 1 else {}),
            "options": {
                **{name: getattr(self.config, name) for name in _MADE_BY},
                "sampler": self.sampler,
                "split_seed": self.config.split_seed,
            },
            "pictures": [str(picture) for picture in self.pictures],
        }

    @property
    def place(self) -> Path:
        """Its folder, as of any system."""
        return self.run

    @property
    def enrol_clips(self) -> int:
        """By how many clips of theirs speakers were enrolled."""
        return self.config.enrol_clips

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


def check_asked(answers: Answered, by: Sequence[str], reject_below: float | None) -> None:
    """Refuse what cannot be told of answers, before models are asked again.

    Raises:
        ConfigError: `by` is no column, `reject_below` no share.
    """
    check_confidence(reject_below)
    if by:
        groupings(answers, by)


def evaluation(
    run: Run,
    answers: Answered,
    swept: Mapping[int, Answered],
    temperatures: Sequence[Mapping[str, Temperature]],
    *,
    sampler: str | None,
    own: bool,
    trajectory: MeanTrajectory | None,
    by: Sequence[str] = (),
    reject_below: float | None = None,
) -> Evaluation:
    """What there is to tell of answers.

    Args:
        run: that gave them.
        answers: to its question.
        swept: the same per N.
        temperatures: of each seed, by fold.
        sampler: that was asked, of a model that has any.
        own: whether it is the run's own.
        trajectory: Fig. 1, where the model has one.
        by: columns to tell the numbers by, beside the usual ones.
        reject_below: confidence below which a clip counts as refused, from 0 to 1.

    Raises:
        ConfigError: `by` is no column, `reject_below` no share.
    """
    config, protocol = run.config, run.protocol
    tested = [fold.name for fold in protocol.folds if len(fold.test)]
    return Evaluation(
        run=run.folder,
        model=config.model,
        protocol=protocol,
        answers=answers,
        swept=dict(swept),
        numbers=answers.numbers(),
        folds={name: _of_fold(answers, name) for name in config.folds if name in tested},
        by_steps={N: each.numbers() for N, each in swept.items()},
        config=config,
        seeds=(config.seed,),
        temperatures=tuple(temperatures),
        sampler=sampler,
        trajectory=trajectory,
        worst_speaker=worst_speaker(answers),
        own=own,
        joined=run.joined,
        groups=groupings(answers, by),
        calibration=calibration(answers, temperatures, reject_below=reject_below),
        perturbed=run.manifest.perturbed,
        perturbations=run.manifest.perturbations,
    )


def of_seeds(
    place: Path,
    found: Sequence[Evaluation],
    *,
    by: Sequence[str] = (),
    reject_below: float | None = None,
) -> Evaluation:
    """The runs of a set as one system: every number a mean over the seeds.

    Args:
        place: the set's folder.
        found: of each of its runs.
        by: as in `evaluation`.
        reject_below: as in `evaluation`.

    Raises:
        RunError: they answered other clips.
        ConfigError: as `evaluation`.
    """
    first = found[0]
    answers = together([one.answers for one in found])
    swept = {N: together([one.swept[N] for one in found]) for N in first.swept}
    fitted = [temperatures for one in found for temperatures in one.temperatures]
    return replace(
        first,
        run=place,
        answers=answers,
        swept=swept,
        numbers=answers.numbers(),
        folds={name: _of_fold(answers, name) for name in first.folds},
        by_steps={N: each.numbers() for N, each in swept.items()},
        seeds=tuple(seed for one in found for seed in one.seeds),
        temperatures=tuple(fitted),
        trajectory=None,
        worst_speaker=worst_speaker(answers),
        groups=groupings(answers, by),
        calibration=calibration(answers, fitted, reject_below=reject_below),
        pictures=[],
    )


def _of_fold(answers: Answered, name: str) -> dict[str, float]:
    found = answers.of(answers.folds == name).numbers()
    return {"n": found.n, "accuracy": found.values["accuracy"], "uar": found.values["uar"]}
