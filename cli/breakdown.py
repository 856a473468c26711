"""What `gensr eval` prints of one run beside its headline: by class, by group, and how sure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gensr.pipeline.scoring.calibration import Calibration, Rejection, Span
    from gensr.pipeline.scoring.evaluation import Evaluation
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
        _show_calibration(one, one.calibration)


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


def _show_calibration(one: "Evaluation", found: "Calibration") -> None:
    """What the probabilities are worth, before and after the temperature, and the change."""
    from gensr.cli.console import print_plain, table
    from gensr.pipeline.runs.dev import told_temperatures

    rows = [["as answered", *_worth(found.raw.values, found.raw.intervals)]]
    if found.scaled is not None:
        changes = {name: value for name, (value, _) in found.change.items()}
        spans = {name: span for name, (_, span) in found.change.items()}
        rows.append(["after temperature", *_worth(found.scaled.values, found.scaled.intervals)])
        rows.append(["change", *_worth(changes, spans)])
    table(f"{one.run}: calibration", ["probabilities", *_WORTH.values()], rows)
    chance = 100 * (found.scaled or found.raw).chance["ece"]
    print_plain(f"of a perfect model ECE would be about {chance:.1f} % in so few clips")
    if found.scaled is None:
        print_plain(f"no temperature: {found.lacks}")
    else:
        fitted = [each for one in found.temperatures for each in one.values()]
        told = told_temperatures(fitted)
        print_plain(f"temperature {told}, of each fold by its own dev scores")
    if found.rejection is not None:
        print_plain(_rejected(found.rejection))


def _worth(values: Mapping[str, float], intervals: "Mapping[str, Span]") -> list[str]:
    """The numbers of probabilities, each with its interval."""
    told = []
    for name in _WORTH:
        scale, digits = (100, 1) if name == "ece" else (1, 3)
        told.append(_number(values[name], intervals.get(name), scale, digits))
    return told


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
