"""Accuracy by what is known of the clips: gender, intensity, length, corpus, and the gaps."""

from gensr.pipeline.report.content.data import Bar, Estimate, Group, Missing
from gensr.pipeline.scoring import groups as scored
from gensr.pipeline.scoring.answered import Answered
from gensr.pipeline.scoring.groups import CLASS

_ELSEWHERE = (CLASS, "speaker")
"""Which have charts of their own."""
_METRIC = "accuracy"


def groups(answers: Answered) -> tuple[tuple[Group, ...] | Missing, tuple[str, ...]]:
    """The groups that there are, and why others are not shown, one line each."""
    if not answers.protocol.columns:
        return Missing(
            "The run does not keep what is known of its clips: it is of an earlier version."
        ), ()
    found = {one.by: one for one in scored.groupings(answers)}
    asked = [name for name in scored.USUAL if name not in _ELSEWHERE]
    shown = [_group(found[name]) for name in asked if name in found and found[name].gaps]
    lacking = [
        _lacking(name, found.get(name))
        for name in asked
        if name not in [one.column for one in shown]
    ]
    if not shown:
        return Missing("No column tells the tested clips apart."), tuple(lacking)
    return tuple(shown), tuple(lacking)


def _group(found: scored.Grouping) -> Group:
    gap = found.gaps[_METRIC]
    bars = []
    for one in found.groups:
        low, high = one.intervals[_METRIC] or (None, None)
        bars.append(Bar(one.name, Estimate(one.values[_METRIC], low, high), one.n))
    low, high = gap.interval or (None, None)
    return Group(
        column=found.by,
        bars=tuple(bars),
        gap=Estimate(gap.value, low, high),
        between=(gap.best, gap.worst),
    )


def _lacking(name: str, found: scored.Grouping | None) -> str:
    if found is None:
        return f"{name}: unknown, or the same of all tested clips."
    return f"{name}: fewer than two groups have {scored.FEWEST} clips."
