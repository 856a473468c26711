"""What a part found: rows for a reader, every raw figure for a file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(slots=True)
class Table:
    """One table of the answer."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: list[dict[str, Any]] = field(default_factory=list)
    """Every figure as it was measured, for `--out`."""

    def text(self) -> str:
        """Markdown."""
        lines = [f"| {' | '.join(self.columns)} |", "|---" * len(self.columns) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        return "\n".join([f"## {self.title}", "", *lines, "", *(f"- {n}" for n in self.notes)])


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Round by round: both sides of each were measured one after the other."""
    return [a / b for a, b in zip(over, under, strict=True)]


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Median, with the least and the most."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"
