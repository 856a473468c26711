"""Where a run fails: recall per class, and the speaker it serves worst."""

from dataclasses import dataclass

from gensr.estimator.metrics import Numbers
from gensr.pipeline.scoring.answered import Answered

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
    """How many were; of several seeds the mean, rounded."""


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
                    n=sum(row) // numbers.seeds,
                    taken_for=answers[missed.index(taken)] if taken else "",
                    taken=round(taken / numbers.seeds),
                )
            )
    return found


def worst_speaker(answers: Answered) -> WorstSpeaker | None:
    """The worst of the speakers with `FEWEST` clips or more; among equals the one with most.

    Returns:
        None where speakers are not known, or none has clips enough.
    """
    speakers, right = answers.speakers, answers.right.mean(0)
    names = sorted({*speakers.tolist()} - {""})
    each = [(right[speakers == name], name) for name in names]
    ranked = [(float(one.mean()), -len(one), name) for one, name in each if len(one) >= FEWEST]
    if len(names) < 2 or not ranked:
        return None
    accuracy, n, name = min(ranked)
    return WorstSpeaker(name, accuracy, -n)
