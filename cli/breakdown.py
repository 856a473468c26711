"""What `gensr eval` prints of one run beside its headline: by class, by group, and how sure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gensr.pipeline.scoring.calibration import Calibration, Rejection, Reliability, Span
    from gensr.pipeline.scoring.evaluate import Evaluation
    from gensr.pipeline.scoring.groups import Grouping

_QUIET = ("class", "speaker")
"""Groupings that have lines of their own, unless they are asked for."""
_WORTH = {"ece": "ECE %", "brier": "Brier", "log_loss": "log-loss"}


def show(one: "Evaluation", by: Sequence[str] = ()) -> None:
    """Print recalls, the speaker that is served worst, groups with their gaps, and calibration.

    Args:
        one: the evaluation.
        by: columns whose groups were asked for.
    """
    from gensr.cli.console import print_plain, table
    from gensr.pipeline.scoring.breakdown import recalls

    rows = [
        [
            found.name,
            f"{100 * found.recall:.1f}",
            str(found.n),
            f"{found.taken_for} ({found.taken})" if found.taken else "-",
        ]
        for found in recalls(one.numbers)
    ]
    table(f"{one.run}: recall by class", ["class", "recall %", "n", "most taken for"], rows)
    worst = one.worst_speaker
    if worst is not None:
        print_plain(f"worst speaker: {worst.name}, {100 * worst.accuracy:.1f} % of {worst.n}")
    for grouping in one.groups:
        if grouping.by in by or grouping.by == "corpus":
            _show_groups(one, grouping)
    _show_gaps(one)
    if one.calibration is not None:
        _show_calibration(one.calibration)


def _show_groups(one: "Evaluation", found: "Grouping") -> None:
    """Every group of a column, with what is known of it."""
    from gensr.cli.console import print_plain, table

    rows = [
        [
            group.name,
            _share(group.values["accuracy"], group.intervals["accuracy"]),
            _share(group.values["uar"], group.intervals["uar"]),
            f"{100 * group.values['macro_f1']:.1f}",
            str(group.n),
            group.lacks or "-",
        ]
        for group in found.groups
    ]
    head = [found.by, "WA %", "UAR %", "mF1", "n", "lacks"]
    table(f"{one.run}: by {found.by}", head, rows)
    if found.unknown:
        print_plain(f"{found.unknown} clips say nothing of {found.by}, and are in no group")


def _show_gaps(one: "Evaluation") -> None:
    """The best and the worst group of every column, and how far they are apart."""
    from gensr.cli.console import table

    rows = []
    for found in one.groups:
        if found.by in _QUIET or not found.gaps:
            continue
        gap, named = found.gaps["accuracy"], {group.name: group for group in found.groups}
        ends = [
            f"{name} {100 * named[name].values['accuracy']:.1f}" for name in (gap.best, gap.worst)
        ]
        uar = found.gaps["uar"]
        rows.append(
            [found.by, *ends, _share(gap.value, gap.interval), _share(uar.value, uar.interval)]
        )
    if rows:
        head = ["by", "best WA %", "worst WA %", "WA gap", "UAR gap"]
        table(f"{one.run}: gap of the best and the worst group", head, rows)


def _show_calibration(found: "Calibration") -> None:
    from gensr.cli.console import print_plain

    print_plain(f"calibration: {_worth(found.raw)}")
    if found.scaled is None:
        print_plain(f"no temperature: {found.lacks}")
    else:
        fitted = sorted(each.temperature for one in found.temperatures for each in one.values())
        told = f"{fitted[0]:.2f}" + (f" to {fitted[-1]:.2f}" if len(fitted) > 1 else "")
        print_plain(f"after temperature ({told}, by dev scores): {_worth(found.scaled)}")
    if found.rejection is not None:
        print_plain(_rejected(found.rejection))


def _worth(found: "Reliability") -> str:
    """The numbers of probabilities, each with its interval."""
    told = []
    for name, called in _WORTH.items():
        scale, digits = (100, 1) if name == "ece" else (1, 3)
        told.append(f"{called} {_number(found.values[name], found.intervals[name], scale, digits)}")
    return ", ".join(told)


def _rejected(found: "Rejection") -> str:
    sure = "probability after temperature" if found.calibrated else "probability"
    told = f"refused where the {sure} is below {found.below:g}: "
    told += f"{_share(found.coverage, found.coverage_interval)} % answered (n = {found.answered})"
    if found.accuracy is None:
        return told
    return told + f", {_share(found.accuracy, found.accuracy_interval)} % of these right"


def _share(value: float, span: "Span") -> str:
    """A share in per cent, with its interval where there is one."""
    return _number(value, span, 100, 1)


def _number(value: float, span: "Span", scale: int, digits: int) -> str:
    told = f"{scale * value:.{digits}f}"
    if span is None:
        return told
    return f"{told} [{scale * span[0]:.{digits}f}, {scale * span[1]:.{digits}f}]"
