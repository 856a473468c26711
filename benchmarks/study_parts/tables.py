"""The tables of the study: each store's, and differences pooled over stores."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gensr.estimator.metrics import METRICS
from gensr.estimator.paired import Paired, difference, holm
from gensr.pipeline.scoring.table import Table, compare
from study_parts.systems import System
from study_parts.test import folder

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
    lines = [
        f"### {store}: n = {found.numbers[0].n}, majority "
        f"{100 * found.numbers[0].values['majority_baseline']:.1f} %",
        "",
        f"| system | WA % | UAR % | sd of seeds | less {against.name}, points | p (Holm) |",
        "|---|---|---|---|---|---|",
    ]
    order = sorted(range(len(there)), key=lambda i: -found.numbers[i].values["accuracy"])
    lines += [_row(found, i, named[found.systems[i].place.name]) for i in order]
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
