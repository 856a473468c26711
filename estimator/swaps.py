"""An exact test of two systems that answered the same clips: swap them, speaker by speaker.

Were two systems alike, either could have given either's answers of a speaker. So they are swapped
within speakers (clusters) in every way, or in many drawn ones, and p is the share of the ways that
part the systems at least as far as they were seen apart. For accuracy this is the sign-flip test
of the speakers' differences; it serves any number that follows from confusion matrices. Clips of
one speaker may be as alike as they like. McNemar's test takes them for independent.

Shapes: C classes, S clusters, R seeds.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.intervals import Matrix, Metric

EXACT = 14
"""Clusters up to which all ways of swapping are tried: beyond, there are more than `DRAWS`."""
DRAWS = 9999
"""Ways that are drawn where not all are tried; with the one that was seen, p >= 1/10000."""
_SLACK = 1e-12
"""What rounding may part two equal differences by."""
_AT_ONCE = 2**22
"""Counts of confusion matrices, and swaps, that are held at once."""
_ROUNDS = 30
"""Halvings, at most, to a detectable mean."""
FEW = 10
"""Clusters up to which the power of swapping is computed from its ways."""


def swap_test(metric: Metric, a: Matrix, b: Matrix, *, draws: int = DRAWS) -> tuple[float, bool]:
    """Two-sided p of swapping two systems within clusters, and whether all ways were tried.

    Where they have unequal many seeds, each one's are repeated until they are as many, which
    changes no mean.

    Args:
        metric: a function of confusion matrices.
        a: (R, S, C, C).
        b: (R', S, C, C).
        draws: ways that are drawn above `EXACT` clusters.
    """
    R = math.lcm(len(a), len(b))
    a, b = np.tile(a, (R // len(a), 1, 1, 1)), np.tile(b, (R // len(b), 1, 1, 1))
    half = (a - b) / 2  # (R, S, C, C)
    middle = (a + b).sum(1) / 2  # (R, C, C)
    half = half[:, np.abs(half).sum((0, 2, 3)) > 0]  # swapping others changes nothing
    S = half.shape[1]
    if not S:
        return 1.0, True
    flat = half.transpose(1, 0, 2, 3).reshape(S, -1)

    def apart(signs: NDArray[Any]) -> NDArray[np.float64]:
        moved = (signs @ flat).reshape(len(signs), *middle.shape)
        parted = (metric(middle + moved) - metric(middle - moved)).mean(-1)
        return np.abs(np.asarray(parted, np.float64))

    seen = float(apart(np.ones((1, S)))[0]) - _SLACK
    exact = S <= EXACT
    ways = 2 ** (S - 1) if exact else draws  # swapping all as well changes the sign alone
    rng = np.random.default_rng(0)
    beyond = 0
    step = max(1, _AT_ONCE // max(flat.shape))
    for start in range(0, ways, step):
        count = min(step, ways - start)
        bits = _bits(start, count, S) if exact else rng.integers(0, 2, (count, S))
        beyond += int((apart(1.0 - 2.0 * bits) >= seen).sum())
    return (beyond / ways if exact else (beyond + 1) / (ways + 1)), exact


def smallest_p(clusters: int) -> float:
    """The least p that any difference can have over so many clusters.

    >>> smallest_p(5), smallest_p(6)
    (0.0625, 0.03125)
    """
    return max(2.0 ** (1 - clusters), 1 / (DRAWS + 1) if clusters > EXACT else 0.0)


@lru_cache
def detectable_mean(S: int, alpha: float, power: float, trials: int = 1000) -> float:
    """The detectable mean of S normal differences of variance 1, by simulation, seed fixed."""
    noise = np.random.default_rng(0).standard_normal((trials, S))
    signs = 1.0 - 2.0 * _bits(0, 2 ** (S - 1), S).T  # the first leaves all as they are

    def found(mean: float) -> float:
        apart = np.abs((noise + mean) @ signs)
        p = (apart >= apart[:, :1] - _SLACK).mean(1)
        return float((p <= alpha).mean())

    low, high = 0.0, 64.0
    for _ in range(_ROUNDS):
        mean = (low + high) / 2
        low, high = (low, mean) if found(mean) >= power else (mean, high)
        if high - low < high / 256:
            break
    return high


def _bits(start: int, count: int, S: int) -> NDArray[np.int64]:
    """Who is swapped (count, S) in ways `start` and on; the last never is, so they are 2^(S-1)."""
    bits: NDArray[np.int64] = (np.arange(start, start + count)[:, None] >> np.arange(S)) & 1
    return bits
