"""A chart: a table, and a figure that is drawn from it and from nothing else."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from matplotlib.figure import Figure

from gensr.features.shown import to_cell
from gensr.pipeline.report.figures.pen import Pen

Cell: TypeAlias = str | int | float | None
"""A float is a share unless the column's name says otherwise; None is not known."""


@dataclass(frozen=True, slots=True)
class Table:
    """The data of a chart."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def to_csv(self) -> bytes:
        """The table as a file; names are written as `shown.to_cell` has it."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(to_cell, self.head))
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return text.getvalue().encode()

    def column(self, name: str) -> list[Cell]:
        """One column, by its name."""
        where = self.head.index(name)
        return [row[where] for row in self.rows]

    def numbers(self, name: str) -> list[float]:
        """One column of numbers; what is not known is not a number."""
        return [float("nan") if value is None else float(value) for value in self.column(name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A table, and how it is drawn."""

    name: str
    """Of its files, without suffix."""
    title: str
    alt: str
    """What a person hears who does not see it."""
    table: Table
    draw: Callable[[Table, Pen], Figure]
    names: tuple[str, ...] = ()
    """Of others, that are drawn."""

    def figure(self, pen: Pen) -> Figure:
        """Draw it."""
        return self.draw(self.table, pen)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return to_cell(str(value))
