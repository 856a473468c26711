"""`gensr eval`: the numbers and pictures of runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gensr.estimator.metrics import Numbers
    from gensr.pipeline.scoring.evaluation import Evaluation
    from gensr.pipeline.scoring.systems import System

NAME = "eval"
_OTHERS = {"macro_f1": "mF1 %", "weighted_f1": "wF1 %"}
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
    sampler_steps: Annotated[
        str | None, typer.Option(help="N to sweep (Table 3). [default: 1,2,4,10,20]")
    ] = None,
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

    steps = _steps("1,2,4,10,20" if sampler_steps is None else sampler_steps, sampler)
    asked = [(folder, runs_of(folder)) for folder in runs or [newest(Path("runs"))]]
    opened = [run for _, several in asked for run in several]
    sets = [(folder, len(several)) for folder, several in asked]
    if store:
        from gensr.cli import elsewhere

        others = elsewhere.others(opened, store)
        if others:
            of_own = {"sampler": sampler, "sampler-steps": sampler_steps, "trajectory": trajectory}
            elsewhere.refuse(of_own | {"by": by or None, "reject-below": reject_below})
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
    systems = _systems(sets, found, by or (), reject_below)
    if trajectory is not None and all(one.trajectory is None for one in found):
        console.note("--trajectory is of gen-ser's way from speech to class; no run here has one")
    for option, given in (("--sampler", sampler), ("--sampler-steps", sampler_steps)):
        if given is not None and not any(one.by_steps for one in found):
            console.note(f"{option} is of models that answer in N steps; no run here has one")
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
        if means := [one.as_json() for one in systems if len(one.seeds) > 1]:
            several["means"] = means
        console.print_json(plain[0] if len(plain) == 1 else several)
    else:
        _show(systems, by or ())


def _systems(
    sets: "Sequence[tuple[Path, int]]",
    found: "Sequence[Evaluation]",
    by: "Sequence[str]",
    reject_below: float | None,
) -> "list[Evaluation]":
    """Runs of one set as one system, the means over its seeds; of others each by itself."""
    from gensr.pipeline.scoring.evaluation import of_seeds

    left, systems = iter(found), []
    for folder, count in sets:
        own = [next(left) for _ in range(count)]
        many = count > 1
        systems.append(of_seeds(folder, own, by=by, reject_below=reject_below) if many else own[0])
    return systems


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


def _show(found: "list[Evaluation]", by: "Sequence[str]") -> None:
    """Print tables: a row for each system, and of each what is beside its headline."""
    from gensr.cli import breakdown, console
    from gensr.pipeline.scoring.compare import differences

    console.leaks_first([note for one in found for note in one.protocol.notes()])
    for one in found:
        _show_sweep(one)
    _show_runs(found)
    for difference in differences(found):
        console.print_plain(difference.line())
    for one in found:
        breakdown.show(one, by)
    for one in found:
        for picture in one.pictures:
            console.print_plain(str(picture))


def line(numbers: "Numbers") -> str:
    """The headline in one line."""
    majority = f"majority class {cell(numbers, 'majority_baseline').partition(' ')[0]}"
    told = f"WA {cell(numbers, 'accuracy')}, UAR {cell(numbers, 'uar')}"
    return f"{told}, n = {numbers.n}, {majority}"


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
        key = (one.protocol.hash, str(one.enrol_clips), *one.folds)
        questions.setdefault(key, []).append(one)
    for runs in questions.values():
        _show_question(runs)


def _show_question(runs: "list[Evaluation]") -> None:
    from gensr.cli.console import LEAK, print_plain, table
    from gensr.estimator.metrics import METRICS
    from gensr.features.same_encoder import first_difference, named
    from gensr.pipeline.scoring.systems import system_told
    from gensr.pipeline.training.enrolment import note_of

    names = [one.run.resolve().name for one in runs]
    encoders = [named(one.config.encoder) for one in runs]
    first = runs[0].config.encoder
    several = any(first_difference(first, other.config.encoder) for other in runs[1:])
    rows, systems = [], []
    for one, name, encoder in zip(runs, names, encoders, strict=True):
        called = name if names.count(name) == 1 else str(one.run)
        systems.append(system_told(one, called))
        called += f", {encoder}" if several else ""
        called += f", {len(one.seeds)} seeds" if len(one.seeds) > 1 else ""
        over = one.over_folds()["accuracy"]
        spread = f"{100 * over['mean']:.1f} ± {100 * over['sd']:.1f}" if len(one.folds) > 1 else "-"
        headline = [cell(one.numbers, "accuracy"), cell(one.numbers, "uar")]
        rows.append([called, *headline, *_others(one.numbers), spread])
    numbers, about = runs[0].numbers, runs[0].protocol
    title = f"{about.name} ({about.hash}): {about.label}, {len(about.classes)} classes"
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
    said = ((one.joined, one.perturbed, note_of(one.enrol_clips)) for one in runs)
    of_runs = dict.fromkeys(note for each in said for note in each if note)
    lines, leaves_out = _apart(systems)
    for line in lines:
        print_plain(line)
    for note in (*about.notes(), *of_runs, leaves_out):
        if not note.startswith(LEAK):
            print_plain(f"note: {note}")


def _apart(systems: "Sequence[System]") -> tuple[list[str], str]:
    """What each is apart from the first, paired, and what intervals leave out, a line each."""
    from gensr.cli.compare import interval
    from gensr.pipeline.scoring.compare import differences
    from gensr.pipeline.scoring.left_out import left_out
    from gensr.pipeline.scoring.table import tabulate

    left = left_out({one.name: len(one.seeds) for one in systems}, len(systems[0].folds))
    names = {one.name for one in systems}
    if len(names) < max(2, len(systems)) or differences(systems):
        return [], left
    found = tabulate(systems)
    lines = []
    for one in systems[1:]:
        rival = found.rival(one)
        assert rival is not None  # it is not the reference
        paired = rival.paired
        ends = None if paired.low is None or paired.high is None else (paired.low, paired.high)
        least = paired.detectable
        finds = "none" if least is None else f"{100 * least:.1f} (four times in five)"
        lines.append(
            f"{one.name} less {systems[0].name}: WA {100 * paired.value:+.1f}"
            f"{interval(ends, sign='+')} points, p {paired.p:.3g} (Holm {rival.corrected:.3g}), "
            f"detectable {finds}"
        )
    return lines, left


def _others(numbers: "Numbers") -> list[str]:
    """The other metrics, those of other packages among them."""
    from gensr.estimator.metrics import METRICS

    return [cell(numbers, name) for name in (*_OTHERS, *METRICS.foreign())]
