"""What a run knows of its development parts: answers of models that never learnt from them.

folds/K/dev_predictions.csv   of one fold, its hash in folds/K/config.json
dev_predictions.csv           of all folds; `fold` is whose model answers, a clip may be in several
calibration.json              per fold the temperature and doubt that were fitted on its part alone

A run without them has been trained without `--calibrate` (or `--choose`), by a model that
tells nothing on the way, by an earlier version, or by a protocol without development parts.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gensr.estimator.calibration import fit_temperature
from gensr.estimator.errors import RunError
from gensr.estimator.files import read_whole
from gensr.pipeline.runs import kinds
from gensr.pipeline.runs.files import MOST, check_hash, plain_bytes, plain_of, read_plain
from gensr.pipeline.runs.predictions import Prediction, from_csv, to_csv
from gensr.pipeline.runs.run import Run

DEV = "dev_predictions.csv"
"""Answers of development parts, in the run and in each fold's folder."""
DEV_HASH = "dev_predictions_sha256"
"""What a fold's config calls the hash of its answers."""
CALIBRATION = "calibration.json"
"""The temperatures."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """What the probabilities of one fold's model are calibrated by."""

    temperature: float
    """Divides their logarithms: above 1 where the model was too sure, below where it was not sure
    enough."""
    clips: int
    """Of the development part that it was fitted on."""
    doubt: float = 0.0
    """Share of answers that know nothing, however sure: so much of one for all is mixed in. Runs
    of before 2026-11-28 have none."""


def dev_of_fold(run: Run, name: str) -> list[Prediction]:
    """What is kept of the development part of a fold that is done; none where nothing is.

    Raises:
        RunError: it is missing, or was changed.
    """
    folder = run.fold(name)
    known = read_plain(folder / "config.json").get(DEV_HASH)
    if known is None:
        return []
    path = folder / DEV
    try:
        data = read_whole(path, MOST)
    except FileNotFoundError:
        raise RunError(
            f"{path} is missing; remove {folder}, and --resume trains its fold again"
        ) from None
    check_hash(path, data, str(known))
    return from_csv(data)


def beside_predictions(
    run: Run, classes: Sequence[str], dev: Sequence[Prediction]
) -> dict[str, bytes]:
    """The files that are kept beside `predictions.csv`, by name; none where nothing is known."""
    if not dev:
        return {}
    fitted = {name: asdict(each) for name, each in fitted_on(dev, classes).items()}
    about = {"run": run.identity, "folds": fitted}
    return {DEV: to_csv(classes, dev), CALIBRATION: plain_bytes(about)}


def dev_predictions(run: Run) -> list[Prediction]:
    """The answers of all development parts; none where the run kept none.

    Raises:
        RunError: they are missing, damaged, or not this run's.
    """
    data = run.sealed(DEV)
    if data is None:
        return []
    try:
        return from_csv(data)
    except (ValueError, IndexError, csv.Error) as error:
        raise RunError(f"{run.folder / DEV} is damaged ({error}); train again") from error


def temperatures(run: Run) -> dict[str, Temperature]:
    """The temperature of each fold's model; none where the run kept none.

    Raises:
        RunError: they are missing, damaged, or not this run's.
    """
    path = run.folder / CALIBRATION
    data = run.sealed(CALIBRATION)
    if data is None:
        return {}
    folds = plain_of(path, data).get("folds")
    if not isinstance(folds, dict) or not all(map(_fitted, folds.values())):
        raise RunError(f"{path} cannot be read (it lacks the folds' temperatures); train again")
    return {
        name: Temperature(each["temperature"], each["clips"], each.get("doubt", 0.0))
        for name, each in folds.items()
    }


def told_temperatures(fitted: Iterable[Temperature]) -> str:
    """Several in words: `0.57 to 0.80, doubt 0.000 to 0.021`."""
    told = []
    for values, digits in zip(
        zip(*((e.temperature, e.doubt) for e in fitted), strict=True), (2, 3), strict=True
    ):
        ends = [f"{value:.{digits}f}" for value in (min(values), max(values))]
        told.append(" to ".join(ends if len(values) > 1 else ends[:1]))
    return ", doubt ".join(told)


def fitted_on(dev: Sequence[Prediction], classes: Sequence[str]) -> Mapping[str, Temperature]:
    """The temperature of each fold, by its own development part.

    Args:
        dev: answers of development parts, of one or more folds.
        classes: names of the classes, in the order of the probabilities.

    Raises:
        RunError: a label that is no class, or another number of probabilities.
    """
    index = {name: i for i, name in enumerate(classes)}
    parts: dict[str, list[Prediction]] = {}
    for given in dev:
        if given.label not in index or len(given.probabilities) != len(classes):
            raise RunError(
                f"{DEV} does not fit the run: {given.path}, fold {given.fold}, label "
                f"{given.label!r}, {len(given.probabilities)} probabilities of {len(classes)}"
            )
        parts.setdefault(given.fold, []).append(given)
    found = {}
    for name, part in parts.items():
        p = np.array([given.probabilities for given in part])
        T, doubt = fit_temperature(p, np.array([index[given.label] for given in part]))
        found[name] = Temperature(temperature=T, clips=len(part), doubt=doubt)
    return found


def _fitted(value: Any) -> bool:
    return (
        kinds.table(value)
        and kinds.length(value.get("temperature"))
        and kinds.whole(value.get("clips"))
        and kinds.share(value.get("doubt", 0.0))
    )
