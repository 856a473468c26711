"""`gensr eval`: the numbers and pictures of runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gensr.estimator.metrics import Numbers
    from gensr.pipeline.evaluate import Evaluation

NAME = "eval"
EPILOG = """**Examples**

gensr eval

gensr eval runs/emodb-gen-ser runs/emodb-linear

gensr eval runs/emodb-gen-ser --sampler euler --sampler-steps 1,5,50 --json
"""


def command(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN", help="Default: the newest in runs/.")
    ] = None,
    sampler: Annotated[
        str | None, typer.Option(help="euler or exact; default: the run's own.")
    ] = None,
    sampler_steps: Annotated[str, typer.Option(help="N to sweep (Table 3).")] = "1,2,4,10,20",
    store: Annotated[
        list[Path] | None, typer.Option(help="Where the vectors are now, if they were moved.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score runs: WA, UAR, F1 with intervals over speakers, against N, with pictures."""
    from gensr.cli import console
    from gensr.estimator.errors import ConfigError
    from gensr.estimator.sampler import SAMPLERS
    from gensr.pipeline.evaluate import evaluate
    from gensr.pipeline.figures import draw
    from gensr.pipeline.run import Run, newest

    try:
        steps = sorted({int(N) for N in sampler_steps.split(",") if N.strip()})
    except ValueError:
        steps = [0]
    if any(N < 1 for N in steps):
        raise ConfigError(f"--sampler-steps takes numbers from 1, as 1,2,4; found {sampler_steps}")
    if sampler not in (None, *SAMPLERS):
        raise ConfigError(f"--sampler takes {' or '.join(SAMPLERS)}; found {sampler}")
    found = []
    for folder in runs or [newest(Path("runs"))]:
        run = Run.open(folder)
        one = evaluate(run, sampler=sampler, steps=steps, stores=store, device=device)
        one.pictures.extend(draw(one, folder / "figures"))
        run.write_numbers(one.as_json())
        found.append(one)
    if as_json:
        plain = [one.as_json() for one in found]
        typer.echo(json.dumps(plain[0] if len(plain) == 1 else {"runs": plain}, indent=2))
        return
    for one in found:
        _show_sweep(one)
    _show_runs(found)
    for one in found:
        for picture in one.pictures:
            console.print_plain(str(picture))


def line(numbers: "Numbers") -> str:
    """The headline in one line."""
    return f"WA {cell(numbers, 'accuracy')}, UAR {cell(numbers, 'uar')}, n = {numbers.n}"


def cell(numbers: "Numbers", metric: str) -> str:
    """One number in per cent, with its interval where there is one."""
    value = f"{100 * numbers.values[metric]:.1f}"
    span = numbers.intervals[metric]
    return f"{value} [{100 * span[0]:.1f}, {100 * span[1]:.1f}]" if span else value


METRIC_COLUMNS = {
    "WA %": "accuracy",
    "UAR %": "uar",
    "macro-F1 %": "macro_f1",
    "weighted-F1 %": "weighted_f1",
}


def _show_sweep(one: "Evaluation") -> None:
    from gensr.cli.console import table

    if one.by_steps:
        rows = [
            [str(N), *(cell(found, metric) for metric in METRIC_COLUMNS.values())]
            for N, found in one.by_steps.items()
        ]
        table(f"{one.run}: steps, {one.options['sampler']} sampler", ["N", *METRIC_COLUMNS], rows)


def _show_runs(found: "list[Evaluation]") -> None:
    from gensr.cli.console import note, print_plain, table

    rows = []
    for one in found:
        spread = one.over_folds()["accuracy"]
        folds = f"{100 * spread['mean']:.1f} ± {100 * spread['sd']:.1f}"
        rows.append(
            [
                one.model,
                *(cell(one.numbers, metric) for metric in METRIC_COLUMNS.values()),
                folds if len(one.folds) > 1 else "-",
                f"{100 * one.numbers.values['majority_baseline']:.1f}",
                str(one.numbers.n),
            ]
        )
    first = found[0]
    about = first.protocol
    title = (
        f"{about.name}: {about.label}, {len(about.classes)} classes, "
        f"{first.options['encoder']['name']}"
    )
    table(title, ["model", *METRIC_COLUMNS, "WA over folds", "majority", "n"], rows)
    if len({one.protocol.hash for one in found}) > 1:
        note("these runs answer different questions (protocol hashes differ): do not compare them")
    S = first.numbers.clusters
    if first.numbers.intervals["accuracy"] is None:
        print_plain(f"no intervals: {S} {about.cluster}s tested, they need 4")
    else:
        print_plain(f"[95 % intervals over {S} {about.cluster}s]")
