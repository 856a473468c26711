"""Whom a system serves worse: its numbers by gender, corpus, intensity, length, or any column.

From the predictions and the protocol alone. The gap is that of the best and the worst group. Where
there are more than two, those two were picked by the numbers that are compared, so their interval
is one of the simultaneous ones of all pairs (Bonferroni).

Shapes: R seeds, n clips, C classes, S clusters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError
from gensr.estimator.gaps import gap_interval
from gensr.estimator.intervals import MIN_CLUSTERS, Matrix
from gensr.estimator.metrics import METRICS, intervals_of, is_over_classes
from gensr.pipeline.scoring.answered import Answered

CLASS = "class"
"""What is predicted, by its true value."""
LENGTH = "length"
"""The column `seconds` in thirds."""
USUAL = (CLASS, "speaker", "corpus", "gender", "intensity", LENGTH)
"""What every evaluation is told by, where it is known and takes two values."""
FEWEST = 5
"""Clips below which a group is not called the best or the worst."""
_KINDS = 10
"""A column of numbers that takes more values is parted in thirds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The tested clips of one value of a column."""

    name: str
    n: int
    clusters: int
    """How many speakers (or dialogues) they are of."""
    values: dict[str, float]
    """Metric name to value in [0, 1]; of several seeds, the mean."""
    intervals: dict[str, tuple[float, float] | None]
    """Metric name to a 95 % interval over clusters; None where there are too few."""
    lacks: str
    """Why little can be said of it, in a few words; empty where nothing is lacking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far the best and the worst group of a column are apart, by one metric."""

    best: str
    worst: str
    value: float
    """In [0, 1]."""
    interval: tuple[float, float] | None
    """Of 95 %, over all pairs of groups at once; None where clusters are too few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """The groups of one column."""

    by: str
    groups: tuple[Group, ...]
    gaps: dict[str, Gap]
    """By metric; none where fewer than two groups have clips enough."""
    unknown: int
    """Tested clips of which the column says nothing: in no group."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self)


def groupings(found: Answered, by: Iterable[str] = ()) -> list[Grouping]:
    """The usual groupings that say something of these clips, and those asked for.

    Raises:
        ConfigError: a column that is asked for is not known, or names one group alone.
    """
    result = {}
    for name in USUAL:
        values = _values(found, name)
        if values is not None and len({*values.tolist()} - {""}) > 1:
            result[name] = _grouping(found, name, values)
    for name in by:
        values = _values(found, name)
        if values is None:
            there = dict.fromkeys((CLASS, "speaker", *sorted(found.protocol.columns)))
            raise ConfigError(
                f"no column {name!r} is known of these clips; there are {', '.join(there)}"
            )
        if len({*values.tolist()} - {""}) < 2:
            raise ConfigError(f"--by {name}: all tested clips are of one {name}, or of none known")
        result.setdefault(name, _grouping(found, name, values))
    return list(result.values())


def _values(found: Answered, by: str) -> NDArray[np.str_] | None:
    """(n,) the group of each clip, empty where nobody knows; None: of no clip."""
    if by == CLASS:
        return np.array(found.protocol.classes)[found.truth]
    if by == "speaker":
        return found.speakers
    values = found.column("seconds" if by == LENGTH else by)
    return None if values is None else _parted(by, values)


def _parted(name: str, values: NDArray[np.str_]) -> NDArray[np.str_]:
    """The group of each clip: its value, or the third that its number lies in."""
    known = values != ""
    numbers = np.full(len(values), np.nan)
    try:
        numbers[known] = values[known].astype(float)
    except ValueError:
        return values
    kinds = len(np.unique(values[known]))
    if not np.isfinite(numbers[known]).all() or (name != LENGTH and kinds <= _KINDS):
        return values
    if kinds < 3:
        return values
    unit = " s" if name in (LENGTH, "seconds") else ""
    low, high = np.quantile(numbers[known], [1 / 3, 2 / 3])
    names = (f"to {low:.3g}{unit}", f"{low:.3g} to {high:.3g}{unit}", f"above {high:.3g}{unit}")
    which = (numbers > low).astype(int) + (numbers > high)
    return np.where(known, np.array(names)[which], "")


def _grouping(found: Answered, by: str, values: NDArray[np.str_]) -> Grouping:
    names = _in_order(values)
    parts = {name: _of_clusters(found, values == name) for name in names}
    groups = tuple(_group(found, name, parts[name]) for name in names)
    fit = [group for group in groups if group.n >= FEWEST]
    return Grouping(
        by=by,
        groups=groups,
        gaps={} if len(fit) < 2 else {name: _gap(name, fit, parts) for name in METRICS},
        unknown=int((values == "").sum()),
    )


def _in_order(values: NDArray[np.str_]) -> list[str]:
    """Names of the groups, sorted; thirds from short to long."""
    names = sorted({*values.tolist()} - {""})
    ranks = {"to": 0, "above": 2}
    thirds = len(names) <= 3 and any(name.startswith("above ") for name in names)
    return sorted(names, key=lambda name: ranks.get(name.split(" ")[0], 1)) if thirds else names


def _of_clusters(found: Answered, some: NDArray[np.bool_]) -> Matrix:
    """Confusion matrices (R, S, C, C) of some clips, for every cluster: zeros where it has none."""
    names = np.unique(found.clusters)
    part = found.matrices(some=some)
    whole = np.zeros((part.shape[0], len(names), *part.shape[2:]))
    whole[:, np.isin(names, found.clusters[some])] = part
    return whole


def _group(found: Answered, name: str, matrices: Matrix) -> Group:
    there = matrices[:, matrices[0].sum((-2, -1)) > 0]
    n, clusters = round(there[0].sum()), there.shape[1]
    lacks = []
    if n < FEWEST:
        lacks.append(f"{n} clip{'s' * (n > 1)}: too few")
    if clusters < MIN_CLUSTERS:
        lacks.append(f"{clusters} {found.protocol.cluster}{'s' * (clusters > 1)}: no interval")
    return Group(
        name=name,
        n=n,
        clusters=clusters,
        values={m: float(METRICS[m](there.sum(1)).mean()) for m in METRICS},
        intervals=intervals_of(there),
        lacks="; ".join(lacks),
    )


def _gap(metric: str, groups: Sequence[Group], parts: dict[str, Matrix]) -> Gap:
    best = max(groups, key=lambda group: group.values[metric])
    worst = min(reversed(groups), key=lambda group: group.values[metric])  # another, if all alike
    pairs = len(groups) * (len(groups) - 1) // 2
    span = gap_interval(
        METRICS[metric],
        parts[best.name],
        parts[worst.name],
        by_class=is_over_classes(METRICS[metric]),
        level=1 - 0.05 / pairs,
    )
    return Gap(
        best=best.name,
        worst=worst.name,
        value=best.values[metric] - worst.values[metric],
        interval=span,
    )
