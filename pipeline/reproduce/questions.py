"""What an experiment asks, given the corpora that are here.

The paper's own question where MELD is here, with whatever else of its training set there is; and
beside it, or in its place, the analogue on each corpus that can be split by speaker: its own
protocol, its own classes. An analogue is another question: its numbers never stand in the paper's
table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gensr.pipeline.reproduce import obtain
from gensr.pipeline.reproduce.paper import CORPORA, ONE_GENDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is learnt from, and what is tested."""

    name: str
    """Of its folder: `paper-mix`, `ravdess`, ..."""
    title: str
    """In words."""
    corpora: tuple[str, ...]
    label: str
    """`emotion` or `gender`."""
    protocol: str | None
    """None: the corpus's own."""
    of_paper: bool = False
    """Whether it is the paper's, on its own test set."""
    lacks: tuple[str, ...] = ()
    """What the paper's training set has and this has not, in words."""


def questions(label: str, folders: Mapping[str, Path]) -> tuple[Question, ...]:
    """The paper's question, if it can be asked, then its analogues.

    Args:
        label: `emotion` (Tables 1 and 3, Fig. 1) or `gender` (Table 2).
        folders: corpora that are here.
    """
    asked = [_paper(folders)] if label == "emotion" and "meld" in folders else []
    for name in CORPORA:
        if name in folders and name != "meld" and not (label == "gender" and name in ONE_GENDER):
            called = obtain.CORPORA[name].name.split(",")[0]
            asked.append(
                Question(
                    name=name,
                    title=f"analogue: {called}, {label}",
                    corpora=(name,),
                    label=label,
                    protocol=None,
                )
            )
    return tuple(asked)


def _paper(folders: Mapping[str, Path]) -> Question:
    there = tuple(name for name in CORPORA if name in folders)
    absent = [obtain.CORPORA[name].name.split(",")[0] for name in CORPORA if name not in folders]
    lacks = ["the in-house corpus, more than half of the paper's training clips"]
    if absent:
        lacks.insert(0, ", ".join(absent))
    return Question(
        name="paper-mix",
        title="MELD's official test, learnt from the paper's public corpora",
        corpora=there,
        label="emotion",
        protocol="paper-mix",
        of_paper=True,
        lacks=tuple(lacks),
    )
