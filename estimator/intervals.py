"""Intervals over speakers for any number in [0, 1] that follows from a confusion matrix.

Clips of one speaker are not independent, so an interval over clips claims far too much. Ours is
that of Clopper and Pearson for a share, at the effective number of independent clips of Korn
and Graubard (Survey Methodology 24, 1998):

    n_eff = g (1 - g) / V * (t_{n-1} / t_{S-1})^2

g is the number, V its delete-one-speaker jackknife variance, t the quantile of Student's t: few
speakers know their own variance badly. The interval is exact where clips are independent, not
symmetric, and never of no width: all right is not sure to be all right.

Near the ceiling few clips are wrong, they are of few speakers, and V is too small more often
than not, or zero. So clips of one speaker are never taken for less alike than `ALIKE`:

    n_eff <= n / (1 + (m - 1) ALIKE)

m = sum m_s^2 / n is the number of clips that the speaker of a clip has on average. For numbers
that are means over classes (UAR, macro-F1), C^2 / sum 1/n_c stands for n in that bound: as many
clips as would be worth the same if all classes had equally many. What covers how much is
simulated in docs/evaluation.md (`python benchmarks/intervals.py`).

Shapes: C classes, S clusters (speakers); `...` any leading axes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit

Matrix = NDArray[np.float64]
Metric = Callable[[Matrix], NDArray[np.float64]]
"""(..., C, C) counts, rows truth -> (...) in [0, 1]."""

MIN_CLUSTERS = 4
"""Below so many there is no interval: their variance is unknown."""
ALIKE = 0.03
"""Least correlation of being right between two clips of one speaker. Ours: the smallest round
one that covers in every cell of the benchmark, where the true one is 0.07."""


def interval(
    metric: Metric, per_cluster: Matrix, *, by_class: bool = False, level: float = 0.95
) -> tuple[float, float] | None:
    """One interval over clusters.

    Args:
        metric: a function of confusion matrices.
        per_cluster: (S, C, C) one matrix per cluster, each of at least one clip.
        by_class: whether the metric is a mean over classes, be they frequent or rare.
        level: coverage aimed at.

    Returns:
        (low, high) around the number, or None below `MIN_CLUSTERS` clusters.
    """
    if len(per_cluster) < MIN_CLUSTERS:
        return None
    low, high = bounds(metric, per_cluster, by_class=by_class, level=level)
    return float(low), float(high)


def bounds(
    metric: Metric, per_cluster: Matrix, *, by_class: bool = False, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of many intervals at once. (..., S, C, C) -> two of (...); as `interval`."""
    S = per_cluster.shape[-3]
    whole = per_cluster.sum(-3)
    g, V = metric(whole), jackknife_variance(metric, per_cluster)
    clips = per_cluster.sum((-2, -1))  # (..., S)
    n = clips.sum(-1)
    upper = (1 + level) / 2
    few = np.square(stdtrit(np.maximum(n - 1, 1), upper) / stdtrit(S - 1, upper))
    alike = 1 + (np.square(clips).sum(-1) / n - 1) * ALIKE
    most = (_as_if_balanced(whole) if by_class else n) / alike
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(V > 0, g * (1 - g) / V * few, np.inf)
    return clopper_pearson(g, np.minimum(effective, most), level)


def clopper_pearson(
    share: NDArray[np.float64], n: NDArray[np.float64], level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The interval of Clopper and Pearson for a share of n independent clips; n may be broken."""
    right, wrong = share * n, (1 - share) * n
    tail = (1 - level) / 2
    tiny = 1e-9  # the beta distribution needs both counts above zero; below, an end is 0 or 1
    low = betaincinv(np.maximum(right, tiny), wrong + 1, tail)
    high = betaincinv(right + 1, np.maximum(wrong, tiny), 1 - tail)
    return np.where(right > tiny, low, 0.0), np.where(wrong > tiny, high, 1.0)


def jackknife_variance(metric: Metric, per_cluster: Matrix) -> NDArray[np.float64]:
    """Variance of a metric by leaving out one cluster at a time. (..., S, C, C) -> (...)."""
    S = per_cluster.shape[-3]
    without = metric(per_cluster.sum(-3, keepdims=True) - per_cluster)  # (..., S)
    spread = np.square(without - without.mean(-1, keepdims=True)).sum(-1)
    variance: NDArray[np.float64] = (S - 1) / S * spread
    return np.where(variance > 1e-15, variance, 0.0)  # rounding is no variance


def _as_if_balanced(whole: Matrix) -> NDArray[np.float64]:
    """Clips of equally many per class that a mean over these classes is worth."""
    support = whole.sum(-1)  # (..., C)
    there = support > 0
    rarity = np.divide(1.0, support, out=np.zeros_like(support), where=there).sum(-1)
    balanced: NDArray[np.float64] = np.square(there.sum(-1)) / rarity
    return balanced
