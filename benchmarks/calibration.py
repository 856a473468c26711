"""How often does an interval over speakers cover the truth of Brier score, log-loss, AURC and ECE?

Speakers differ twice: in how often they are answered right, as in intervals.py, and in how far the
confidence is from that (standard deviation 0.1 of the logarithm of a temperature of their own).
Each clip has its own confidence, of two classes. The truth is that of 20,000 speakers; of ECE also
the mean of what is printed, for it is larger in few clips than in many.

    python benchmarks/calibration.py
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.calibration import (
    brier_scores,
    ece,
    ece_by_chance,
    equal_width,
    jackknife_t,
    log_losses,
    risk_coverage,
    with_temperature,
)

Array = NDArray[np.float64]
CLIPS = 40


def answers(rng: np.random.Generator, S: int, sharp: float) -> tuple[Array, NDArray[np.int64]]:
    """Probabilities (S n, 2) and classes (S n,) of S speakers, n clips each."""
    shift = rng.normal(0, 0.5, (S, 1))
    logit = rng.normal(1.2, 1.0, (S, CLIPS)) + shift
    true = 1 / (1 + np.exp(-logit))
    own = sharp * np.exp(rng.normal(0, 0.1, (S, 1)))
    given = 1 / (1 + np.exp(-own * logit))
    y = (rng.random((S, CLIPS)) > true).astype(int)
    p = np.stack([given, 1 - given], -1).reshape(-1, 2)
    return with_temperature(p, 1.0), y.ravel()


def measured(p: Array, y: NDArray[np.int64]) -> Array:
    """Brier, log-loss, AURC, ECE, and what ECE would be by chance."""
    sure, right = p.max(-1), p.argmax(-1) == y
    return np.array(
        [
            brier_scores(p, y).mean(),
            log_losses(p, y).mean(),
            risk_coverage(sure, right)[3],
            ece(sure, right, equal_width()),
            ece_by_chance(sure, equal_width()),
        ]
    )


def main(trials: int, many: int, most: int) -> None:
    """Print a row per sharpness and number of speakers."""
    rng = np.random.default_rng(0)
    print(
        "| too sure by | speakers | Brier | log-loss | AURC | ECE | ECE: truth, printed, chance |"
    )
    print("|---|---|---|---|---|---|---|")
    for sharp in (1.0, 2.0):
        truth = measured(*answers(rng, many, sharp))
        for S in (S for S in (4, 10, 24, 91) if most >= S):
            held, printed = np.zeros(4), np.zeros(2)
            for _ in range(trials):
                p, y = answers(rng, S, sharp)
                speaker = np.repeat(np.arange(S), CLIPS)
                whole = measured(p, y)
                without = np.array([measured(p[speaker != s], y[speaker != s]) for s in range(S)])
                printed += whole[3:] / trials
                for i in range(4):
                    low, high = jackknife_t(whole[i], without[:, i])
                    held[i] += low <= truth[i] <= high
            told = ", ".join(f"{each:.3f}" for each in printed)
            shares = " | ".join(f"{share:.3f}" for share in held / trials)
            print(f"| {sharp} | {S} | {shares} | {truth[3]:.3f}, {told} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--speakers", type=int, default=20_000, help="that the truth is of")
    parser.add_argument("--most", type=int, default=91, help="speakers of the largest row")
    given = parser.parse_args()
    main(given.trials, given.speakers, given.most)
