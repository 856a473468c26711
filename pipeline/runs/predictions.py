"""The predictions of a run: a row for each tested clip, and the table of them, `predictions.csv`.

Names are written as `shown.to_cell` has it, so that no spreadsheet takes one for a formula.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from gensr.features.shown import from_cell, to_cell

_FIRST = ["path", "fold", "label", "predicted"]
"""The first columns; a probability per class follows."""
_LAST = ["speaker", "corpus"]
"""The last columns; version 0.1.0 wrote none of them, and names as they are."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was predicted of one tested clip, beside what it is."""

    path: str
    fold: str
    label: str
    predicted: str
    probabilities: tuple[float, ...]
    """One per class, in the protocol's order, summing to one."""
    speaker: str = ""
    """Who speaks; empty where nobody knows."""
    corpus: str = ""
    """Which corpus the clip is of; empty in a run of version 0.1.0."""


def to_csv(classes: Sequence[str], rows: Sequence[Prediction]) -> bytes:
    """The table, in path order.

    Args:
        classes: names of the classes, in the order of the probabilities.
        rows: in any order.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_FIRST, *(to_cell(f"p_{name}") for name in classes), *_LAST])
    for row in sorted(rows, key=lambda row: (row.path, row.fold)):
        first = map(to_cell, (row.path, row.fold, row.label, row.predicted))
        p = (f"{value:.6f}" for value in row.probabilities)
        writer.writerow([*first, *p, to_cell(row.speaker), to_cell(row.corpus)])
    return text.getvalue().encode()


def from_csv(data: bytes) -> list[Prediction]:
    """The rows of a table.

    Raises:
        ValueError, IndexError, csv.Error: it is none.
    """
    head, *rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    if head[: len(_FIRST)] != _FIRST:
        raise ValueError(f"its first line does not begin with {','.join(_FIRST)}")
    end = len(head) - len(_LAST) if head[-len(_LAST) :] == _LAST else len(head)
    return [_prediction(row, end, len(head)) for row in rows]


def _prediction(row: Sequence[str], end: int, columns: int) -> Prediction:
    """One line, whose probabilities end before column `end`."""
    if len(row) != columns:
        raise ValueError(f"a line of {len(row)} columns among lines of {columns}")
    p = tuple(float(value) for value in row[4:end])
    if end == columns:
        return Prediction(row[0], row[1], row[2], row[3], p)
    path, fold, label, predicted, speaker, corpus = map(from_cell, [*row[:4], *row[end:]])
    return Prediction(path, fold, label, predicted, p, speaker, corpus)
