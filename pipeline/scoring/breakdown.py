"""Where a run fails: recall per class, and the speaker it serves worst."""

from collections.abc import Sequence
from dataclasses import dataclass

from gensr.estimator.metrics import Numbers
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.predictions import Prediction

FEWEST = 5
"""Clips below which a speaker's accuracy says little, and no speaker is called the worst."""


@dataclass(frozen=True, slots=True)
class ClassRecall:
    """What became of the tested clips of one class."""

    name: str
    recall: float
    """In [0, 1]."""
    n: int
    """Clips tested; at least one."""
    taken_for: str
    """The class that most of the missed ones were taken for; empty where none was missed."""
    taken: int
    """How many were."""


@dataclass(frozen=True, slots=True)
class WorstSpeaker:
    """The speaker whose clips are answered right least often."""

    name: str
    accuracy: float
    """In [0, 1]."""
    n: int
    """Clips tested."""


def recalls(numbers: Numbers) -> list[ClassRecall]:
    """The recall of every class that was tested, in the order of the classes."""
    found = []
    answers = (*numbers.classes, "no answer")
    for index, (name, row) in enumerate(zip(numbers.classes, numbers.confusion, strict=True)):
        missed = [0 if other == index else count for other, count in enumerate(row)]
        taken = max(missed)
        if sum(row):
            found.append(
                ClassRecall(
                    name=name,
                    recall=row[index] / sum(row),
                    n=sum(row),
                    taken_for=answers[missed.index(taken)] if taken else "",
                    taken=taken,
                )
            )
    return found


def worst_speaker(predictions: Sequence[Prediction], protocol: Protocol) -> WorstSpeaker | None:
    """The worst of the speakers with `FEWEST` clips or more; among equals the one with most.

    Args:
        predictions: of a run; those of version 0.1.0 name no speaker, but the protocol may.
        protocol: of the run.

    Returns:
        None where speakers are not known, or none has clips enough.
    """
    clusters = dict(zip(protocol.paths, protocol.clusters, strict=True))
    several = len({given.corpus for given in predictions}) > 1
    hits: dict[str, list[bool]] = {}
    for given in predictions:
        name = given.speaker
        if name and several:
            name = f"{given.corpus}/{name}"
        if not name and not given.corpus and protocol.cluster == "speaker":
            name = clusters.get(given.path, "")
        if name:
            hits.setdefault(name, []).append(given.predicted == given.label)
    ranked = [
        (sum(right) / len(right), -len(right), name)
        for name, right in hits.items()
        if len(right) >= FEWEST
    ]
    if len(hits) < 2 or not ranked:
        return None
    accuracy, n, name = min(ranked)
    return WorstSpeaker(name, accuracy, -n)
