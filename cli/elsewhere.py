"""What `gensr eval --store OTHER` prints: a run's models on another store than their own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gensr.pipeline.runs.run import Run
    from gensr.pipeline.scoring.elsewhere import Elsewhere


def evaluated(
    runs: "Sequence[Run]", stores: Sequence[str], device: str, *, allow_leaks: bool
) -> "list[Elsewhere]":
    """Ask the models of runs that were trained on other stores than these.

    Args:
        runs: those that are asked; of the others there is nothing in the answer.
        stores: as they were given.
        device: that the models are asked on.
        allow_leaks: see `evaluate_elsewhere`.
    """
    from gensr.cli import console
    from gensr.pipeline.scoring.elsewhere import evaluate_elsewhere, is_own

    with console.Bars() as bars:
        return [
            evaluate_elsewhere(run, stores, device=device, allow_leaks=allow_leaks, progress=bars)
            for run in runs
            if run.config.deployed or not is_own(run, stores)
        ]


def show(found: "Elsewhere") -> None:
    """Print the numbers, what was lost against the run's own clips, and where it is kept."""
    from gensr.cli.console import print_plain, table
    from gensr.cli.evaluate import cell

    numbers, about = found.numbers, found.protocol
    for note in found.notes[: bool(about.leaks)]:
        print_plain(note)
    rows = []
    for name, called in (("accuracy", "WA"), ("uar", "UAR"), ("macro_f1", "mF1")):
        row = [called, cell(numbers, name)]
        if found.own is not None:
            row += [cell(found.own, name), _gained(found, name)]
        rows.append(row)
    head = ["", f"{found.store} %"]
    if found.own is not None:
        head += ["own store %", "difference, points; p"]
    title = f"{found.run} on {found.store}: {about.name}, {about.label}"
    table(f"{title}, {len(about.classes)} classes", head, rows)
    spans = (
        f"[95 % intervals over {numbers.clusters} {about.cluster}s]"
        if numbers.intervals["accuracy"]
        else f"no intervals: {numbers.clusters} {about.cluster}s tested, they need 4"
    )
    majority = 100 * numbers.values["majority_baseline"]
    print_plain(f"n = {numbers.n}, majority class {majority:.1f} %, {spans}")
    for note in found.notes[bool(about.leaks) :]:
        print_plain(f"note: {note}")
    print_plain(str(found.folder))


def _gained(found: "Elsewhere", name: str) -> str:
    one = found.gained[name]
    ends = "" if one.low is None else f" [{100 * one.low:+.1f}, {100 * (one.high or 0):+.1f}]"
    return f"{100 * one.value:+.1f}{ends}; {one.p:.3g}"
