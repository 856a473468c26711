"""The parts of a report that follow from the answers of its systems alone."""

from collections.abc import Sequence

import numpy as np

from gensr.pipeline.report.content.data import (
    Bar,
    Confusion,
    Difference,
    Headline,
    Missing,
    SystemRow,
    Systems,
)
from gensr.pipeline.report.content.statistics import (
    class_recall,
    differences,
    estimates,
    of_one_speaker,
    unlike,
)
from gensr.pipeline.report.content.systems import System


def headline(system: System) -> Headline:
    """What stands first."""
    about, known = system.protocol, estimates(system)
    speakers = system.speakers
    return Headline(
        name=system.name,
        model=system.run.config.model,
        encoder=system.encoder,
        corpora=about.corpora,
        label=about.label,
        accuracy=known["accuracy"],
        uar=known["uar"],
        majority=known["majority_baseline"].value,
        n=len(system.rows),
        clusters=len(np.unique(system.clusters)),
        cluster=about.cluster,
        speakers=0 if speakers is None else len({*speakers.tolist()} - {""}),
        classes=len(about.classes),
        seeds=system.seeds,
        protocol=about.name,
        protocol_hash=about.hash,
    )


def confusion(system: System) -> Confusion:
    """What was taken for what, the mean over seeds."""
    return Confusion(system.protocol.classes, system.confusions().sum(1).mean(0))


def by_class(system: System) -> tuple[Bar, ...]:
    """The recall of every class that is tested."""
    tested, counts = np.unique(system.truth, return_counts=True)
    return tuple(
        Bar(system.protocol.classes[label], class_recall(system, int(label)), int(n))
        for label, n in zip(tested, counts, strict=True)
    )


def by_speaker(system: System) -> tuple[Bar, ...] | Missing:
    """The accuracy of every speaker, worst first."""
    speakers = system.speakers
    if speakers is None:
        return Missing("The run does not know who speaks.")
    right = system.right.mean(0)
    bars = []
    for name in sorted({*speakers.tolist()} - {""}):
        own = right[speakers == name]
        bars.append(Bar(name, of_one_speaker(float(own.sum()), len(own)), len(own)))
    if len(bars) < 2:
        return Missing("All tested clips are of one speaker.")
    return tuple(sorted(bars, key=lambda bar: (bar.estimate.value, bar.name)))


def systems_table(systems: Sequence[System]) -> Systems:
    """All systems of the first one's question, and in what the others' questions differ."""
    first = systems[0]
    alike = [first, *(one for one in systems[1:] if not unlike(first, one))]
    paired = [None, *differences(first, alike[1:])]
    rows = tuple(_row(system, difference) for system, difference in zip(alike, paired, strict=True))
    notes = [
        f"{one.name} is not in the table. It answers another question: {why}."
        for one in systems[1:]
        if (why := unlike(first, one))
    ]
    return Systems(rows=rows, notes=tuple(notes))


def _row(system: System, difference: Difference | None) -> SystemRow:
    right = system.right
    folds = [float(right[:, system.folds == name].mean()) for name in np.unique(system.folds)]
    return SystemRow(
        name=system.name,
        model=system.run.config.model,
        encoder=system.encoder,
        seeds=system.seeds,
        estimates=estimates(system),
        over_folds=_spread(folds),
        over_seeds=_spread(right.mean(1).tolist()),
        difference=difference,
    )


def _spread(values: Sequence[float]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    return float(np.mean(values)), float(np.std(values, ddof=1))
