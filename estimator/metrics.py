"""The numbers of the field, each from a confusion matrix, each with an interval over speakers.

WA is accuracy; UA is UAR, the unweighted average recall. Every number is a function of the
confusion matrix, rows truth and columns prediction, so that it can be taken again without one
speaker at no cost.

Intervals are over clusters (speakers; dialogues in MELD), not clips: clips of one speaker are
not independent. `intervals.py` makes them; below four clusters there is none.

A clip that was not answered, or with something that is no class, is wrong: it is counted in its
class's row, in a column of its own after the C classes'. So it lowers the recall of its class
and the accuracy, and raises no class's count of predictions, as a guess would.

Shapes: C classes, S clusters, R seeds; `...` any leading axes.
"""

from collections.abc import Mapping, Sequence
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
    """Share of clips answered right (WA). (..., C, C or C+1) -> (...)."""
    return _ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum((-2, -1)))


@over_classes
def uar(matrix: Matrix) -> NDArray[np.float64]:
    """Unweighted average recall (UA), over the classes that occur in the truth."""
    return _mean_over(_recall(matrix), _support(matrix) > 0)


@over_classes
def macro_f1(matrix: Matrix) -> NDArray[np.float64]:
    """Mean F1 over the classes that occur in the truth or the predictions."""
    return _mean_over(_f1(matrix), _support(matrix) + _predicted(matrix) > 0)


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
class Over:
    """The intervals of the same numbers over other clusters."""

    cluster: str
    """What they are: `speaker`, where the first are over dialogues."""
    clusters: int
    """How many were tested."""
    intervals: dict[str, tuple[float, float] | None]
    """Metric name to a 95 % interval over them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Every metric of one set of predictions, or the means over several seeds."""

    n: int
    """Clips tested."""
    classes: tuple[str, ...]
    """Names of the classes, in the order of the matrix."""
    values: dict[str, float]
    """Metric name to value in [0, 1]; of several seeds their mean."""
    intervals: dict[str, tuple[float, float] | None]
    """Metric name to a 95 % interval over clusters; None where there are too few."""
    clusters: int
    """Speakers or dialogues tested."""
    confusion: tuple[tuple[int, ...], ...]
    """(C, C) counts, rows truth, summed over seeds; (C, C+1) where not all was answered."""
    by_seed: tuple[dict[str, float], ...] = ()
    """The values of each of several seeds; empty for one."""
    also: tuple[Over, ...] = ()
    """Intervals over other clusters: those over speakers beside those over dialogues."""

    @property
    def seeds(self) -> int:
        """How many trainings the numbers are the mean of."""
        return max(1, len(self.by_seed))

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`, metrics at the top."""
        several = {"by_seed": list(self.by_seed)} if self.by_seed else {}
        also = [
            {"cluster": one.cluster, "clusters": one.clusters, "intervals": _plain(one.intervals)}
            for one in self.also
        ]
        return {
            **self.values,
            "n": self.n,
            "classes": list(self.classes),
            "intervals": _plain(self.intervals),
            "clusters": self.clusters,
            "confusion": [list(row) for row in self.confusion],
            **several,
            **({"also": also} if also else {}),
        }


def numbers(
    truth: Sequence[int],
    predicted: Sequence[int] | NDArray[Any],
    clusters: Sequence[str],
    classes: Sequence[str],
    *,
    also: Mapping[str, Sequence[str]] | None = None,
) -> Numbers:
    """Every metric, with its interval over clusters.

    Args:
        truth: class index per clip.
        predicted: class index per clip, or (R, n) of several seeds; C where there is no answer.
        clusters: speaker (or dialogue) per clip.
        classes: names, C of them.
        also: other clusters per clip, by what they are.

    Raises:
        ConfigError: no clip, lengths that differ, or a metric of another package that gives no
            number in [0, 1].
    """
    per_seed = per_cluster(truth, predicted, clusters, len(classes))
    wholes = per_seed.sum(1)  # (R, C, C)
    by_seed = [{name: _value(name, METRICS[name], whole) for name in METRICS} for whole in wholes]
    return Numbers(
        n=len(truth),
        classes=tuple(classes),
        values={name: float(np.mean([one[name] for one in by_seed])) for name in METRICS},
        intervals=intervals_of(per_seed),
        clusters=per_seed.shape[1],
        confusion=tuple(tuple(int(v) for v in row) for row in wholes.sum(0)),
        by_seed=tuple(by_seed) if len(by_seed) > 1 else (),
        also=tuple(
            Over(cluster=what, clusters=others.shape[1], intervals=intervals_of(others))
            for what, others in (
                (what, per_cluster(truth, predicted, names, len(classes)))
                for what, names in (also or {}).items()
            )
        ),
    )


def per_cluster(
    truth: Sequence[int],
    predicted: Sequence[int] | NDArray[Any],
    clusters: Sequence[str],
    n_classes: int,
) -> Matrix:
    """Confusion matrices (R, S, C, C), clusters in the order of their names.

    Args:
        truth: class index per clip.
        predicted: (n,) or (R, n) class indices; C is no answer, and makes it (R, S, C, C+1).
        clusters: name per clip.
        n_classes: C.

    Raises:
        ConfigError: no clip, or lengths that differ.
    """
    answers = np.atleast_2d(np.asarray(predicted, int))  # (R, n)
    n = answers.shape[1]
    if not len(truth) or not len(truth) == n == len(clusters):
        raise ConfigError(
            f"cannot score {len(truth)} labels, {n} predictions, "
            f"{len(clusters)} clusters: they must be as many, and at least one"
        )
    names, index = np.unique(np.asarray(clusters, str), return_inverse=True)
    columns = n_classes + bool((answers == n_classes).any())
    counts = np.zeros((len(answers), len(names), n_classes, columns))
    seeds = np.arange(len(answers))[:, None]
    np.add.at(counts, (seeds, index[None], np.asarray(truth, int)[None], answers), 1)
    return counts


def intervals_of(per_seed: Matrix) -> dict[str, tuple[float, float] | None]:
    """The interval of every metric. (R, S, C, C)."""
    return {
        name: interval(METRICS[name], per_seed, by_class=is_over_classes(METRICS[name]))
        for name in METRICS
    }


def _plain(intervals: Mapping[str, tuple[float, float] | None]) -> dict[str, list[float] | None]:
    return {name: list(ends) if ends else None for name, ends in intervals.items()}


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
    return _ratio(2 * right, _support(matrix) + _predicted(matrix))


def _predicted(matrix: Matrix) -> Matrix:
    """How often each class was answered; what is no class is left out."""
    predicted: Matrix = matrix.sum(-2)[..., : matrix.shape[-2]]
    return predicted


def _mean_over(values: Matrix, present: NDArray[np.bool_]) -> NDArray[np.float64]:
    return _ratio((values * present).sum(-1), present.sum(-1))


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Quotient, part / whole, 0 where whole is 0."""
    whole = np.asarray(whole, float)
    out: NDArray[np.float64] = np.zeros_like(whole)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
