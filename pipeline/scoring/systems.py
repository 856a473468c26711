"""What stands as one row in a table of results: a run, runs of several seeds, or foreign answers.

All of them are predictions and a protocol; whoever compares asks no more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gensr.estimator.errors import RunError
from gensr.estimator.files import why
from gensr.estimator.metrics import METRICS
from gensr.estimator.variance import Components, Spread, components, spread
from gensr.features.store.where import Location, local
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.files import check_hash, read_plain
from gensr.pipeline.runs.run import Run
from gensr.pipeline.runs.sets import runs_of
from gensr.pipeline.scoring.answered import Answered, count
from gensr.pipeline.scoring.evaluate import answered
from gensr.pipeline.scoring.evaluation import Evaluation
from gensr.pipeline.training.enrolment import note_of

ANSWERS = "numbers.json"
"""In a folder of foreign answers: what they are of, beside their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system that was tested."""

    place: Path
    """Its folder."""
    name: str
    """As tables call it."""
    runs: tuple[Run, ...] = ()
    """Of each of its seeds; none of foreign answers."""
    folds: tuple[str, ...]
    """Names of the folds that were tested."""
    split_seed: int | None
    """Of the draws of hold-outs; None where nobody says."""
    seeds: tuple[int, ...]
    """Of its trainings; empty for foreign answers, which name none."""
    perturbations: tuple[str, ...] | None = None
    """What was done to its clips; None where nobody says."""
    enrol_clips: int | None = None
    """By how many clips speakers were enrolled; None where nobody says."""
    answers: Answered = field(repr=False)
    """What it answered."""
    notes: tuple[str, ...] = ()
    """What a reader of its numbers must know."""

    @property
    def protocol(self) -> Protocol:
        """The question."""
        return self.answers.protocol

    def spreads(self, metric: str) -> dict[str, Spread]:
        """Mean and standard deviation over folds (of means over seeds), and over seeds."""
        value = METRICS[metric]
        per_fold = self.answers.matrices(self.answers.folds.tolist())  # (R, F, C, C)
        return {
            "folds": spread(value(per_fold).mean(0).tolist()),
            "seeds": spread(value(per_fold.sum(1)).tolist()),
        }

    def variance(self) -> Components:
        """Standard deviations of accuracy by seeds, folds and clusters."""
        accuracy = METRICS["accuracy"](self.answers.matrices())  # (R, S)
        of: dict[str, set[str]] = {}
        pairs = zip(self.answers.clusters.tolist(), self.answers.folds.tolist(), strict=True)
        for name, fold in pairs:
            of.setdefault(name, set()).add(fold)
        one_each = all(len(folds) == 1 for folds in of.values())
        return components(accuracy, [min(of[name]) for name in sorted(of)] if one_each else None)


def systems_of(places: Sequence[Run | Location]) -> list[System]:
    """Open every system; none with the name of another.

    Raises:
        RunError: one cannot be read, was not tested, or is unfinished.
    """
    found = [system_of(place) for place in places]
    names = [one.name for one in found]
    return [one if names.count(one.name) == 1 else _by_path(one) for one in found]


def system_of(place: Run | Location) -> System:
    """A run, a set of runs, or the folder that `gensr score` wrote.

    Raises:
        RunError: it is none of them, was not tested, or is unfinished.
    """
    folder = place.folder if isinstance(place, Run) else local(place)
    if not isinstance(place, Run) and is_foreign(folder):
        return _foreign(folder)
    runs = runs_of(place)
    first = runs[0]
    tested = {fold.name for fold in first.protocol.folds if len(fold.test)}
    answers = count([answered(run) for run in runs], first.protocol)
    return System(
        place=folder,
        name=folder.resolve().name,
        runs=runs,
        folds=tuple(name for name in first.config.folds if name in tested),
        split_seed=first.config.split_seed,
        seeds=tuple(run.config.seed for run in runs),
        perturbations=first.manifest.perturbations,
        enrol_clips=first.config.enrol_clips,
        answers=answers,
        notes=tuple(dict.fromkeys(note for run in runs for note in _notes(run))),
    )


def _notes(run: Run) -> Iterator[str]:
    """What a reader of a run's numbers must know, beside what its protocol says."""
    yield from filter(None, (run.manifest.perturbed, note_of(run.config.enrol_clips), run.joined))


def is_foreign(folder: Path) -> bool:
    """Whether a folder is one that `gensr score` wrote: answers and their question, no run.

    Raises:
        RunError: nobody may look.
    """
    try:
        there = {name: (folder / name).is_file() for name in ("config.json", "protocol.json")}
        return (
            there["protocol.json"]
            and not there["config.json"]
            and (folder / ANSWERS).is_file()
            and "answers" in read_plain(folder / ANSWERS)
        )
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {why(error)}") from error


def _foreign(folder: Path) -> System:
    run, about = Run(folder), read_plain(folder / ANSWERS)
    protocol, told = run.protocol, _told(about, folder)
    _check_written(folder, about)
    answers = count([run.predictions()], protocol, blank=True)
    scored = set(answers.folds.tolist())
    blank = int((answers.predicted == len(protocol.classes)).sum())
    notes = [f"{told['system']}: {blank} of {answers.predicted.size} not answered, counted wrong"]
    return System(
        place=folder,
        name=str(told["system"]),
        folds=tuple(fold.name for fold in protocol.folds if fold.name in scored),
        split_seed=None,
        seeds=(),
        answers=answers,
        notes=tuple(notes if blank else ()),
    )


def _check_written(folder: Path, about: dict[str, Any]) -> None:
    """Refuse answers that are not those which `gensr score` wrote; before 0.2 it said no hash."""
    path = folder / "predictions.csv"
    if (known := about.get("sha256")) is not None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise RunError(f"{path} cannot be read: {why(error)}") from error
        check_hash(path, data, str(known))


def _told(about: dict[str, Any], folder: Path) -> dict[str, Any]:
    if not isinstance(about.get("system"), str) or not about["system"]:
        raise RunError(
            f"{folder / ANSWERS} names no system; `gensr score` with --overwrite writes it again"
        )
    return about


def system_told(found: Evaluation, name: str) -> System:
    """What an evaluation told of, as a row of a table: its answers, by whatever sampler."""
    return System(
        place=found.run,
        name=name,
        folds=tuple(found.folds),
        split_seed=found.split_seed,
        seeds=found.seeds,
        perturbations=found.perturbations,
        enrol_clips=found.enrol_clips,
        answers=found.answers,
    )


def _by_path(one: System) -> System:
    return replace(one, name=str(one.place))
