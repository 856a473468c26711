"""The difference of two systems that answered the same clips: how large, how sure, how likely.

Overlap of two intervals says nothing: both systems meet the same hard speakers. So the difference
is taken as it is, over speakers (clusters):

    interval  d -+ t_df sqrt(V + PSEUDO / n_eff^2),  n_eff = n / (1 + (m - 1) ALIKE)

V is the delete-one-speaker jackknife variance of the difference and what seeds add to it, as in
`intervals.py`. Speakers of unequal many clips make V too large and too loosely known: its bias
and its degrees of freedom are those of Bell and McCaffrey (Survey Methodology 28, 2002), for
speakers as alike as `ALIKE`. Two systems that differ in no clip are not sure never to differ:
`PSEUDO` clips more are taken to differ, in the manner of Agresti and Min (Statistics in
Medicine 24, 2005). If all that differ do so in one direction, their variance grows with the
difference, 1/n for each unit; so the end farther from zero is that of a score interval.

The test is that of `swaps.py`. What trainings differ by is in the interval where there are
several seeds; p takes the trained models as they are. What covers how much, and how often the
test errs, is simulated in docs/evaluation.md (`python benchmarks/paired.py`).

Shapes: C classes, S clusters, R seeds; `...` any leading axes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtrinc, stdtrit

from gensr.estimator.errors import ConfigError
from gensr.estimator.intervals import (
    ALIKE,
    MIN_CLUSTERS,
    Matrix,
    Metric,
    between_seeds,
    clips_per_independent,
    clips_worth,
    satterthwaite,
    spread_without,
    without_each,
)
from gensr.estimator.swaps import FEW, detectable_mean, smallest_p, swap_test

PSEUDO = 1.5
"""Differing clips beyond those seen. Ours, by the benchmark: with 1, cells at .997 fell short."""
POWER = 0.8
"""Of the minimum detectable difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """How far one system is above another, on the same clusters."""

    value: float
    """Difference of the metric, first less second, in [-1, 1]."""
    low: float | None
    """Lower end of the 95 % interval; None below `MIN_CLUSTERS` clusters."""
    high: float | None
    """Its upper end."""
    p: float
    """Two-sided, of swapping the systems within clusters."""
    clusters: int
    """Speakers or dialogues."""
    exact: bool
    """Whether all ways of swapping were tried, not `DRAWS` drawn ones."""
    detectable: float | None
    """Difference that the test would find four times in five; None where it can find none."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        interval = None if self.low is None else [self.low, self.high]
        return {
            "difference": self.value,
            "interval": interval,
            "p": self.p,
            "exact": self.exact,
            "clusters": self.clusters,
            "detectable": self.detectable,
        }


def difference(
    metric: Metric,
    a: Matrix,
    b: Matrix,
    *,
    by_class: bool = False,
    level: float = 0.95,
    rivals: int = 1,
) -> Paired:
    """The first system less the second.

    Args:
        metric: a function of confusion matrices.
        a: (R, S, C, C), one matrix per seed and cluster.
        b: the same of the other; it may have another number of seeds.
        by_class: whether the metric is a mean over classes, be they frequent or rare.
        level: coverage aimed at.
        rivals: comparisons that p is corrected for; the detectable difference is then what
            survives the correction.

    Raises:
        ConfigError: other clusters, classes or clips.
    """
    a, b = _same_columns(a, b)
    _check_same_clips(a, b)
    S = a.shape[1]
    value = float(metric(a.sum(1)).mean() - metric(b.sum(1)).mean())
    p, exact = swap_test(metric, a, b)
    low = high = detectable = None
    if S >= MIN_CLUSTERS:
        ends = paired_bounds(metric, a, b, by_class=by_class, level=level)
        low, high = float(ends[0]), float(ends[1])
        V, df = _variance(metric, a, b, by_class=by_class)
        level_of_both = float(metric(a.sum(1)).mean() + metric(b.sum(1)).mean()) / 2
        alike = clips_per_independent(a[0]) / clips_worth(a[0], by_class=by_class)
        detectable = minimum_detectable(
            math.sqrt(float(V)),
            float(df),
            S,
            alpha=(1 - level) / rivals,
            growth=max(0.0, 2 * level_of_both - 1) * float(alike),
        )
    return Paired(
        value=value, low=low, high=high, p=p, clusters=S, exact=exact, detectable=detectable
    )


def paired_bounds(
    metric: Metric, a: Matrix, b: Matrix, *, by_class: bool = False, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of many intervals at once. Two (..., R, S, C, C) -> two of (...)."""
    d = metric(a.sum(-3)).mean(-1) - metric(b.sum(-3)).mean(-1)
    V, df = _variance(metric, a, b, by_class=by_class)
    t = stdtrit(df, (1 + level) / 2)
    half = t * np.sqrt(V)
    one = a[..., 0, :, :, :]
    sure = np.abs(d) / (np.abs(d) + np.sqrt(V))  # of the direction: 0 at no difference
    shift = np.square(t) / (2 * clips_worth(one, by_class=by_class)) * sure
    far = shift + np.sqrt(np.square(shift) + np.square(half))
    low, high = d - np.where(d < 0, far, half), d + np.where(d > 0, far, half)
    return np.maximum(low, -1.0), np.minimum(high, 1.0)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's correction of p for several comparisons (Scand. J. Statistics 6, 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(ps)
    worst = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        worst = max(worst, min(1.0, (len(ps) - rank) * ps[index]))
        corrected[index] = worst
    return corrected


def minimum_detectable(
    error: float,
    df: float,
    clusters: int,
    *,
    alpha: float = 0.05,
    power: float = POWER,
    growth: float = 0.0,
) -> float | None:
    """True difference that the test finds with a given power.

    That of Student's t at df degrees of freedom; over few clusters that of the swaps themselves,
    which have few values of p.

    Args:
        error: standard error of the difference.
        df: its degrees of freedom.
        clusters: S.
        alpha: at which a difference counts.
        power: share of the trials that find it.
        growth: of the variance by a unit of difference: near the ceiling a system that errs more
            is more variable, too, by 2 g - 1 for each g (1 - g) of independent clips.

    Returns:
        None where the test can find none: `smallest_p` is above alpha.
    """
    if smallest_p(clusters) > alpha:
        return None
    errors = float(nctdtrinc(df, 1 - power, stdtrit(df, 1 - alpha / 2)))
    if clusters <= FEW:
        errors = max(errors, math.sqrt(clusters) * detectable_mean(clusters, alpha, power))
    shift = errors**2 * growth / 2
    return shift + math.sqrt(shift**2 + (errors * error) ** 2)


def _variance(
    metric: Metric, a: Matrix, b: Matrix, *, by_class: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variance of the difference with `PSEUDO` clips more, and its degrees of freedom."""
    one = a[..., 0, :, :, :]
    clips = one.sum((-2, -1))
    left, right = without_each(metric, a), without_each(metric, b)  # (..., R, S)
    df, bias = bell_mccaffrey(clips)
    by_speaker = spread_without(left.mean(-2) - right.mean(-2)) / bias
    independent = clips_worth(one, by_class=by_class) / clips_per_independent(one)
    by_speaker = by_speaker + PSEUDO / np.square(independent)
    seeds = [
        (between_seeds(metric(of_seeds.sum(-3))), max(1, of_seeds.shape[-4] - 1))
        for of_seeds in (a, b)
    ]
    V = by_speaker + seeds[0][0] + seeds[1][0]
    return V, satterthwaite((by_speaker, df), *seeds)


def bell_mccaffrey(
    clips: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees of freedom of a jackknife variance, and how much too large it is in the mean.

    V is the quadratic form e' M e of the speakers' differences e, weighed by their clips, w:
    M = (I - w 1') diag(c) (I - 1 w'), c = (w / (1 - w))^2 (S - 1) / S. For independent speakers
    of variances s = ALIKE + (1 - ALIKE) / clips, its mean is tr(M s), where w' s w is the true
    variance, and it has tr(M s)^2 / tr(M s M s) degrees of freedom; S - 1 where all are equal.

    Args:
        clips: (..., S), of each speaker.

    Returns:
        Degrees of freedom and bias, (...) each; S - 1 and 1 where all have as many.
    """
    S = clips.shape[-1]
    w = clips / clips.sum(-1, keepdims=True)
    c = np.square(w / (1 - w)) * (S - 1) / S
    s = ALIKE + (1 - ALIKE) / clips
    both = c.sum(-1)
    cc, cw, ww = (s * c * c).sum(-1), (s * c * w).sum(-1), (s * w * w).sum(-1)
    mean = (s * c).sum(-1) - 2 * cw + both * ww
    diagonal = (s * s * c * (c - 4 * c * w + 2 * both[..., None] * w * w)).sum(-1)
    rest = 2 * (cc * ww + cw**2) + both**2 * ww**2 - 4 * both * cw * ww
    df = np.minimum(S - 1, mean**2 / (diagonal + rest))
    return df, mean / ww


def _same_columns(a: Matrix, b: Matrix) -> tuple[Matrix, Matrix]:
    """Both with a column for what was not answered, where one of them has it."""
    most = max(a.shape[-1], b.shape[-1])
    left, right = (
        np.pad(each, [(0, 0)] * (each.ndim - 1) + [(0, most - each.shape[-1])]) for each in (a, b)
    )
    return left, right


def _check_same_clips(a: Matrix, b: Matrix) -> None:
    if a.shape[1:] != b.shape[1:] or not np.array_equal(a[0].sum(-1), b[0].sum(-1)):
        raise ConfigError(
            "two systems are compared on the same clips alone: clusters or classes differ"
        )
