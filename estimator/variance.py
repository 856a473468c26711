"""Where the variance of a result comes from: seeds, folds, speakers, told apart.

The accuracy of every speaker with every seed is taken apart as

    y_rs = mean + seed_r + fold_f(s) + speaker_s + rest_rs

with crossed random effects of seeds and speakers, speakers nested in folds. The estimator is the
analysis of variance of Searle, Casella and McCulloch (Variance Components, 1992): mean squares
are set equal to what they are in the mean. Every speaker counts alike, whoever has how many
clips. A component below zero is zero: no more than chance. `rest` is what a seed does to one
speaker alone, and the luck of few clips.

A fold's variance can be told from its speakers' where folds test several speakers each, and every
speaker is tested in one fold; seeds' variance where there are two seeds.

Shapes: S speakers (clusters), R seeds, F folds.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A mean, and how far its parts scatter."""

    mean: float
    """Mean of the parts: folds, or seeds."""
    sd: float | None
    """Their standard deviation (n - 1); None of a single one."""
    parts: int
    """How many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Standard deviations of accuracy, in [0, 1]; None where one cannot be told from others."""

    seeds: float | None
    """Of training with another seed, over all speakers."""
    folds: float | None
    """Of training on and testing another part, beyond the speakers in it."""
    speakers: float | None
    """Of speakers, within folds where folds are told apart."""
    rest: float | None
    """Of one seed with one speaker."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self)


def spread(values: Sequence[float]) -> Spread:
    """Mean and standard deviation of what was found in every fold, or with every seed.

    Raises:
        ConfigError: there is no value.
    """
    if not len(values):
        raise ConfigError("there is no value to take the mean of")
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(mean=float(np.mean(values)), sd=sd, parts=len(values))


def components(accuracy: NDArray[np.float64], folds: Sequence[str] | None = None) -> Components:
    """The standard deviations of seeds, folds and speakers.

    Args:
        accuracy: (R, S), of every speaker with every seed.
        folds: the fold that tests each speaker, (S,); None where speakers are in several.

    Raises:
        ConfigError: there is no speaker, or not a fold for each.
    """
    R, S = accuracy.shape
    if not S or (folds is not None and len(folds) != S):
        raise ConfigError(f"{S} speakers and {len(folds or ())} folds: a fold for each, one least")
    if S == 1:
        return Components(seeds=None, folds=None, speakers=None, rest=None)
    by_speaker, by_seed = accuracy.mean(0), accuracy.mean(1)
    rest = seeds = None
    if R > 1:
        left = accuracy - by_speaker - by_seed[:, None] + accuracy.mean()
        rest = float(np.square(left).sum() / ((R - 1) * (S - 1)))
        seeds = float(by_seed.var(ddof=1)) - rest / S
    between, within = _nested(by_speaker, folds)
    speakers = within - (rest / R if rest is not None else 0.0)
    return Components(
        seeds=_root(seeds), folds=_root(between), speakers=_root(speakers), rest=_root(rest)
    )


def _nested(values: NDArray[np.float64], folds: Sequence[str] | None) -> tuple[float | None, float]:
    """Variance of folds, None where it cannot be told, and of speakers within them."""
    S = len(values)
    names, index = np.unique(
        np.asarray(folds if folds is not None else [""] * S), return_inverse=True
    )
    F, many = len(names), np.bincount(index)
    if F < 2 or F == S:
        return None, float(values.var(ddof=1))
    means = np.bincount(index, values) / many
    within = float(np.square(values - means[index]).sum() / (S - F))
    square = float((many * np.square(means - values.mean())).sum() / (F - 1))
    typical = (S - float(np.square(many).sum()) / S) / (F - 1)  # speakers of a fold
    return (square - within) / typical, within


def _root(variance: float | None) -> float | None:
    return None if variance is None else math.sqrt(max(0.0, variance))
