"""Does the interval of a difference cover the truth, and how often does its test err?

Two systems answer the same clips; `estimator/paired.py` says how far apart they are. Speakers
differ as in `intervals.py`. Either the systems know nothing of one another (*apart*: each has its
own hard speakers), or they are near twins (*twins*: nine tenths of what makes a speaker hard are
shared, and so is luck on nine tenths of the clips), as two settings of one model are. The truth is
no difference, a quarter more errors, or twice the errors.

    covers     share of the trials whose 95 % interval holds the true difference: the least of the
               three, apart and as twins; in brackets the median width in points at no difference
    errs       share of the trials without a difference whose p is at most .05
    MDD        median minimum detectable difference in points, and how often a difference of that
               size is found, apart

The second table is of means over seeds: every seed shifts the truth (standard deviation 1 point
at .7, alike elsewhere), and each speaker's with it. Covered is the truth over seeds and speakers,
by the interval of one system and by that of the difference of two.

The third is of UAR and macro-F1 over seven classes as frequent as EmoDB's, the second system
with a quarter more errors.

    python benchmarks/paired.py
    python benchmarks/paired.py --trials 500 --tables seeds classes
"""

import argparse
from collections.abc import Sequence
from functools import partial

import numpy as np
from intervals import (
    CLIPS,
    EMODB,
    Array,
    clips_each,
    covered,
    population,
    seven_classes,
    two_classes,
)
from scipy.special import betaincinv, ndtr

from gensr.estimator.intervals import bounds
from gensr.estimator.metrics import METRICS, accuracy
from gensr.estimator.paired import difference, paired_bounds
from gensr.estimator.swaps import swap_test

TRUTHS, SPEAKERS, SPREAD = (0.6, 0.7, 0.95, 0.983, 0.997), (4, 10, 24, 91), 0.12
MORE_ERRORS = (0.0, 0.25, 1.0)
"""By which the second system has more errors than the first, relative to them."""
KINDS = {"apart": (1.0, 0.0), "twins": (0.1, 0.9)}
"""Share of what makes a speaker hard that is a system's own; share of clips of shared luck."""
SEED_SPREAD = 0.01
"""Standard deviation of the truth over seeds, at .7."""
SEEDS = 3
TABLES = ("first", "seeds", "classes")


def skills(normal: Array, truth: float | Array) -> Array:
    """Every speaker's probability of being answered right, from standard normal draws."""
    strength = 0.7 * 0.3 / SPREAD**2 - 1
    return betaincinv(truth * strength, (1 - truth) * strength, ndtr(normal))


def two_systems(
    rng: np.random.Generator, clips: Array, truth: float, more: float, kind: str
) -> tuple[Array, Array]:
    """Confusion matrices (trials, 1, S, 2, 2) of either, the second with more errors."""
    own, luck = KINDS[kind]
    shared = rng.standard_normal(clips.shape)
    one, other = (
        skills(np.sqrt(1 - own) * shared + np.sqrt(own) * rng.standard_normal(clips.shape), p)
        for p in (truth, 1 - (1 - truth) * (1 + more))
    )
    together = rng.binomial(clips.astype(int), luck)
    alone = clips.astype(int) - together
    low, high = np.minimum(one, other), np.maximum(one, other)
    both = rng.binomial(together, low)
    first = rng.binomial(together - both, (high - low) / np.maximum(1 - low, 1e-12))
    right = (
        both + np.where(one > other, first, 0) + rng.binomial(alone, one),
        both + np.where(other > one, first, 0) + rng.binomial(alone, other),
    )
    left, second = (_matrices(clips, each) for each in right)
    return left, second


def _matrices(clips: Array, right: Array) -> Array:
    matrices = np.zeros((len(clips), 1, clips.shape[1], 2, 2))
    matrices[:, 0, :, 0, 0], matrices[:, 0, :, 0, 1] = right, clips - right
    return matrices


def errs(one: Array, other: Array) -> float:
    """Share of trials that the test finds a difference in."""
    found = [
        swap_test(accuracy, a, b, draws=999)[0] <= 0.05 for a, b in zip(one, other, strict=True)
    ]
    return float(np.mean(found))


def detectable(one: Array, other: Array, most: int = 100) -> float | None:
    """Median minimum detectable difference of some trials."""
    found = [
        difference(accuracy, a, b).detectable for a, b in zip(one[:most], other[:most], strict=True)
    ]
    known = [each for each in found if each is not None]
    return float(np.median(known)) if known else None


def row(rng: np.random.Generator, trials: int, truth: float, S: int, *, equal: bool) -> list[str]:
    """The cells of one row of the first table."""
    cells, alarms, size = [], [], None
    for kind in KINDS:
        shares, width = [], 0.0
        for more in MORE_ERRORS:
            clips = clips_each(rng, trials, S, equal=equal)
            one, other = two_systems(rng, clips, truth, more, kind)
            low, high = paired_bounds(accuracy, one, other)
            shares.append(float(covered((low - 1e-12, high + 1e-12), more * (1 - truth))))
            if not more:
                width = float(np.median(high - low))
                alarms.append(f"{errs(one, other):.3f}")
                size = detectable(one, other) if kind == "apart" else size
        cells.append(f"{min(shares):.3f} ({100 * width:.1f})")
    return [*cells, *alarms, _power(rng, max(20, trials // 8), truth, S, size, equal=equal)]


def _power(
    rng: np.random.Generator,
    trials: int,
    truth: float,
    S: int,
    size: float | None,
    *,
    equal: bool,
) -> str:
    """A minimum detectable difference, and how often one of that size is found."""
    if size is None:
        return "none"
    if size >= truth:
        return f"{100 * size:.1f}, -"
    clips = clips_each(rng, trials, S, equal=equal)
    found = errs(*two_systems(rng, clips, truth, size / (1 - truth), "apart"))
    return f"{100 * size:.1f}, {found:.2f}"


def over_seeds(
    rng: np.random.Generator, clips: Array, truth: float, seeds: int, sd: float
) -> Array:
    """Confusion matrices (trials, R, S, 2, 2): speakers are hard in every seed."""
    spread = sd * np.sqrt(truth * (1 - truth) / 0.21)
    # The truth of a seed, around the truth: a beta distribution with that deviation.
    strength = truth * (1 - truth) / spread**2 - 1
    of_seed = rng.beta(truth * strength, (1 - truth) * strength, (len(clips), seeds, 1))
    normal = rng.standard_normal((len(clips), 1, clips.shape[1]))
    skill = skills(normal, np.clip(of_seed, 1e-9, 1 - 1e-9))
    many = np.broadcast_to(clips[:, None], skill.shape)
    flat = two_classes(rng, many.reshape(-1, clips.shape[1]), skill.reshape(-1, clips.shape[1]))
    return flat.reshape(*skill.shape, 2, 2)


def seeds_row(
    rng: np.random.Generator,
    trials: int,
    truth: float,
    S: int,
    *,
    equal: bool,
    seeds: int = SEEDS,
    sd: float = SEED_SPREAD,
) -> str:
    """The cells of one row of the second table."""
    clips = clips_each(rng, trials, S, equal=equal)
    one, other = (over_seeds(rng, clips, truth, seeds, sd) for _ in range(2))
    ours = bounds(accuracy, one, seeds=True)
    apart = paired_bounds(accuracy, one, other)
    return f"{covered(ours, truth)} | {covered(apart, 0.0)}"


def classes_row(rng: np.random.Generator, trials: int, truth: float, S: int, *, equal: bool) -> str:
    """The cells of one row of the third table."""
    clips = clips_each(rng, trials, S, equal=equal)
    worse = 1 - (1 - truth) * 1.25
    shared = rng.standard_normal(clips.shape)
    true = rng.multinomial(clips.astype(int), EMODB)
    one, other = (
        seven_classes(rng, clips, skills((shared + own) / np.sqrt(2), p), true)[:, None]
        for p, own in ((p, rng.standard_normal(clips.shape)) for p in (truth, worse))
    )
    cells = []
    for name in ("uar", "macro_f1"):
        metric = METRICS[name]
        apart = float(metric(population(truth)) - metric(population(worse)))
        cells.append(covered(paired_bounds(metric, one, other, by_class=True), apart))
    return " | ".join(cells)


def main(trials: int, tables: Sequence[str], seeds: int, sd: float) -> None:
    """Print the tables."""
    rng = np.random.default_rng(0)
    cells = [(t, equal, S) for t in TRUTHS for equal in (True, False) for S in SPEAKERS]
    if "first" in tables:
        first(rng, trials, cells)
    for name, head, row_of in (
        (
            "seeds",
            f"mean over {seeds} seeds | difference of two",
            partial(seeds_row, seeds=seeds, sd=sd),
        ),
        ("classes", "UAR | macro-F1", classes_row),
    ):
        if name not in tables:
            continue
        print(f"\n| truth | clips each | speakers | {head} |")
        print("|---|---|---|---|---|")
        for truth, equal, S in cells:
            each = f"{CLIPS}" if equal else "lognormal"
            told = row_of(rng, trials, truth, S, equal=equal)
            print(f"| {truth} | {each} | {S} | {told} |", flush=True)


def first(rng: np.random.Generator, trials: int, cells: Sequence[tuple[float, bool, int]]) -> None:
    """Print the table of coverage, errors and power."""
    print("| truth | clips each | speakers | covers: apart | twins | errs: apart | twins | MDD |")
    print("|---|---|---|---|---|---|---|---|")
    for truth, equal, S in cells:
        found = row(rng, trials, truth, S, equal=equal)
        each = f"{CLIPS}" if equal else "lognormal"
        print(f"| {truth} | {each} | {S} | " + " | ".join(found) + " |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--tables", nargs="+", default=TABLES, choices=TABLES)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--seed-spread", type=float, default=SEED_SPREAD, help="at .7")
    given = parser.parse_args()
    main(given.trials, given.tables, given.seeds, given.seed_spread)
