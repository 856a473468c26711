"""How often does a nominal 95 % interval of the gap between two groups cover the truth?

Against: the delete-one-speaker jackknife of the difference with Student's t (Welch's degrees of
freedom where the speakers differ). Groups are of different speakers (as women and men), or of the
same (as loud and soft): then each speaker is alike in both by a correlation of 0.7 (Gaussian
copula), and the groups differ by `--gap`. Speakers are as unlike as in intervals.py, clips 20 per
speaker and group, or lognormal with that mean.

    python benchmarks/gaps.py
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit
from scipy.stats import beta

from gensr.estimator.gaps import combined, correlation
from gensr.estimator.intervals import bounds, jackknife_variance
from gensr.estimator.metrics import accuracy

Array = NDArray[np.float64]
CLIPS, ALIKE, SAME = 20, 0.12**2 / (0.7 * 0.3), 0.7


def skills(rng: np.random.Generator, truth: float, z: Array) -> Array:
    """Every speaker's probability of being answered right, by a normal draw z."""
    return np.asarray(beta.ppf(ndtr(z), truth * (1 / ALIKE - 1), (1 - truth) * (1 / ALIKE - 1)))


def matrices(rng: np.random.Generator, truth: float, z: Array, equal: bool) -> Array:
    """(trials, S, 2, 2), the first class alone true."""
    drawn = np.maximum(1, np.rint(rng.lognormal(np.log(CLIPS) - 0.5, 1.0, z.shape)))
    clips = np.full(z.shape, float(CLIPS)) if equal else drawn
    found = np.zeros((*z.shape, 2, 2))
    found[..., 0, 0] = rng.binomial(clips.astype(int), skills(rng, truth, z))
    found[..., 0, 1] = clips - found[..., 0, 0]
    return found


def main(trials: int, gap: float) -> None:
    """Print a row per truth, clips, speakers and kind of groups."""
    rng = np.random.default_rng(0)
    print("| better group | clips each | speakers | groups | gensr | jackknife t |")
    print("|---|---|---|---|---|---|")
    for truth in (0.7, 0.95, 0.983, 0.997):
        for equal in (True, False):
            for S in (4, 5, 12, 24):
                for paired in (False, True):
                    z = rng.normal(size=(2, trials, S))
                    if paired:
                        z[1] = SAME * z[0] + np.sqrt(1 - SAME**2) * z[1]
                    one = matrices(rng, truth, z[0], equal)
                    other = matrices(rng, truth - gap, z[1], equal)
                    r = correlation(accuracy, one, other) if paired else np.zeros(trials)
                    a, b = (accuracy(each.sum(-3)) for each in (one, other))
                    ends = [bounds(accuracy, each) for each in (one, other)]
                    low, high = combined(a, ends[0], b, ends[1], r)
                    ours = ((low <= gap) & (gap <= high)).mean()
                    width = 100 * (high - low).mean()
                    half = _jackknife(one, other, paired)
                    theirs = (np.abs(a - b - gap) <= half).mean()
                    each = str(CLIPS) if equal else "lognormal"
                    kind = "of the same" if paired else "of others"
                    print(
                        f"| {truth} | {each} | {S} | {kind} | {ours:.3f} ({width:.1f}) "
                        f"| {theirs:.3f} ({200 * half.mean():.1f}) |",
                        flush=True,
                    )


def _jackknife(one: Array, other: Array, paired: bool) -> Array:
    """Half the width of a symmetric interval."""
    S = one.shape[-3]
    if paired:
        a, b = (accuracy(e.sum(-3, keepdims=True) - e) for e in (one, other))
        d = a - b
        V = (S - 1) / S * np.square(d - d.mean(-1, keepdims=True)).sum(-1)
        return np.asarray(stdtrit(S - 1, 0.975) * np.sqrt(V))
    u, v = (jackknife_variance(accuracy, each) for each in (one, other))
    safe = np.maximum(np.square(u) + np.square(v), 1e-30)
    df = np.clip(np.square(u + v) / safe * (S - 1), 1, 2 * S - 2)
    return np.asarray(stdtrit(df, 0.975) * np.sqrt(u + v))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--gap", type=float, default=0.0, help="true difference")
    given = parser.parse_args()
    main(given.trials, given.gap)
