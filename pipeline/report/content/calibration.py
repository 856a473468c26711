"""Whether a system's probabilities mean what they say: reliability, and risk against coverage.

Shapes: S seeds, n tested clips, C classes; m = S n answers.
"""

import numpy as np

from gensr.pipeline.report.content.data import Calibration, Floats, Missing
from gensr.pipeline.report.content.systems import System

BINS = 10
"""Of equal width, from 0 to 1."""
_LEAST = 1e-6
"""A probability of 0 counts as this: predictions.csv keeps six digits, and a loss is finite."""
_MOST_POINTS = 200
"""Of the curve: a line in a picture has no more."""


def calibration(system: System) -> Calibration | Missing:
    """How well the probabilities of a system fit its answers, over all seeds."""
    p = system.probabilities.reshape(-1, system.probabilities.shape[-1])  # (m, C)
    if not np.isfinite(p).all():
        return Missing("The predictions hold probabilities that are no numbers.")
    truth = np.tile(system.truth, len(system.runs))
    right = system.right.reshape(-1).astype(float)
    confidence = np.take_along_axis(p, system.predicted.reshape(-1, 1), 1)[:, 0]
    bins = _bins(confidence, right)
    ece = sum(n * abs(share - mean) for _, _, mean, share, n in bins) / len(right)
    brier = np.square(p - np.eye(p.shape[1])[truth]).sum(1).mean()
    loss = -np.log(np.maximum(p[np.arange(len(p)), truth], _LEAST)).mean()
    return Calibration(
        numbers=(
            ("ECE", f"{100 * ece:.1f}", f"points between confidence and accuracy, {BINS} bins"),
            ("Brier", f"{brier:.3f}", "squared error of the probabilities, 0 to 2"),
            ("log-loss", f"{loss:.3f}", f"nats; a probability of 0 counts as {_LEAST:g}"),
        ),
        bins=bins,
        curve=_curve(confidence, right),
    )


def _bins(confidence: Floats, right: Floats) -> tuple[tuple[float, float, float, float, int], ...]:
    where = np.minimum((confidence * BINS).astype(int), BINS - 1)
    found = []
    for number in np.unique(where):
        part = where == number
        ends = number / BINS, (number + 1) / BINS
        found.append((*ends, confidence[part].mean(), right[part].mean(), int(part.sum())))
    return tuple((float(a), float(b), float(c), float(d), n) for a, b, c, d, n in found)


def _curve(confidence: Floats, right: Floats) -> tuple[tuple[float, float, float], ...]:
    """The surest first; answers of one confidence are given, or refused, together."""
    order = np.argsort(-confidence, kind="stable")
    sure, risk = confidence[order], np.cumsum(1 - right[order]) / np.arange(1, len(order) + 1)
    last = np.flatnonzero(np.append(sure[1:] < sure[:-1], True))
    if len(last) > _MOST_POINTS:
        last = last[np.unique(np.linspace(0, len(last) - 1, _MOST_POINTS).round().astype(int))]
    return tuple((float((i + 1) / len(order)), float(risk[i]), float(sure[i])) for i in last)
