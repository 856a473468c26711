"""How often does a nominal 95 % interval over speakers cover the truth?

Against: the delete-one-speaker jackknife with Student's t (gensr), a percentile bootstrap over
speakers, and a normal interval over clips as if they were independent. Speakers differ: each
has a probability of being answered right, drawn around 0.7; the truth is its mean, 0.7.

    python benchmarks/intervals.py
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.metrics import accuracy, interval

TRUTH, SPREAD, CLIPS = 0.7, 0.12, 40


def speakers(rng: np.random.Generator, S: int) -> NDArray[np.float64]:
    """Confusion matrices (S, 2, 2) of S speakers with CLIPS clips each."""
    a = TRUTH * (1 - TRUTH) / SPREAD**2 - 1  # a beta distribution of that mean and deviation
    skill = rng.beta(TRUTH * a, (1 - TRUTH) * a, S)
    right = rng.binomial(CLIPS, skill)
    matrices = np.zeros((S, 2, 2))
    matrices[:, 0, 0], matrices[:, 0, 1] = right, CLIPS - right
    return matrices


def bootstrap(rng: np.random.Generator, matrices: NDArray[np.float64]) -> tuple[float, float]:
    """Percentile bootstrap over speakers, 1000 draws."""
    means = accuracy(matrices)
    draws = rng.integers(len(means), size=(1000, len(means)))
    low, high = np.percentile(means[draws].mean(1), [2.5, 97.5])
    return float(low), float(high)


def over_clips(matrices: NDArray[np.float64]) -> tuple[float, float]:
    """Normal interval as if clips were independent."""
    p, n = float(accuracy(matrices.sum(0))), len(matrices) * CLIPS
    half = 1.96 * np.sqrt(p * (1 - p) / n)
    return p - half, p + half


def main(trials: int) -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    print("| speakers | jackknife t (gensr) | percentile bootstrap | over clips |")
    print("|---|---|---|---|")
    for S in (4, 6, 10, 24, 91):
        covered = np.zeros(3)
        for _ in range(trials):
            matrices = speakers(rng, S)
            spans = (interval(accuracy, matrices), bootstrap(rng, matrices), over_clips(matrices))
            covered += [span is not None and span[0] <= TRUTH <= span[1] for span in spans]
        print(f"| {S} | " + " | ".join(f"{share:.3f}" for share in covered / trials) + " |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    main(parser.parse_args().trials)
