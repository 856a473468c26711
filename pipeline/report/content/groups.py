"""Accuracy by what is known of the clips: gender, intensity, length, corpus, and the gaps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.metrics import accuracy
from gensr.pipeline.report.content.data import Bar, Estimate, Group, Missing
from gensr.pipeline.report.content.statistics import estimate
from gensr.pipeline.report.content.systems import System

COLUMNS = ("gender", "intensity", "level", "corpus", "length")
"""What is asked for; `length` is a third of the clips each, by their seconds."""
FEWEST = 5
"""Clips of a group; below, its accuracy says little."""


def groups(system: System) -> tuple[tuple[Group, ...] | Missing, tuple[str, ...]]:
    """The groups that there are, and why others are not shown, one line each."""
    if not system.protocol.columns:
        return Missing(
            "The run does not keep what is known of its clips: it is of an earlier version."
        ), ()
    found, lacking = [], []
    for column in COLUMNS:
        values = _lengths(system) if column == "length" else system.column(column)
        reason = _unfit(column, values)
        if reason or values is None:
            lacking.append(reason)
        else:
            found.append(_group(system, column, values))
    if not found:
        return Missing("No column tells the tested clips apart."), tuple(lacking)
    return tuple(found), tuple(lacking)


def _unfit(column: str, values: NDArray[np.str_] | None) -> str:
    if values is None or not (values != "").any():
        return f"{column}: not known of these clips."
    names = _named(values)
    if len(names) < 2:
        only = f"all tested clips are {names[0]}" if names else f"no group has {FEWEST} clips"
        return f"{column}: {only}."
    return ""


def _named(values: NDArray[np.str_]) -> Sequence[str]:
    names, counts = np.unique(values[values != ""], return_counts=True)
    pairs = zip(names.tolist(), counts, strict=True)
    return sorted((str(name) for name, count in pairs if count >= FEWEST), key=_rank)


def _rank(name: str) -> tuple[str, str]:
    """The shortest clips first; else by the alphabet."""
    return {"to": "0", "over": "2"}.get(name.split(" ")[0], "1"), name


def _group(system: System, column: str, values: NDArray[np.str_]) -> Group:
    bars = []
    for name in _named(values):
        part = values == name
        bars.append(Bar(name, estimate(accuracy, system.confusions(part=part)), int(part.sum())))
    ranked = sorted(bars, key=lambda bar: bar.estimate.value)
    worst, best = ranked[0], ranked[-1]
    return Group(
        column=column,
        bars=tuple(bars),
        gap=Estimate(best.estimate.value - worst.estimate.value),
        between=(best.name, worst.name),
    )


def _lengths(system: System) -> NDArray[np.str_] | None:
    """(n,), a third of the clips each, named by their limits in seconds."""
    texts = system.column("seconds")
    if texts is None or (texts == "").any():
        return None
    seconds = texts.astype(float)
    low, high = np.quantile(seconds, (1 / 3, 2 / 3))
    names = (f"to {low:.1f} s", f"{low:.1f} to {high:.1f} s", f"over {high:.1f} s")
    third: NDArray[np.str_] = np.array(names)[
        (seconds > low).astype(int) + (seconds > high).astype(int)
    ]
    return third
