"""The tables of the study, from what every system has right: each store's, and what is pooled.

Shapes: R seeds, S speakers, C classes.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.intervals import interval
from gensr.estimator.metrics import METRICS, is_over_classes
from gensr.estimator.paired import Paired, difference, holm
from study_parts.systems import System

Counts = NDArray[np.float64]
"""(R, S, C, C+1): what was right on the diagonal, what was not in the last column."""
FREE = {
    "emodb": ("03", "09", "14", "16"),
    "ravdess": ("01", "02", "03", "08", "09", "12", "16", "17", "19", "21", "22"),
}
"""Speakers who are in no development part at split seed 0."""
Answers = dict[tuple[str, str], Counts]
"""By store and system; speakers and classes in the order of their names."""


def read(file: Path, *, free: bool = False) -> Answers:
    """What every system has right; `free`: of the speakers in `FREE` alone."""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    if free:
        rows = [row for row in rows if row["speaker"] in FREE[row["store"].split("-")[0]]]
    of: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        of.setdefault((row["store"], row["system"]), []).append(row)
    return {key: _counts(some) for key, some in of.items()}


def _counts(rows: Sequence[dict[str, str]]) -> Counts:
    speakers = sorted({row["speaker"] for row in rows})
    labels = sorted({row["label"] for row in rows})
    C, R = len(labels), len(rows[0]["right"].split())
    found = np.zeros((R, len(speakers), C, C + 1))
    for row in rows:
        right = np.array([*map(int, row["right"].split())])
        s, c = speakers.index(row["speaker"]), labels.index(row["label"])
        found[:, s, c, c], found[:, s, c, C] = right, int(row["clips"]) - right
    return found


def of_store(answers: Answers, store: str, systems: Sequence[System], against: str) -> str:
    """Markdown: a row for each system that was tested on a store, the best first."""
    wanted = [each.name for each in systems if store in each.stores]
    there = [name for name in wanted if (store, name) in answers]
    if against not in there:
        return ""
    return "\n".join([*_table(answers, store, there, against), *_lacking(wanted, there)])


def among(answers: Answers, store: str, names: Sequence[str]) -> str:
    """Markdown: those of these that a store has, against the first."""
    there = [name for name in names if (store, name) in answers]
    return "\n".join(_table(answers, store, there, names[0])) if names[0] in there else ""


def _table(answers: Answers, store: str, there: Sequence[str], against: str) -> list[str]:
    one = answers[store, against]
    rivals = [name for name in there if name != against]
    value = METRICS["accuracy"]
    apart = {
        name: difference(value, answers[store, name], one, rivals=len(rivals)) for name in rivals
    }
    ps = dict(zip(rivals, holm([apart[name].p for name in rivals]), strict=True))
    n = one[0].sum()
    majority = 100 * one[0].sum((0, 2)).max() / n
    lines = [
        f"### {store}: n = {n:.0f}, majority {majority:.1f} %",
        "",
        f"| system | WA % | UAR % | sd of seeds | less {against}, points | p (Holm) | detectable |",
        "|---|---|---|---|---|---|---|",
    ]
    means = {name: float(value(answers[store, name].sum(1)).mean()) for name in there}
    for name in sorted(there, key=lambda name: -means[name]):
        mine = answers[store, name]
        seeds = value(mine.sum(1))
        cells = [name, _span(mine, "accuracy"), _span(mine, "uar")]
        cells.append(f"{100 * seeds.std(ddof=1):.1f}" if len(seeds) > 1 else "")
        if name == against:
            cells += ["", "", ""]
        else:
            least = apart[name].detectable
            finds = "none" if least is None else f"{100 * least:.1f}"
            cells += [_told(apart[name]), f"{ps[name]:.2g}", finds]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _lacking(wanted: Iterable[str], there: Sequence[str]) -> list[str]:
    lacking = [name for name in wanted if name not in there]
    return ["", f"Not run yet: {', '.join(lacking)}."] if lacking else []


def _span(mine: Counts, metric: str) -> str:
    value = METRICS[metric]
    span = interval(value, mine, by_class=is_over_classes(value))
    ends = f" [{100 * span[0]:.1f}, {100 * span[1]:.1f}]" if span else ""
    return f"{100 * float(value(mine.sum(1)).mean()):.1f}{ends}"


def _told(paired: Paired) -> str:
    low, high = paired.low, paired.high
    ends = "" if low is None or high is None else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"{100 * paired.value:+.1f}{ends}"


def calibration(file: Path) -> str:
    """Markdown: the error of confidences as they are, and by each fold's temperature and doubt."""
    if not file.is_file():
        return ""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    head = "| store | system | ECE as it is | calibrated | by chance |"
    told = [f"| {' | '.join(row.values())} |" for row in rows]
    return "\n".join([head, "|---|---|---|---|---|", *told])


def pooled(
    answers: Answers, free: Answers, stores: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> str:
    """Markdown: the first of each pair less the second, over the speakers of all stores.

    A speaker's clips of several stores are one cluster: the same voice, by several encoders. Clips
    count alike, so RAVDESS, which has most of them, decides. Beside it, the speakers alone who are
    in no development part, and so had no say in what was chosen.
    """
    head = "| difference, points | stores | all speakers | p (Holm) | in no development part |"
    lines = [head, "|---|---|---|---|---|"]
    found = []
    for pair in pairs:
        there = [s for s in stores if all((s, name) in answers for name in pair)]
        if there:
            some = [s for s in there if all((s, name) in free for name in pair)]
            apart = _apart(free, some, pair, len(pairs)) if some else None
            found.append((pair, there, _apart(answers, there, pair, len(pairs)), apart))
    corrected = holm([every.p for _, _, every, _ in found])
    for (pair, there, every, apart), p in zip(found, corrected, strict=True):
        few = "" if apart is None else f"{_told(apart)} ({apart.clusters})"
        cells = [" less ".join(pair), ", ".join(there), f"{_told(every)} ({every.clusters})"]
        lines.append(f"| {' | '.join([*cells, f'{p:.2g}', few])} |")
    return "\n".join(lines)


def by_store(answers: Answers, stores: Sequence[str], pair: tuple[str, str]) -> str:
    """Markdown: the first of a pair less the second, on each store by itself."""
    lines = [f"| {' less '.join(pair)} | points | p |", "|---|---|---|"]
    for store in stores:
        if all((store, name) in answers for name in pair):
            found = _apart(answers, [store], pair, 1)
            lines.append(f"| {store} | {_told(found)} | {found.p:.2g} |")
    return "\n".join(lines)


def _apart(answers: Answers, stores: Sequence[str], pair: tuple[str, str], rivals: int) -> Paired:
    sides = [_over(answers, stores, name) for name in pair]
    return difference(METRICS["accuracy"], *sides, rivals=rivals)


def _over(answers: Answers, stores: Sequence[str], system: str) -> Counts:
    """(R, S, 1, 2), of the speakers of all stores: right, and not."""
    corpora: dict[str, Counts] = {}
    for store in stores:
        mine, corpus = answers[store, system], store.split("-")[0]
        right = mine.diagonal(axis1=-2, axis2=-1).sum(-1)
        both = np.stack([right, mine.sum((-1, -2)) - right], -1)[:, :, None]
        corpora[corpus] = corpora.get(corpus, 0) + both
    return np.concatenate([corpora[name] for name in sorted(corpora)], axis=1)
