"""What does a doubt beside the temperature bring? Asked of development parts alone.

Each fold's fit is asked of the next fold's development part, the answers of another model: ECE and
log-loss as answered, by a temperature alone, and by temperature and doubt (docs/calibration.md).
Means over the seeds of a set of runs that were trained with `--calibrate`.

    python benchmarks/doubt.py runs/emodb runs/ravdess
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.calibration import (
    ece,
    equal_width,
    fit_temperature,
    floored,
    log_losses,
    temperature_of_scores,
    with_temperature,
)
from gensr.pipeline.runs.dev import dev_predictions
from gensr.pipeline.runs.run import Run
from gensr.pipeline.runs.sets import runs_of

Part = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Probabilities (n, C) and classes (n,) of a fold's development part."""
WAYS: dict[str, Callable[[NDArray[np.float64], NDArray[np.int64]], tuple[float, float]]] = {
    "as answered": lambda p, y: (1.0, 0.0),
    "temperature": lambda p, y: (temperature_of_scores(np.log(floored(p)), y), 0.0),
    "temperature and doubt": fit_temperature,
}


def parts(run: Run) -> list[Part]:
    """Of each fold, in the order of their names."""
    classes, given = list(run.protocol.classes), dev_predictions(run)
    if not given:
        raise SystemExit(f"{run.folder}: no dev scores; train it with --calibrate")
    found = []
    for fold in sorted({one.fold for one in given}):
        some = [one for one in given if one.fold == fold]
        p = np.array([one.probabilities for one in some])
        found.append((p, np.array([classes.index(one.label) for one in some])))
    return found


def asked(run: Run, way: str) -> tuple[float, float]:
    """ECE and log-loss of all development parts, each by the fit of the fold before."""
    folds = parts(run)
    fitted = [WAYS[way](p, y) for p, y in folds]
    scaled = [
        with_temperature(p, *fit)
        for (p, _), fit in zip(folds, fitted[-1:] + fitted[:-1], strict=True)
    ]
    p, y = np.concatenate(scaled), np.concatenate([y for _, y in folds])
    sure, right = p.max(-1), p.argmax(-1) == y
    return ece(sure, right, equal_width()), float(log_losses(p, y).mean())


def main(folders: list[Path]) -> None:
    """Print a row for each set and way."""
    print("| runs | probabilities | ECE | log-loss |\n|---|---|---|---|")
    for folder in folders:
        for way in WAYS:
            found = np.mean([asked(run, way) for run in runs_of(folder)], axis=0)
            print(f"| {folder} | {way} | {found[0]:.3f} | {found[1]:.3f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    main(parser.parse_args().runs)
