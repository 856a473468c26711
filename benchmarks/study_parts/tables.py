"""The tables of the study: each store's, and differences pooled over stores."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gensr.estimator.metrics import METRICS
from gensr.estimator.paired import Paired, difference, holm
from gensr.pipeline.progress import Silent
from gensr.pipeline.reproduce.sweep import answers_by_steps
from gensr.pipeline.runs.dev import temperatures
from gensr.pipeline.scoring.answered import count
from gensr.pipeline.scoring.calibration import calibration as of_answers
from gensr.pipeline.scoring.systems import systems_of
from gensr.pipeline.scoring.table import Table, compare
from study_parts.systems import System
from study_parts.test import folder

STEPS = (1, 2, 4, 10, 20, 50)
Counts = dict[tuple[str, str], dict[tuple[str, str], tuple[int, int]]]
"""(store, system) -> (seed, speaker) -> right, clips."""


def read(file: Path) -> Counts:
    """What every system has answered right, by speaker and seed."""
    found: Counts = {}
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            of = found.setdefault((row["store"], row["system"]), {})
            of[row["seed"], row["speaker"]] = int(row["right"]), int(row["clips"])
    return found


def of_store(runs: Path, store: str, systems: Sequence[System], against: System) -> str:
    """Markdown: a row for each system that was tested on a store."""
    there = [each for each in systems if folder(runs, store, each).is_dir()]
    if against not in there:
        return ""
    found = compare(
        [folder(runs, store, each) for each in there], against=str(folder(runs, store, against))
    )
    named = {folder(runs, store, each).name: each.name for each in there}
    lacking = [each.name for each in systems if store in each.stores and each not in there]
    lines = [
        f"### {store}: n = {found.numbers[0].n}, majority "
        f"{100 * found.numbers[0].values['majority_baseline']:.1f} %",
        "",
        f"| system | WA % | UAR % | sd of seeds | less {against.name}, points | p (Holm) |",
        "|---|---|---|---|---|---|",
    ]
    order = sorted(range(len(there)), key=lambda i: -found.numbers[i].values["accuracy"])
    lines += [_row(found, i, named[found.systems[i].place.name]) for i in order]
    if lacking:
        lines += ["", f"Not run: {', '.join(lacking)}."]
    return "\n".join(lines)


def _row(found: Table, i: int, name: str) -> str:
    system, numbers = found.systems[i], found.numbers[i]
    spans = []
    for metric in ("accuracy", "uar"):
        span = numbers.intervals[metric]
        ends = f" [{100 * span[0]:.1f}, {100 * span[1]:.1f}]" if span else ""
        spans.append(f"{100 * numbers.values[metric]:.1f}{ends}")
    seeds = system.spreads("accuracy")["seeds"]
    sd = f"{100 * seeds.sd:.1f}" if len(system.seeds) > 1 and seeds.sd is not None else ""
    rival = found.rival(system)
    apart = "" if rival is None else _told(rival.paired)
    p = "" if rival is None else f"{rival.corrected:.2g}"
    return f"| {name} | {spans[0]} | {spans[1]} | {sd} | {apart} | {p} |"


def _told(paired: Paired) -> str:
    ends = (
        "" if paired.low is None else f" [{100 * paired.low:+.1f}, {100 * (paired.high or 0):+.1f}]"
    )
    return f"{100 * paired.value:+.1f}{ends}"


def by_steps(runs: Path, store: str, own: System) -> str:
    """Markdown: Gen-SER at every N, and how far it is from N = 1."""
    place = folder(runs, store, own)
    if not place.is_dir():
        return ""
    (system,) = systems_of([place])
    answers = answers_by_steps(system.runs, STEPS, "cpu", Silent())
    each = {N: count(found, system.protocol).matrices() for N, found in answers.items()}
    value = METRICS["accuracy"]
    apart = {N: difference(value, each[N], each[1], rivals=len(STEPS) - 1) for N in STEPS[1:]}
    ps = dict(zip(apart, holm([one.p for one in apart.values()]), strict=True))
    lines = [
        f"### {store}",
        "",
        "| N | WA % | less N = 1, points | p (Holm) |",
        "|---|---|---|---|",
    ]
    for N in STEPS:
        wa = 100 * float(value(each[N].sum(1)).mean())
        told = "" if N == 1 else f"{_told(apart[N])} | {ps[N]:.2g}"
        lines.append(f"| {N} | {wa:.1f} | {told or '|'} |")
    return "\n".join(lines)


def calibration(runs: Path, store: str, systems: Sequence[System]) -> str:
    """Markdown: calibration error of the answers as they are, and by each fold's temperature."""
    lines = [f"### {store}", "", "| system | ECE as it is | by temperature | by chance |"]
    lines.append("|---|---|---|---|")
    for each in systems:
        place = folder(runs, store, each)
        if not each.calibrate or not place.is_dir():
            continue
        (system,) = systems_of([place])
        found = of_answers(system.answers, [temperatures(run) for run in system.runs])
        if found is None or found.scaled is None:
            continue
        cells = f"{found.raw.values['ece']:.3f} | {found.scaled.values['ece']:.3f}"
        lines.append(f"| {each.name} | {cells} | {found.scaled.chance['ece']:.3f} |")
    return "\n".join(lines)


def pooled(counts: Counts, stores: Iterable[str], pairs: Sequence[tuple[str, str]]) -> str:
    """Markdown: the first of each pair less the second, over the speakers of all stores.

    A speaker's clips of several stores are one cluster: the same voice, by several encoders.
    """
    stores = list(stores)
    found = [
        difference(
            METRICS["accuracy"],
            _matrices(counts, stores, one),
            _matrices(counts, stores, other),
            rivals=len(pairs),
        )
        for one, other in pairs
    ]
    corrected = holm([each.p for each in found])
    lines = ["| difference, points | speakers | p (Holm) |", "|---|---|---|"]
    for (one, other), each, p in zip(pairs, found, corrected, strict=True):
        lines.append(f"| {one} less {other}: {_told(each)} | {each.clusters} | {p:.2g} |")
    return "\n".join(lines)


def _matrices(counts: Counts, stores: Sequence[str], system: str) -> np.ndarray:
    """(R, S, 2, 2) whose diagonal is what was right, of speakers of all stores.

    A system that draws nothing has one seed, which stands for all.
    """
    seeds = sorted({seed for store in stores for seed, _ in counts[store, system]})
    cells: dict[tuple[str, str], list[np.ndarray]] = {}
    for store in stores:
        corpus = store.split("-")[0]
        speakers = sorted({speaker for _, speaker in counts[store, system]})
        for speaker in speakers:
            each = [counts[store, system][seed, speaker] for seed in seeds]
            block = np.array([[[right, clips - right], [0, 0]] for right, clips in each])
            cells.setdefault((corpus, speaker), []).append(block)
    return np.stack([sum(blocks) for _, blocks in sorted(cells.items())], axis=1)  # type: ignore[arg-type]
