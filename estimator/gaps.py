"""The difference of a number between two groups of clips, with an interval over speakers.

Women and men are different speakers; loud and soft clips are of the same ones. Both follow from
the interval of each group, by the way of Zou and Donner (Statistics in Medicine 27, 2008):

    low  = (a - b) - sqrt((a - a_low)^2 + (b_high - b)^2 - 2 r (a - a_low) (b_high - b))
    high = (a - b) + sqrt((a_high - a)^2 + (b - b_low)^2 - 2 r (a_high - a) (b - b_low))

r is the correlation of the two numbers, by leaving out one speaker from both groups at once:
exactly 0 where no speaker is in both. Of several seeds the numbers are means over them, and so is
what leaving out a speaker does; the ends hold the seeds' variance (`intervals.py`), taken for
independent between the groups. So the interval is never of no width, as those of
`intervals.py` are not, and stays in [-1, 1]. What covers how much is in docs/calibration.md
(`python benchmarks/gaps.py`).

Shapes: C classes, S clusters (speakers), R seeds, the same in both groups; `...` any
leading axes.
"""

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.intervals import MIN_CLUSTERS, Matrix, Metric, bounds

Array = NDArray[np.float64]


def gap_interval(
    metric: Metric,
    one: Matrix,
    other: Matrix,
    *,
    by_class: bool = False,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """An interval around metric(one) - metric(other).

    Args:
        metric: a function of confusion matrices.
        one: (S, C, C) or (R, S, C, C), one matrix per cluster, all zeros where it has no clip in
            the group.
        other: the same of the other group.
        by_class: whether the metric is a mean over classes.
        level: coverage aimed at.

    Returns:
        None where a group has clips of fewer than `MIN_CLUSTERS` clusters.
    """
    groups = [group.reshape(-1, *group.shape[-3:]) for group in (one, other)]  # (R, S, C, C)
    there = [group[0].sum((-2, -1)) > 0 for group in groups]
    if min(which.sum() for which in there) < MIN_CLUSTERS:
        return None
    ends = [
        bounds(metric, group[:, which], by_class=by_class, level=level, seeds=True)
        for group, which in zip(groups, there, strict=True)
    ]
    values = [metric(group.sum(1)).mean(0) for group in groups]
    r = correlation(metric, *groups, seeds=True)
    low, high = combined(values[0], ends[0], values[1], ends[1], r)
    return float(low), float(high)


def combined(
    a: Array, a_ends: tuple[Array, Array], b: Array, b_ends: tuple[Array, Array], r: Array
) -> tuple[Array, Array]:
    """Both ends of an interval around a - b, given those of each; see above. All (...)."""
    below, above = a - a_ends[0], a_ends[1] - a
    b_below, b_above = b - b_ends[0], b_ends[1] - b
    low = a - b - np.sqrt(np.square(below) + np.square(b_above) - 2 * r * below * b_above)
    high = a - b + np.sqrt(np.square(above) + np.square(b_below) - 2 * r * above * b_below)
    return np.maximum(low, -1.0), np.minimum(high, 1.0)


def correlation(metric: Metric, one: Matrix, other: Matrix, *, seeds: bool = False) -> Array:
    """Of the metric in two groups, by leaving out one cluster at a time. -> (...), in [-1, 1].

    0 where no cluster has clips in both groups, or one of the numbers never changes.

    Args:
        metric: a function of confusion matrices.
        one: (..., S, C, C), or (..., R, S, C, C) with `seeds`.
        other: the same of the other group.
        seeds: whether the axis before the clusters' is that of seeds.
    """
    groups = [group if seeds else group[..., None, :, :, :] for group in (one, other)]
    there = [group[..., 0, :, :, :].sum((-2, -1)) > 0 for group in groups]  # (..., S)
    shared = there[0] & there[1]
    moved = [_moved(metric, group) for group in groups]
    both = (moved[0] * moved[1]).sum(-1)
    spread = np.sqrt(np.square(moved[0]).sum(-1) * np.square(moved[1]).sum(-1))
    some = shared.any(-1) & (spread > 1e-15)
    r: Array = np.divide(both, spread, out=np.zeros_like(spread), where=some)
    return np.clip(r, -1, 1)


def _moved(metric: Metric, per_seed: Matrix) -> Array:
    """What leaving out each cluster does to the metric, around the mean of it. -> (..., S)."""
    without = metric(per_seed.sum(-3, keepdims=True) - per_seed).mean(-2)
    moved: Array = without - without.mean(-1, keepdims=True)
    return moved
