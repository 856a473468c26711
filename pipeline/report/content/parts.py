"""The parts of a report that follow from the answers of its systems alone."""

from collections.abc import Iterator, Sequence

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
from gensr.pipeline.scoring.answered import Answered
from gensr.pipeline.scoring.compare import reasons_between
from gensr.pipeline.scoring.systems import System


def headline(system: System) -> Headline:
    """What stands first."""
    about, answers = system.protocol, system.answers
    known, config = estimates(answers.matrices()), system.runs[0].config
    return Headline(
        name=system.name,
        model=config.model,
        encoder=named(config.encoder),
        corpora=about.corpora,
        label=about.label,
        accuracy=known["accuracy"],
        uar=known["uar"],
        majority=known["majority_baseline"].value,
        n=len(answers.rows),
        clusters=len(np.unique(answers.clusters)),
        cluster=about.cluster,
        speakers=len({*answers.speakers.tolist()} - {""}),
        classes=len(about.classes),
        seeds=system.seeds,
        protocol=about.name,
        protocol_hash=about.hash,
    )


def confusion(answers: Answered) -> Confusion:
    """What was taken for what, the mean over seeds."""
    return Confusion(answers.protocol.classes, answers.matrices().sum(1).mean(0))


def by_class(answers: Answered) -> tuple[Bar, ...]:
    """The recall of every class that is tested."""
    tested, counts = np.unique(answers.truth, return_counts=True)
    return tuple(
        Bar(answers.protocol.classes[label], class_recall(answers, int(label)), int(n))
        for label, n in zip(tested, counts, strict=True)
    )


def by_speaker(answers: Answered) -> tuple[Bar, ...] | Missing:
    """The accuracy of every speaker, worst first."""
    speakers = answers.speakers
    if not (speakers != "").any():
        return Missing("The run does not know who speaks.")
    right = answers.right.mean(0)
    bars = []
    for name in sorted({*speakers.tolist()} - {""}):
        own = right[speakers == name]
        bars.append(Bar(name, of_one_speaker(float(own.sum()), len(own)), len(own)))
    if len(bars) < 2:
        return Missing("All tested clips are of one speaker.")
    return tuple(sorted(bars, key=lambda bar: (bar.estimate.value, bar.name)))


def systems_table(systems: Sequence[System]) -> Systems:
    """All systems of the first one's question, and in what the others' questions differ.

    Answers of any other system, as `gensr score` keeps them, stand in it like a run.
    """
    first = systems[0]
    unlike = {one.place: "; ".join(reasons_between(first, one)) for one in systems[1:]}
    alike = [first, *(one for one in systems[1:] if not unlike[one.place])]
    counts = [one.answers.matrices() for one in alike]
    paired = [None, *(differences(counts) if len(counts) > 1 else ())]
    notes = [
        f"{one.name} is not in the table. It answers another question: {unlike[one.place]}."
        for one in systems[1:]
        if unlike[one.place]
    ]
    notes += [note for one in alike for note in one.notes]
    notes += [line for one in alike for line in _over_others(one)]
    return Systems(
        rows=tuple(_row(*each) for each in zip(alike, counts, paired, strict=True)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _over_others(system: System) -> Iterator[str]:
    """Intervals over clusters that are not the protocol's: speakers, where those are dialogues."""
    for other in system.answers.numbers().also:
        told = [
            f"{called} {100 * span[0]:.1f} to {100 * span[1]:.1f} %"
            for metric, called in (("accuracy", "WA"), ("uar", "UAR"))
            if (span := other.intervals[metric])
        ]
        if told:
            over = f"{other.clusters} {other.cluster}s"
            yield f"{system.name}: 95 % intervals over {over}: {', '.join(told)}."


def _row(system: System, counts: Floats, difference: Difference | None) -> SystemRow:
    spreads = system.spreads("accuracy")
    config = system.runs[0].config if system.runs else None
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


def _several(spread: Spread) -> tuple[float, float] | None:
    return None if spread.sd is None else (spread.mean, spread.sd)
