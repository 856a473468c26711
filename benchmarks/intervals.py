"""How often does a nominal 95 % interval over speakers cover the truth?

Against: the intervals of gensr (`estimator/intervals.py`), the delete-one-speaker jackknife with
Student's t (gensr 0.1.0), a percentile bootstrap over speakers, and a normal interval over clips
as if they were independent.

Speakers differ: each has a probability of being answered right, drawn from a beta distribution
around the truth. They are equally unlike at every truth, by the correlation of being right
between two clips of one speaker, SPREAD^2 / (0.7 * 0.3). Clips per speaker are equally many, or
lognormal: of the same mean, and the logarithm's standard deviation 1. The second table has seven
classes as frequent as EmoDB's; errors fall on the other classes alike.

    python benchmarks/intervals.py
    python benchmarks/intervals.py --spread 0.18     # speakers twice as unlike
"""

import argparse
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from gensr.estimator.intervals import Metric, bounds, jackknife_variance
from gensr.estimator.metrics import METRICS, accuracy, is_over_classes

TRUTHS, SPEAKERS, CLIPS = (0.6, 0.7, 0.95, 0.983, 0.997), (4, 10, 24, 91), 40
EMODB = np.array([127, 81, 46, 69, 71, 62, 79]) / 535
"""Share of each class of EmoDB."""

Array = NDArray[np.float64]
Ends = tuple[Array, Array]


def clips_each(rng: np.random.Generator, trials: int, S: int, *, equal: bool) -> Array:
    """Clips per speaker, (trials, S), 40 in the mean, at least 2."""
    if equal:
        return np.full((trials, S), float(CLIPS))
    return np.maximum(2.0, np.rint(rng.lognormal(np.log(CLIPS) - 0.5, 1.0, (trials, S))))


def skills(rng: np.random.Generator, truth: float, spread: float, shape: tuple[int, int]) -> Array:
    """Every speaker's probability of being answered right."""
    alike = spread**2 / (0.7 * 0.3)
    return rng.beta(truth * (1 / alike - 1), (1 - truth) * (1 / alike - 1), shape)


def two_classes(rng: np.random.Generator, clips: Array, skill: Array) -> Array:
    """Confusion matrices (trials, S, 2, 2) whose first class alone is true: right or wrong."""
    matrices = np.zeros((*clips.shape, 2, 2))
    matrices[..., 0, 0] = rng.binomial(clips.astype(int), skill)
    matrices[..., 0, 1] = clips - matrices[..., 0, 0]
    return matrices


def seven_classes(
    rng: np.random.Generator, clips: Array, skill: Array, true: NDArray[np.int64] | None = None
) -> Array:
    """Confusion matrices (trials, S, 7, 7); clips per class are drawn, or those given."""
    C = len(EMODB)
    matrices = np.zeros((*clips.shape, C, C))
    true = rng.multinomial(clips.astype(int), EMODB) if true is None else true
    right = rng.binomial(true, skill[..., None])
    for c in range(C):
        elsewhere = [d for d in range(C) if d != c]
        wrong = true[..., c] - right[..., c]
        matrices[..., c, elsewhere] = rng.multinomial(wrong, np.full(C - 1, 1 / (C - 1)))
        matrices[..., c, c] = right[..., c]
    return matrices


def population(truth: float) -> Array:
    """The confusion matrix of infinitely many speakers, (7, 7)."""
    C = len(EMODB)
    wrong = EMODB[:, None] * (1 - truth) / (C - 1) * (1 - np.eye(C))
    return np.diag(EMODB * truth) + wrong


def jackknife_t(metric: Metric, matrices: Array) -> Ends:
    """The interval of gensr 0.1.0: symmetric, cut at 0 and 1."""
    variance = jackknife_variance(metric, matrices)
    half = stdtrit(matrices.shape[-3] - 1, 0.975) * np.sqrt(variance)
    centre = metric(matrices.sum(-3))
    return np.maximum(0.0, centre - half), np.minimum(1.0, centre + half)


def bootstrap(rng: np.random.Generator, matrices: Array, draws: int = 1000) -> Ends:
    """Percentile bootstrap over speakers."""
    clips, right = matrices.sum((-2, -1)), np.trace(matrices, axis1=-2, axis2=-1)
    S = clips.shape[-1]
    times = rng.multinomial(S, np.full(S, 1 / S), draws).T.astype(float)  # (S, draws)
    low, high = np.percentile((right @ times) / (clips @ times), [2.5, 97.5], axis=-1)
    return low, high


def over_clips(matrices: Array) -> Ends:
    """Normal interval as if clips were independent."""
    p, n = accuracy(matrices.sum(-3)), matrices.sum((-3, -2, -1))
    half = 1.96 * np.sqrt(p * (1 - p) / n)
    return p - half, p + half


def covered(ends: Ends, truth: float) -> str:
    """Share of the trials whose interval holds the truth."""
    return f"{((ends[0] <= truth) & (truth <= ends[1])).mean():.3f}"


def with_width(ends: Ends, truth: float) -> str:
    """The same, and the mean width in points."""
    return f"{covered(ends, truth)} ({100 * (ends[1] - ends[0]).mean():.1f})"


def accuracies(
    rng: np.random.Generator, trials: int, spread: float, truths: Sequence[float]
) -> None:
    """Print the table of accuracy; in brackets the mean width in points."""
    print("| truth | clips each | speakers | gensr | jackknife t | bootstrap | over clips |")
    print("|---|---|---|---|---|---|---|")

    def row(truth: float, clips: Array) -> list[str]:
        matrices = two_classes(rng, clips, skills(rng, truth, spread, clips.shape))
        return [
            with_width(bounds(accuracy, matrices), truth),
            with_width(jackknife_t(accuracy, matrices), truth),
            covered(bootstrap(rng, matrices), truth),
            covered(over_clips(matrices), truth),
        ]

    each_cell(rng, trials, truths, row)


def by_class(rng: np.random.Generator, trials: int, spread: float, truths: Sequence[float]) -> None:
    """Print the table of UAR and F1: gensr, then the jackknife."""
    print("| truth | clips each | speakers | UAR | macro-F1 | weighted-F1 |")
    print("|---|---|---|---|---|---|")

    def row(truth: float, clips: Array) -> list[str]:
        matrices = seven_classes(rng, clips, skills(rng, truth, spread, clips.shape))
        cells = []
        for name in ("uar", "macro_f1", "weighted_f1"):
            metric = METRICS[name]
            true = float(metric(population(truth)))
            ours = bounds(metric, matrices, by_class=is_over_classes(metric))
            before = jackknife_t(metric, matrices)
            cells.append(f"{covered(ours, true)}, {covered(before, true)}")
        return cells

    each_cell(rng, trials, truths, row)


def each_cell(
    rng: np.random.Generator,
    trials: int,
    truths: Sequence[float],
    row: Callable[[float, Array], list[str]],
) -> None:
    """Print one row per truth, clips per speaker, and number of speakers."""
    for truth in truths:
        for equal in (True, False):
            for S in SPEAKERS:
                cells = row(truth, clips_each(rng, trials, S, equal=equal))
                each = f"{CLIPS}" if equal else "lognormal"
                print(f"| {truth} | {each} | {S} | " + " | ".join(cells) + " |", flush=True)


def main(trials: int, spread: float, truths: Sequence[float]) -> None:
    """Print both tables."""
    rng = np.random.default_rng(0)
    accuracies(rng, trials, spread, truths)
    print()
    by_class(rng, trials, spread, truths)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--spread", type=float, default=0.12, help="sd of skill at 0.7")
    parser.add_argument("--truths", type=float, nargs="+", default=TRUTHS, help="true accuracies")
    given = parser.parse_args()
    main(given.trials, given.spread, given.truths)
