"""What the report's numbers are: means over seeds, intervals over speakers, paired differences.

The one file of the report that asks `estimator/` for statistics.

Shapes: S seeds, K clusters (speakers), C classes.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from gensr.estimator.intervals import Matrix, Metric, clopper_pearson, interval
from gensr.estimator.metrics import METRICS, accuracy, is_over_classes
from gensr.estimator.paired import difference, holm
from gensr.pipeline.report.content.data import Difference, Estimate, Floats
from gensr.pipeline.report.content.systems import System
from gensr.pipeline.scoring.compare import reasons_between


def estimate(metric: Metric, counts: Floats) -> Estimate:
    """The mean of a metric over seeds, and its interval over clusters.

    Args:
        metric: a function of confusion matrices.
        counts: (S, K, C, C); a speaker is left out in all seeds at once.
    """
    value = float(np.mean(metric(counts.sum(1))))
    span = interval(metric, counts, by_class=is_over_classes(metric))
    if span is None:
        return Estimate(value)
    return Estimate(value, min(span[0], value), max(span[1], value))


def estimates(system: System) -> dict[str, Estimate]:
    """Every metric that is known, of a system."""
    counts = system.confusions()
    return {name: estimate(METRICS[name], counts) for name in METRICS}


def recall_of(label: int) -> Metric:
    """The recall of one class, as a metric."""

    def recall(matrix: Matrix) -> Floats:
        right, whole = matrix[..., label, label], matrix[..., label, :].sum(-1)
        share: Floats = np.divide(right, whole, out=np.zeros_like(right), where=whole > 0)
        return share

    return recall


def class_recall(system: System, label: int) -> Estimate:
    """The recall of one class, with its interval over the speakers who have clips of it."""
    counts = system.confusions(part=system.truth == label)
    return estimate(recall_of(label), counts)


def of_one_speaker(right: float, n: int) -> Estimate:
    """The share that is answered right of one speaker's clips.

    Nothing is known here of how speakers differ: the interval takes the clips of this speaker as
    independent draws, and is about this speaker alone.
    """
    share = np.array(right / n)
    low, high = clopper_pearson(share, np.array(float(n)))
    return Estimate(float(share), float(low), float(high))


def differences(first: System, rivals: Sequence[System]) -> list[Difference]:
    """In accuracy, each rival less the first, over the same clips; p corrected for all of them."""
    own = first.confusions()
    found = [difference(accuracy, rival.confusions(), own, rivals=len(rivals)) for rival in rivals]
    corrected = holm([one.p for one in found])
    return [
        Difference(one.value, one.low, one.high, p if one.low is not None else None)
        for one, p in zip(found, corrected, strict=True)
    ]


def unlike(first: System, other: System) -> str:
    """In what two systems' questions differ; empty where they answer one question."""
    one, two = (_asked(system) for system in (first, other))
    return "; ".join(reasons_between(one, two))


def _asked(system: System) -> Any:
    """What `reasons_between` looks at of an evaluation."""
    return SimpleNamespace(
        protocol=system.protocol,
        split_seed=system.run.config.split_seed,
        folds=dict.fromkeys(name for name in _fold_names(system)),
    )


def _fold_names(system: System) -> list[str]:
    tested = {*system.folds.tolist()}
    return [fold.name for fold in system.protocol.folds if fold.name in tested]
