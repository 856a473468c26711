"""The parts of a report that follow from the answers of its systems alone."""

from collections.abc import Sequence

import numpy as np

from gensr.estimator.variance import Spread
from gensr.features.same_encoder import named
from gensr.pipeline.report.content.data import (
    Bar,
    Confusion,
    Difference,
    Floats,
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
)
from gensr.pipeline.report.content.systems import System
from gensr.pipeline.runs.config import RunConfig
from gensr.pipeline.runs.sets import runs_of
from gensr.pipeline.scoring import systems as scored
from gensr.pipeline.scoring.compare import reasons_between


def headline(system: System) -> Headline:
    """What stands first."""
    about, known = system.protocol, estimates(system.confusions())
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


def systems_table(systems: Sequence[scored.System]) -> Systems:
    """All systems of the first one's question, and in what the others' questions differ.

    Answers of any other system, as `gensr score` keeps them, stand in it like a run.
    """
    first = systems[0]
    unlike = {one.run: "; ".join(reasons_between(first, one)) for one in systems[1:]}
    alike = [first, *(one for one in systems[1:] if not unlike[one.run])]
    counts = [one.answers.matrices(_clusters(one)) for one in alike]
    paired = [None, *(differences(counts) if len(counts) > 1 else ())]
    notes = [
        f"{one.name} is not in the table. It answers another question: {unlike[one.run]}."
        for one in systems[1:]
        if unlike[one.run]
    ]
    notes += [note for one in alike for note in one.notes]
    return Systems(
        rows=tuple(_row(*each) for each in zip(alike, counts, paired, strict=True)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _clusters(system: scored.System) -> list[str]:
    """What the protocol's intervals are over, of each tested clip."""
    return next(iter(system.answers.clusterings().values()))


def _row(system: scored.System, counts: Floats, difference: Difference | None) -> SystemRow:
    spreads = system.spreads("accuracy")
    config = None if scored.is_foreign(system.run) else _config(system)
    return SystemRow(
        name=system.name,
        model=config.model if config else "answers of another system",
        encoder=named(config.encoder) if config else "",
        seeds=system.seeds,
        estimates=estimates(counts),
        over_folds=_several(spreads["folds"]),
        over_seeds=_several(spreads["seeds"]),
        difference=difference,
    )


def _config(system: scored.System) -> RunConfig:
    return runs_of(system.run)[0].config


def _several(spread: Spread) -> tuple[float, float] | None:
    return None if spread.sd is None else (spread.mean, spread.sd)
