"""Whether probabilities mean what they say, and what becomes of them.

Every number here is a function of the probabilities p (n, C) of n clips and their classes y (n,).

    Brier      mean over clips of sum_c (p_c - [c = y])^2, in [0, 2]: all classes are summed
    log-loss   mean over clips of -ln p_y, of probabilities no smaller than `FLOOR`
    ECE        sum over bins of n_b / n |accuracy_b - confidence_b|; confidence is the largest p
    T, doubt   (1 - doubt) q + doubt / C, where q is p^(1/T), renormalised; those of least log-loss
               on other clips. T is that of Guo et al. (2017). The doubt is the share of answers
               that know nothing, however sure they sound: without it a few sure misses, which
               cost the most, would ask for a T that makes every answer unsure

The answer never changes by either: only how sure it is. Gen-SER puts its scores on the
simplex by a projection, which gives exact zeros, and tables of predictions have six decimals: so
a probability is taken for `FLOOR` at least, wherever a logarithm is taken. One clip then costs
13.8 at most, where it would cost infinity.

Shapes: n clips, C classes, B bins, S clusters, R seeds.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from gensr.estimator.intervals import between_seeds, satterthwaite

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FLOOR = 1e-6
"""Least probability under a logarithm: the last decimal of `predictions.csv`."""
BINS = 15
"""Bins of confidence, as Guo et al. have them."""
WIDEST = 8.0
"""Temperatures are sought from 1 / WIDEST to WIDEST."""
PRIOR = 1.0
"""Standard deviation of ln T that is assumed beforehand (ours). A part of a few dozen clips that
are all told right would ask for T = 0; of hundreds of clips the prior has no say."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Clips that are answered about equally surely."""

    low: float
    high: float
    """Confidence above `low`, to `high`."""
    n: int
    confidence: float
    """Mean of the clips; `accuracy` too. Both are 0 where there is none."""
    accuracy: float


def floored(p: Floats) -> Floats:
    """(n, C) with no probability below `FLOOR`, rows summing to one."""
    raised = np.maximum(p, FLOOR)
    rows: Floats = raised / raised.sum(-1, keepdims=True)
    return rows


def with_temperature(p: Floats, T: float | Floats, doubt: float | Floats = 0.0) -> Floats:
    """p^(1/T), renormalised, and a share of doubt. (n, C) -> (n, C); T, doubt one for all, or (n,).

    >>> with_temperature(np.array([[0.8, 0.2]]), 1.0).round(3).tolist()
    [[0.8, 0.2]]
    """
    logs = np.log(floored(p)) / np.reshape(T, (-1, 1))
    scaled = np.exp(logs - logs.max(-1, keepdims=True))
    rows: Floats = scaled / scaled.sum(-1, keepdims=True)
    unsure = np.reshape(doubt, (-1, 1))
    mixed: Floats = (1 - unsure) * rows + unsure / p.shape[-1]
    return mixed


def log_losses(p: Floats, y: Ints) -> Floats:
    """-ln p_y of each clip. (n, C), (n,) -> (n,)."""
    losses: Floats = -np.log(floored(p)[np.arange(len(y)), y])
    return losses


def brier_scores(p: Floats, y: Ints) -> Floats:
    """Sum over classes of the squared distance from the truth, of each clip. -> (n,)."""
    truth = np.eye(p.shape[-1])[y]
    scores: Floats = np.square(p - truth).sum(-1)
    return scores


def fit_temperature(p: Floats, y: Ints) -> tuple[float, float]:
    """The T and the doubt of least log-loss; `PRIOR` keeps T from running away in few clips."""
    from scipy.optimize import minimize_scalar  # half a second, which few commands need

    logs, rows, C = np.log(floored(p)), np.arange(len(y)), p.shape[-1]

    def doubted(ln_T: float) -> tuple[float, float]:
        """The cost, and the doubt, in which it is convex."""
        scaled = logs * math.exp(-ln_T)
        scaled = np.exp(scaled - scaled.max(-1, keepdims=True))
        q = scaled[rows, y] / scaled.sum(-1)

        def loss(doubt: float) -> float:
            return float(-np.log((1 - doubt) * q + doubt / C).sum())

        with np.errstate(divide="ignore"):  # a sure miss without doubt costs infinity
            found = minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-6})
            least, doubt = min((loss(0.0), 0.0), (float(found.fun), float(found.x)))
        return least + 0.5 * (ln_T / PRIOR) ** 2, doubt

    # With a doubt the cost may have two valleys: the deepest is looked for first.
    tried = np.linspace(-math.log(WIDEST), math.log(WIDEST), 33)
    best = int(np.argmin([doubted(ln_T)[0] for ln_T in tried]))
    found = minimize_scalar(
        lambda ln_T: doubted(ln_T)[0],
        bounds=(tried[max(best - 1, 0)], tried[min(best + 1, 32)]),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return math.exp(float(found.x)), doubted(float(found.x))[1]


def temperature_of_scores(logs: Floats, y: Ints) -> float:
    """The T of least log-loss of a softmax of scores (n, C), which are finite, over T."""
    from scipy.optimize import minimize_scalar  # half a second, which few commands need

    rows = np.arange(len(y))

    def cost(ln_T: float) -> float:
        scaled = logs * math.exp(-ln_T)
        scaled -= scaled.max(-1, keepdims=True)
        losses = np.log(np.exp(scaled).sum(-1)) - scaled[rows, y]
        return float(losses.sum() + 0.5 * (ln_T / PRIOR) ** 2)

    most = math.log(WIDEST)
    found = minimize_scalar(cost, bounds=(-most, most), method="bounded", options={"xatol": 1e-6})
    return math.exp(float(found.x))


def equal_width(bins: int = BINS) -> Floats:
    """Edges (B+1,) of bins that are equally wide."""
    return np.linspace(0, 1, bins + 1)


def equal_mass(confidence: Floats, bins: int = BINS) -> Floats:
    """Edges (<= B+1,) of bins of equally many clips; equal confidences are never parted."""
    inner = np.quantile(confidence, np.arange(1, bins) / bins, method="inverted_cdf")
    return np.unique([0.0, *inner, 1.0])


def reliability(confidence: Floats, right: NDArray[np.bool_], edges: Floats) -> list[Bin]:
    """What is behind each confidence: a bin for each pair of edges, empty ones included."""
    n, sure, hits = _by_bin(confidence, right, edges)
    some = np.maximum(n, 1)
    return [
        Bin(float(low), float(high), int(count), float(c), float(a))
        for low, high, count, c, a in zip(
            edges[:-1], edges[1:], n, sure / some, hits / some, strict=True
        )
    ]


def ece(confidence: Floats, right: NDArray[np.bool_], edges: Floats) -> float:
    """Expected calibration error; of a perfect model it is above 0, the more the fewer clips."""
    _, sure, hits = _by_bin(confidence, right, edges)
    return float(np.abs(hits - sure).sum() / len(confidence))


def ece_by_chance(confidence: Floats, edges: Floats) -> float:
    """What ECE is in the mean where every confidence is true and clips are independent.

    Right answers of a bin then scatter by sum c (1 - c), and |N(0, s)| has the mean s sqrt(2 / pi).
    """
    variance = _summed(confidence * (1 - confidence), confidence, edges)
    return float(np.sqrt(2 / np.pi * variance).sum() / len(confidence))


def _by_bin(
    confidence: Floats, right: NDArray[np.bool_], edges: Floats
) -> tuple[Floats, Floats, Floats]:
    """Clips, summed confidence and right answers of each bin (low, high]."""
    ones = np.ones_like(confidence)
    n, sure, hits = (
        _summed(each, confidence, edges) for each in (ones, confidence, right.astype(float))
    )
    return n, sure, hits


def _summed(values: Floats, confidence: Floats, edges: Floats) -> Floats:
    """Sums of values of the clips of each bin, (B,)."""
    bins = len(edges) - 1
    which = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    return np.bincount(which, values, bins).astype(float)


def risk_coverage(
    confidence: Floats, right: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats, float]:
    """What is wrong among the surest answers, for every share of them that is answered.

    Clips that are equally sure are answered or refused together.

    Returns:
        Thresholds, falling; the share that is answered at each; the share of those that is wrong;
        and the mean of the latter over the clips, surest first (AURC; of equal ones, the mean
        over their orders, nearly).
    """
    values, counts = np.unique(-confidence, return_counts=True)
    ends = np.cumsum(counts)
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    risks = wrong[ends - 1] / ends
    # Within equal confidences the wrong ones are taken for evenly spread.
    mixed = np.interp(np.arange(1, len(right) + 1), np.r_[0, ends], np.r_[0, wrong[ends - 1]])
    area = float((mixed / np.arange(1, len(right) + 1)).mean())
    return -values, ends / len(right), risks, area


def jackknife_t(whole: Floats, without: Floats, level: float = 0.95) -> tuple[float, float]:
    """An interval around a number by what it is without each of S clusters: symmetric.

    By Student's t at S - 1 degrees of freedom. Of several seeds the number is the mean over them;
    their variance is added with its own degrees of freedom, as in `intervals.py`. Brier score and
    log-loss are means over clips, which it covers (docs/calibration.md). It does not cover ECE,
    which is larger in few clips than in many: see `ece_by_chance`.

    Args:
        whole: the number, () or (R,) of each seed.
        without: (S,) or (S, R), the same without each cluster.
        level: coverage aimed at.
    """
    whole, without = np.atleast_1d(whole), without.reshape(len(without), -1)
    S, R = without.shape
    spread = (S - 1) / S * np.square(without.mean(1) - without.mean()).sum()
    by_seed = between_seeds(whole)
    df = satterthwaite((spread, S - 1), (by_seed, max(1, R - 1)))
    half = float(stdtrit(df, (1 + level) / 2) * np.sqrt(spread + by_seed))
    value = float(whole.mean())
    return value - half, value + half
