"""`gensr compare`: systems in one table, with what they are apart and how sure that is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gensr.pipeline.scoring.systems import System
    from gensr.pipeline.scoring.table import Table

NAME = "compare"
_COLUMNS = ("p", "p (Holm)", "detectable")
EPILOG = """**Examples**

gensr compare runs/emodb-gen-ser runs/emodb-linear

gensr compare runs/gen-ser runs/linear scores/qwen2-audio --against linear --metric uar
"""


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Runs, runs of several seeds, or folders of `gensr score`."
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What all are compared with; default: the first."),
    ] = None,
    metric: Annotated[
        str, typer.Option(help="Of the differences: accuracy, uar, macro_f1 or weighted_f1.")
    ] = "accuracy",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare systems that answered one question: paired differences, intervals, exact tests."""
    from gensr.cli import console
    from gensr.pipeline.scoring.table import IncomparableError, compare

    try:
        found = compare(runs, against=against, metric=metric)
    except IncomparableError as error:
        # A table would rank them: each is named with what sets it apart, and there is none.
        if as_json:
            unlike = [each.as_json() for each in error.differences]
            console.print_json({"comparable": False, "differences": unlike})
        for each in error.differences:
            console.note(each.line())
        raise typer.Exit(1) from error
    if as_json:
        console.print_json(found.as_json())
    else:
        _show(found)


def _show(found: "Table") -> None:
    from gensr.cli import console

    about = found.systems[0].protocol
    notes = console.leaks_first(found.notes())
    for cluster in found.rivals:
        over = f"over {_clusters(found, cluster)} {cluster}s"
        classes = f"{about.label}, {len(about.classes)} classes"
        title = f"{about.name} ({about.hash}): {classes}; 95 % intervals {over}"
        console.table(title, _head(found), [_row(found, one, cluster) for one in found.systems])
    numbers = found.numbers[0]
    majority = 100 * numbers.values["majority_baseline"]
    console.print_plain(f"n = {numbers.n}, majority class {majority:.1f} %")
    if len(found.systems) > 1:
        console.print_plain(
            "detectable: the true difference, in points, that the corrected test would find four "
            "times in five"
        )
    rows = [_variance(one) for one in found.systems]
    head = ["system", "by seed", "by fold", "sd: seeds", "folds", f"{found.cluster}s", "rest"]
    console.table("where WA varies, in points", head, rows)
    for note in notes:
        console.print_plain(f"note: {note}")


def _head(found: "Table") -> list[str]:
    rivals = [f"{_called(found.metric)} - {found.reference.name}", *_COLUMNS]
    return ["system", "seeds", "n", "WA %", "UAR %", *(rivals if len(found.systems) > 1 else [])]


def _row(found: "Table", system: "System", cluster: str) -> list[str]:
    numbers = found.numbers[found.systems.index(system)]
    intervals = numbers.intervals
    for other in numbers.also:
        if other.cluster == cluster:
            intervals = other.intervals
    cells = [
        f"{100 * numbers.values[name]:.1f}{interval(intervals[name])}"
        for name in ("accuracy", "uar")
    ]
    row = [system.name, str(len(system.seeds) or "-"), str(numbers.n), *cells]
    if len(found.systems) == 1:
        return row
    rival = found.rival(system, cluster)
    if rival is None:
        return [*row, "-", "-", "-", "-"]
    one = rival.paired
    ends = None if one.low is None or one.high is None else (one.low, one.high)
    return [
        *row,
        f"{100 * one.value:+.1f}{interval(ends, sign='+')}",
        f"{one.p:.4f}",
        f"{rival.corrected:.4f}",
        "none" if one.detectable is None else f"{100 * one.detectable:.1f}",
    ]


def _variance(system: "System") -> list[str]:
    spreads, parts = system.spreads("accuracy"), system.variance()
    told = []
    for name in ("seeds", "folds"):
        one = spreads[name]
        told.append("-" if one.sd is None else f"{100 * one.mean:.1f} ± {100 * one.sd:.1f}")
    sds = (parts.seeds, parts.folds, parts.speakers, parts.rest)
    return [system.name, *told, *("-" if sd is None else f"{100 * sd:.1f}" for sd in sds)]


def interval(ends: tuple[float, float] | None, sign: str = "") -> str:
    """Both ends in per cent, in brackets; nothing where there is none."""
    return f" [{100 * ends[0]:{sign}.1f}, {100 * ends[1]:{sign}.1f}]" if ends else ""


def _clusters(found: "Table", cluster: str) -> int:
    numbers = found.numbers[0]
    return next((one.clusters for one in numbers.also if one.cluster == cluster), numbers.clusters)


def _called(metric: str) -> str:
    from gensr.pipeline.scoring.evaluation import CALLED

    return CALLED.get(metric, metric)
