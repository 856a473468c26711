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

Of several seeds the number is the mean over them, and the jackknife leaves a speaker out in all
of them at once. The variance of the seeds' own numbers, over R, is added to V with its own degrees
of freedom (Satterthwaite's combination): then the interval is of trainings like these, too.

Shapes: C classes, S clusters (speakers), R seeds; `...` any leading axes. Columns of a confusion
matrix after the C-th are answers that are no class (`metrics.py`).
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
        per_cluster: (S, C, C) one matrix per cluster, each of at least one clip; or
            (R, S, C, C), the same of several seeds.
        by_class: whether the metric is a mean over classes, be they frequent or rare.
        level: coverage aimed at.

    Returns:
        (low, high) around the number, or None below `MIN_CLUSTERS` clusters.
    """
    if per_cluster.shape[-3] < MIN_CLUSTERS:
        return None
    seeds = per_cluster.ndim == 4
    low, high = bounds(metric, per_cluster, by_class=by_class, level=level, seeds=seeds)
    return float(low), float(high)


def bounds(
    metric: Metric,
    per_cluster: Matrix,
    *,
    by_class: bool = False,
    level: float = 0.95,
    seeds: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of many intervals at once; as `interval`.

    Args:
        metric: as there.
        per_cluster: (..., S, C, C), or (..., R, S, C, C) with `seeds`.
        by_class: as there.
        level: as there.
        seeds: whether the axis before the clusters' is that of seeds.

    Returns:
        Two of (...).
    """
    per_seed = per_cluster if seeds else per_cluster[..., None, :, :, :]
    g = metric(per_seed.sum(-3)).mean(-1)
    V, df = variance_of_mean(metric, per_seed)
    one = per_seed[..., 0, :, :, :]  # every seed answers the same clips
    upper = (1 + level) / 2
    n = one.sum((-3, -2, -1))
    few = np.square(stdtrit(np.maximum(n - 1, 1), upper) / stdtrit(df, upper))
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(V > 0, g * (1 - g) / V * few, np.inf)
    worth = clips_worth(one, by_class=by_class) / clips_per_independent(one)
    return clopper_pearson(g, np.minimum(effective, worth), level)


def clips_worth(per_cluster: Matrix, *, by_class: bool) -> NDArray[np.float64]:
    """Clips that a number rests on, clusters aside: n, or C^2 / sum 1/n_c. (..., S, C, C)."""
    whole = per_cluster.sum(-3)
    return _as_if_balanced(whole) if by_class else np.asarray(whole.sum((-2, -1)), float)


def clips_per_independent(per_cluster: Matrix) -> NDArray[np.float64]:
    """Clips that are worth one independent clip, if clips of a cluster are `ALIKE`."""
    clips = per_cluster.sum((-2, -1))  # (..., S)
    alike: NDArray[np.float64] = 1 + (np.square(clips).sum(-1) / clips.sum(-1) - 1) * ALIKE
    return alike


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
    return spread_without(without_each(metric, per_cluster))


def without_each(metric: Metric, per_cluster: Matrix) -> NDArray[np.float64]:
    """The metric without each cluster in turn. (..., S, C, C) -> (..., S)."""
    return metric(per_cluster.sum(-3, keepdims=True) - per_cluster)


def spread_without(without: NDArray[np.float64]) -> NDArray[np.float64]:
    """The jackknife's variance, of what a number is without each cluster. (..., S) -> (...)."""
    S = without.shape[-1]
    spread = np.square(without - without.mean(-1, keepdims=True)).sum(-1)
    variance: NDArray[np.float64] = (S - 1) / S * spread
    return np.where(variance > 1e-15, variance, 0.0)  # rounding is no variance


def variance_of_mean(
    metric: Metric, per_seed: Matrix
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variance of a mean over seeds, by speakers and by seeds, and its degrees of freedom.

    Args:
        metric: a function of confusion matrices.
        per_seed: (..., R, S, C, C).
    """
    S = per_seed.shape[-3]
    without = without_each(metric, per_seed)  # (..., R, S)
    by_speaker = spread_without(without.mean(-2))
    by_seed = between_seeds(metric(per_seed.sum(-3)))
    df = satterthwaite((by_speaker, S - 1), (by_seed, max(1, per_seed.shape[-4] - 1)))
    both: NDArray[np.float64] = by_speaker + by_seed
    return both, df


def between_seeds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What training with other seeds adds to the variance of the mean. (..., R) -> (...).

    The seeds' variance over R. Part of it is by the clips that are tested, which the jackknife has
    already: to take that off leaves nothing half of the time where seeds are two, and covers less.
    """
    R = values.shape[-1]
    if R == 1:
        return np.zeros(values.shape[:-1])
    added: NDArray[np.float64] = values.var(-1, ddof=1) / R
    return np.where(added > 1e-15, added, 0.0)  # rounding is no variance


def satterthwaite(
    *parts: tuple[NDArray[np.float64], float | NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Degrees of freedom of a sum of variances, each with its own; of the first where all are 0."""
    total = np.sum([variance for variance, _ in parts], axis=0)
    below = np.sum([np.square(variance) / df for variance, df in parts], axis=0)
    first = np.broadcast_to(np.asarray(parts[0][1], float), np.shape(total))
    df: NDArray[np.float64] = np.array(first)
    np.divide(np.square(total), below, out=df, where=below > 0)
    return df


def _as_if_balanced(whole: Matrix) -> NDArray[np.float64]:
    """Clips of equally many per class that a mean over these classes is worth."""
    support = whole.sum(-1)  # (..., C)
    there = support > 0
    rarity = np.divide(1.0, support, out=np.zeros_like(support), where=there).sum(-1)
    balanced: NDArray[np.float64] = np.square(there.sum(-1)) / rarity
    return balanced
