"""What `predict` gives back: a table of columns, which pandas, polars and Arrow take as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gensr.features.card import rows_card
from gensr.features.corpora import Problem
from gensr.features.shown import visible

_MOST = 20
"""Clips that are shown; the table has all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard in one clip."""

    path: str
    """The file, or part of one; `array 0`, ... for samples."""
    predicted: str
    probabilities: dict[str, float]
    """Per class, summing to one."""


class Answers(dict[str, list[Any]]):
    """Columns `path`, `predicted` and `p_CLASS` for each class; and what has no answer.

    >>> heard = Answers(("sad", "happy"), [Answer("a.wav", "sad", {"sad": 0.75, "happy": 0.25})])
    >>> heard["predicted"], heard["p_happy"], len(heard.rows)
    (['sad'], [0.25], 1)
    """

    def __init__(
        self,
        classes: Sequence[str],
        rows: Sequence[Answer],
        failed: Sequence[Problem] = (),
        notes: Sequence[str] = (),
        temperature: float | None = None,
        doubt: float | None = None,
    ) -> None:
        super().__init__(
            path=[row.path for row in rows],
            predicted=[row.predicted for row in rows],
            **{f"p_{name}": [row.probabilities[name] for row in rows] for name in classes},
        )
        self.rows = tuple(rows)
        """The same, clip by clip, in the order given."""
        self.failed = tuple(failed)
        """Files without an answer, and why."""
        self.notes = tuple(notes)
        """What folders and manifests had worth saying."""
        self.temperature = temperature
        """By which the probabilities were calibrated; None: they are the model's own."""
        self.doubt = doubt
        """The share of one for all that was mixed in, likewise."""

    def __repr__(self) -> str:
        head = f"Answers: {len(self.rows)} clips, {len(self.failed)} failed"
        lines = [
            f"{row.path}: {row.predicted} {row.probabilities[row.predicted]:.2f}"
            for row in self.rows[:_MOST]
        ]
        lines += [f"... {len(self.rows) - _MOST} more"] * (len(self.rows) > _MOST)
        lines += [f"{problem.path}: {problem.reason}" for problem in self.failed[:_MOST]]
        return "\n".join([head, *map(visible, lines)])

    def _repr_html_(self) -> str:
        rows = [
            [row.path, row.predicted, f"{row.probabilities[row.predicted]:.2f}"]
            for row in self.rows[:_MOST]
        ]
        title = f"{len(self.rows)} clips, {len(self.failed)} failed"
        if len(self.rows) > _MOST:
            title += f"; the first {_MOST}"
        return rows_card(title, ["clip", "predicted", "probability"], rows) + rows_card(
            "without an answer", ["file", "why"], [[p.path, p.reason] for p in self.failed[:_MOST]]
        ) * bool(self.failed)
