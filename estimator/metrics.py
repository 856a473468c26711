"""The numbers of the field, each from a confusion matrix, each with an interval over speakers.

WA is accuracy; UA is UAR, the unweighted average recall. Every number is a function of the
confusion matrix, rows truth and columns prediction, so that it can be taken again without one
speaker at no cost.

Intervals are over clusters (speakers; dialogues in MELD), not clips: clips of one speaker are
not independent. `intervals.py` makes them; below four clusters there is none.

Shapes: C classes, S clusters; `...` any leading axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError, one_line
from gensr.estimator.intervals import Matrix, Metric, interval
from gensr.estimator.registry import Registry

_SLACK = 1e-9
"""What rounding may add."""


def confusion(truth: Sequence[int], predicted: Sequence[int], n_classes: int) -> Matrix:
    """Counts (C, C), rows truth, columns prediction."""
    matrix = np.zeros((n_classes, n_classes))
    np.add.at(matrix, (np.asarray(truth, int), np.asarray(predicted, int)), 1)
    return matrix


def over_classes(metric: Metric) -> Metric:
    """Mark a metric that is a mean over classes, where a clip of a rare class weighs more.

    Its interval then counts clips as `intervals.py` says.
    """
    metric.over_classes = True  # type: ignore[attr-defined]
    return metric


def is_over_classes(metric: Metric) -> bool:
    """Whether a metric is a mean over classes."""
    return getattr(metric, "over_classes", False)


def accuracy(matrix: Matrix) -> NDArray[np.float64]:
    """Share of clips answered right (WA). (..., C, C) -> (...)."""
    return _ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum((-2, -1)))


@over_classes
def uar(matrix: Matrix) -> NDArray[np.float64]:
    """Unweighted average recall (UA), over the classes that occur in the truth."""
    return _mean_over(_recall(matrix), _support(matrix) > 0)


@over_classes
def macro_f1(matrix: Matrix) -> NDArray[np.float64]:
    """Mean F1 over the classes that occur in the truth or the predictions."""
    return _mean_over(_f1(matrix), _support(matrix) + matrix.sum(-2) > 0)


def weighted_f1(matrix: Matrix) -> NDArray[np.float64]:
    """F1 per class, weighted by how often the class occurs in the truth."""
    support = _support(matrix)
    return _ratio((_f1(matrix) * support).sum(-1), support.sum(-1))


def majority_baseline(matrix: Matrix) -> NDArray[np.float64]:
    """Accuracy of always answering the commonest class of the tested clips."""
    support = _support(matrix)
    return _ratio(support.max(-1), support.sum(-1))


METRICS: Registry[Metric] = Registry(
    "metric",
    "gensr.metrics",
    None,
    {
        name: f"gensr.estimator.metrics:{name}"
        for name in ("accuracy", "uar", "macro_f1", "weighted_f1", "majority_baseline")
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Every metric of one set of predictions."""

    n: int
    """Clips tested."""
    classes: tuple[str, ...]
    """Names of the classes, in the order of the matrix."""
    values: dict[str, float]
    """Metric name to value in [0, 1]."""
    intervals: dict[str, tuple[float, float] | None]
    """Metric name to a 95 % interval over clusters; None where there are too few."""
    clusters: int
    """Speakers or dialogues tested."""
    confusion: tuple[tuple[int, ...], ...]
    """(C, C) counts, rows truth."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`, metrics at the top."""
        return {
            **self.values,
            "n": self.n,
            "classes": list(self.classes),
            "intervals": {k: list(v) if v else None for k, v in self.intervals.items()},
            "clusters": self.clusters,
            "confusion": [list(row) for row in self.confusion],
        }


def numbers(
    truth: Sequence[int],
    predicted: Sequence[int],
    clusters: Sequence[str],
    classes: Sequence[str],
) -> Numbers:
    """Every metric, with its interval over clusters.

    Args:
        truth: class index per clip.
        predicted: class index per clip.
        clusters: speaker (or dialogue) per clip.
        classes: names, C of them.

    Raises:
        ConfigError: no clip, lengths that differ, or a metric of another package that gives no
            number in [0, 1].
    """
    if not len(truth) or not len(truth) == len(predicted) == len(clusters):
        raise ConfigError(
            f"cannot score {len(truth)} labels, {len(predicted)} predictions, "
            f"{len(clusters)} clusters: they must be as many, and at least one"
        )
    names, index = np.unique(np.asarray(clusters, str), return_inverse=True)
    per_cluster = np.zeros((len(names), len(classes), len(classes)))
    np.add.at(per_cluster, (index, np.asarray(truth, int), np.asarray(predicted, int)), 1)
    whole = per_cluster.sum(0)
    metrics = {name: METRICS[name] for name in METRICS}
    return Numbers(
        n=len(truth),
        classes=tuple(classes),
        values={name: _value(name, metric, whole) for name, metric in metrics.items()},
        intervals={
            name: interval(metric, per_cluster, by_class=is_over_classes(metric))
            for name, metric in metrics.items()
        },
        clusters=len(names),
        confusion=tuple(tuple(int(v) for v in row) for row in whole),
    )


def _value(name: str, metric: Metric, matrix: Matrix) -> float:
    """What a metric gives, which must be a share, also of many matrices: intervals rest on both."""
    said = f"the metric {name!r} of {METRICS.origin(name)}"
    try:
        value, (again, _) = float(metric(matrix)), metric(np.stack([matrix, matrix]))
    except Exception as error:  # whatever somebody else's function raises
        raise ConfigError(f"{said} fails ({one_line(error)}); mend or remove it") from error
    if not (-_SLACK <= value <= 1 + _SLACK and abs(again - value) <= _SLACK):
        raise ConfigError(
            f"{said} gives {value} of one confusion matrix, {again} of two alike; a metric is in "
            "[0, 1], and takes leading axes"
        )
    return value


def _support(matrix: Matrix) -> Matrix:
    support: Matrix = matrix.sum(-1)
    return support


def _recall(matrix: Matrix) -> Matrix:
    return _ratio(np.diagonal(matrix, axis1=-2, axis2=-1), _support(matrix))


def _f1(matrix: Matrix) -> Matrix:
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    return _ratio(2 * right, _support(matrix) + matrix.sum(-2))


def _mean_over(values: Matrix, present: NDArray[np.bool_]) -> NDArray[np.float64]:
    return _ratio((values * present).sum(-1), present.sum(-1))


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Quotient, part / whole, 0 where whole is 0."""
    whole = np.asarray(whole, float)
    out: NDArray[np.float64] = np.zeros_like(whole)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
