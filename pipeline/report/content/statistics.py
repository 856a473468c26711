"""What the report's numbers are: means over seeds, intervals over speakers, paired differences.

The one file of the report that asks `estimator/` for statistics.

Shapes: R seeds, S clusters (speakers), C classes.
"""

from collections.abc import Sequence

import numpy as np

from gensr.estimator.intervals import Matrix, Metric, clopper_pearson, interval
from gensr.estimator.metrics import METRICS, accuracy, is_over_classes
from gensr.estimator.paired import difference, holm
from gensr.pipeline.report.content.data import Difference, Estimate, Floats
from gensr.pipeline.scoring.answered import Answered


def estimate(metric: Metric, counts: Floats) -> Estimate:
    """The mean of a metric over seeds, and its interval over clusters.

    Args:
        metric: a function of confusion matrices.
        counts: (R, S, C, C); a speaker is left out in all seeds at once.
    """
    value = float(np.mean(metric(counts.sum(1))))
    span = interval(metric, counts, by_class=is_over_classes(metric))
    if span is None:
        return Estimate(value)
    return Estimate(value, min(span[0], value), max(span[1], value))


def estimates(counts: Floats) -> dict[str, Estimate]:
    """Every metric that is known. (R, S, C, C)."""
    return {name: estimate(METRICS[name], counts) for name in METRICS}


def recall_of(label: int) -> Metric:
    """The recall of one class, as a metric."""

    def recall(matrix: Matrix) -> Floats:
        right, whole = matrix[..., label, label], matrix[..., label, :].sum(-1)
        share: Floats = np.divide(right, whole, out=np.zeros_like(right), where=whole > 0)
        return share

    return recall


def class_recall(answers: Answered, label: int) -> Estimate:
    """The recall of one class, with its interval over the speakers who have clips of it."""
    return estimate(recall_of(label), answers.matrices(some=answers.truth == label))


def of_one_speaker(right: float, n: int) -> Estimate:
    """The share that is answered right of one speaker's clips.

    Nothing is known here of how speakers differ: the interval takes the clips of this speaker as
    independent draws, and is about this speaker alone.
    """
    share = np.array(right / n)
    low, high = clopper_pearson(share, np.array(float(n)))
    return Estimate(float(share), float(low), float(high))


def differences(counts: Sequence[Floats]) -> list[Difference]:
    """In accuracy, each but the first less the first, over the same clips; p corrected by Holm.

    Args:
        counts: (R, S, C, C) of each system.
    """
    first, *rivals = counts
    found = [difference(accuracy, rival, first, rivals=len(rivals)) for rival in rivals]
    corrected = holm([one.p for one in found])
    return [
        Difference(value=one.value, low=one.low, high=one.high, p=p, detectable=one.detectable)
        for one, p in zip(found, corrected, strict=True)
    ]
