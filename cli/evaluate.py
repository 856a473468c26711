"""`gensr eval`: the numbers and pictures of runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gensr.estimator.metrics import Numbers
    from gensr.pipeline.scoring.evaluate import Evaluation

NAME = "eval"
_OTHERS = {"macro_f1": "mF1", "weighted_f1": "wF1"}
EPILOG = """**Examples**

gensr eval

gensr eval runs/emodb-gen-ser runs/emodb-linear

gensr eval runs/emodb-gen-ser --by sentence --reject-below 0.7

gensr eval runs/emodb-gen-ser --sampler euler --sampler-steps 1,5,50 --json

gensr eval runs/emodb-gen-ser --store noisy.zarr --store phone.zarr
"""


def command(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN", help="Default: the newest in runs/.")
    ] = None,
    sampler: Annotated[str | None, typer.Option(help="{samplers}; default: the run's own.")] = None,
    sampler_steps: Annotated[str, typer.Option(help="N to sweep (Table 3).")] = "1,2,4,10,20",
    store: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH|URL",
            help="Where the run's vectors are now, if they were moved; or another store of its "
            "encoder, to ask its models of: perturbed clips, another corpus. May be repeated.",
        ),
    ] = None,
    allow_leaks: Annotated[
        bool,
        typer.Option(
            "--allow-leaks", help="Ask a model also of clips it learnt from, and say so first."
        ),
    ] = False,
    trajectory: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS", help="Class whose way is drawn (Fig. 1); default: the first."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Tell the numbers by this column too; repeat."),
    ] = None,
    reject_below: Annotated[
        float | None,
        typer.Option(metavar="P", help="Count clips whose probability is below P as refused."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score runs: WA, UAR, F1 with intervals over speakers, against N, with pictures."""
    from gensr.cli import console
    from gensr.pipeline.runs.run import newest
    from gensr.pipeline.runs.sets import runs_of
    from gensr.pipeline.scoring.compare import differences
    from gensr.pipeline.scoring.evaluate import evaluate_all
    from gensr.pipeline.scoring.figures import draw, lacking

    steps = _steps(sampler_steps, sampler)
    asked = [(folder, runs_of(folder)) for folder in runs or [newest(Path("runs"))]]
    opened = [run for _, several in asked for run in several]
    of_sets = [str(folder) for folder, several in asked if len(several) > 1]
    if store:
        from gensr.cli import elsewhere

        others = elsewhere.others(opened, store)
        if others:
            elsewhere.refuse(sampler=sampler, trajectory=trajectory)
            elsewhere.show(opened, others, allow_leaks, device, as_json=as_json)
            return
    with console.Bars() as bars:
        found = evaluate_all(
            opened,
            sampler=sampler,
            steps=steps,
            stores=store,
            trajectory_of=trajectory,
            by=by or (),
            reject_below=reject_below,
            device=device,
            progress=bars,
        )
        for run, one in zip(opened, found, strict=True):
            # Another sampler than the run's own is a look aside: it replaces nothing.
            aside = "" if one.own else f"-{sampler}"
            one.pictures.extend(draw(one, run.folder / f"figures{aside}"))
            run.write_numbers(one.as_json(), f"numbers{aside}.json")
    if trajectory is not None and all(one.trajectory is None for one in found):
        console.note("--trajectory is of gen-ser's way from speech to class; no run here has one")
    if sampler is not None and all(one.sampler is None for one in found):
        console.note("--sampler is of models that answer in N steps; no run here has one")
    letters = sorted({letter for one in found for letter in lacking(one)})
    if letters:
        console.note(
            f"no font of this machine has {' '.join(letters[:10])}: such letters are drawn as code "
            "points; install one that has them (Debian: fonts-noto-cjk, fonts-noto-core)"
        )
    if as_json:
        plain = [one.as_json() for one in found]
        unlike = [difference.as_json() for difference in differences(found)]
        several = {"runs": plain, "comparable": not unlike, "differences": unlike}
        console.print_json(plain[0] if len(plain) == 1 else several)
    else:
        _show(found, by or (), of_sets)


def _steps(text: str, sampler: str | None) -> list[int]:
    """The N to sweep.

    Raises:
        ConfigError: they are no numbers, or there is no such sampler.
    """
    from gensr.estimator.errors import ConfigError
    from gensr.estimator.samplers.registry import SAMPLERS

    try:
        steps = sorted({int(N) for N in text.split(",") if N.strip()})
    except ValueError:
        steps = [0]
    if any(N < 1 for N in steps):
        raise ConfigError(f"--sampler-steps takes numbers from 1, as 1,2,4; found {text}")
    if sampler not in (None, *SAMPLERS):
        raise ConfigError(f"--sampler takes {' or '.join(SAMPLERS)}; found {sampler}")
    return steps


def _show(found: "list[Evaluation]", by: "Sequence[str]", of_sets: "Sequence[str]") -> None:
    """Print tables; of a set of seeds each run's headline, and where its means stand."""
    from gensr.cli import breakdown, console
    from gensr.pipeline.scoring.compare import differences

    for one in found:
        _show_sweep(one)
    _show_runs(found)
    for difference in differences(found):
        console.print_plain(difference.line())
    alone = [one for one in found if str(one.run.parent) not in of_sets]
    for one in alone:
        breakdown.show(one, by)
    for folder in of_sets:
        console.print_plain(
            f"{folder}: runs of several seeds; their means: gensr compare {folder}; classes, "
            f"speakers, groups and calibration over all of them: gensr report {folder}"
        )
    for one in alone:
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


def _show_sweep(one: "Evaluation") -> None:
    from gensr.cli.console import table
    from gensr.estimator.metrics import METRICS

    rows = [
        [str(N), cell(found, "accuracy"), cell(found, "uar"), *_others(found)]
        for N, found in one.by_steps.items()
    ]
    if rows:
        title = f"{one.run}: N steps" + (f" of the {one.sampler} sampler" if one.sampler else "")
        table(title, ["N", "WA %", "UAR %", *_OTHERS.values(), *METRICS.foreign()], rows)


def _show_runs(found: "list[Evaluation]") -> None:
    """One table per question: results of unlike protocols never stand side by side."""
    questions: dict[tuple[str, ...], list[Evaluation]] = {}
    for one in found:
        questions.setdefault((one.protocol.hash, *one.folds), []).append(one)
    for runs in questions.values():
        _show_question(runs)


def _show_question(runs: "list[Evaluation]") -> None:
    from gensr.cli.console import print_plain, table
    from gensr.estimator.metrics import METRICS
    from gensr.features.same_encoder import first_difference, named

    names = [one.run.resolve().name for one in runs]
    encoders = [named(one.config.encoder) for one in runs]
    first = runs[0].config.encoder
    several = any(first_difference(first, other.config.encoder) for other in runs[1:])
    rows = []
    for one, name, encoder in zip(runs, names, encoders, strict=True):
        called = name if names.count(name) == 1 else str(one.run)
        called += f", {encoder}" if several else ""
        over = one.over_folds()["accuracy"]
        spread = f"{100 * over['mean']:.1f} ± {100 * over['sd']:.1f}" if len(one.folds) > 1 else "-"
        headline = [cell(one.numbers, "accuracy"), cell(one.numbers, "uar")]
        rows.append([called, *headline, *_others(one.numbers), spread])
    numbers, about = runs[0].numbers, runs[0].protocol
    title = f"{about.name}: {about.label}, {len(about.classes)} classes"
    title += "" if several else f", {encoders[0]}"
    table(
        title, ["run", "WA %", "UAR %", *_OTHERS.values(), *METRICS.foreign(), "WA by fold"], rows
    )
    spans = (
        f"[95 % intervals over {numbers.clusters} {about.cluster}s]"
        if numbers.intervals["accuracy"]
        else f"no intervals: {numbers.clusters} {about.cluster}s tested, they need 4"
    )
    majority = 100 * numbers.values["majority_baseline"]
    print_plain(f"n = {numbers.n}, majority class {majority:.1f} %, {spans}")
    for name, one in zip(names, runs, strict=True):
        for other in one.numbers.also:
            told = ", ".join(
                f"{called} [{100 * span[0]:.1f}, {100 * span[1]:.1f}]"
                for metric, called in (("accuracy", "WA"), ("uar", "UAR"))
                if (span := other.intervals[metric])
            )
            print_plain(f"{name}, over {other.clusters} {other.cluster}s: {told or 'no intervals'}")
    of_runs = dict.fromkeys(note for one in runs for note in (one.joined, one.perturbed) if note)
    for note in (*about.notes(), *of_runs):
        print_plain(f"note: {note}")


def _others(numbers: "Numbers") -> list[str]:
    """What stands without its interval, other packages' metrics among it."""
    from gensr.estimator.metrics import METRICS

    return [f"{100 * numbers.values[name]:.1f}" for name in (*_OTHERS, *METRICS.foreign())]
