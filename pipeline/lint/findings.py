"""What a check found: one line each, the gravest first; plain values for a file.

Three weights. `fatal`: no number of this protocol may be believed. `warning`: a person has to look
at it. `note`: worth knowing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

FATAL, WARNING, NOTE = "fatal", "warning", "note"
WEIGHTS = (FATAL, WARNING, NOTE)
"""The gravest first."""
TEST_SET, LEAK = "test set", "leak"
"""Kinds that come before all others: a smaller test set, and what is on both sides."""
_FIRST = (TEST_SET, LEAK)
_NAMED = 5
"""Clips that a line names; `as_json` names all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found."""

    kind: str
    """`test set`, `leak`, `overlap`, `near-identical`, `shortcut`, `count`, `file`, ..."""
    weight: str
    """`fatal`, `warning` or `note`."""
    line: str
    """For a person: what, how many, what to do."""
    clips: tuple[str, ...] = ()
    """Paths that it is about."""
    count: int | None = None
    """Clips that it is about, where they are not named."""
    of: int | None = None
    """Among how many."""

    def as_json(self) -> dict[str, Any]:
        """Plain values; what is not known is left out."""
        told = {"count": self.count, "of": self.of, "clips": list(self.clips) or None}
        known = {key: value for key, value in told.items() if value is not None}
        return {"kind": self.kind, "weight": self.weight, "line": self.line, **known}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """How well the label follows from one column alone."""

    column: str
    """`sentence`, `speaker`, `gender`, `corpus`, `seconds`, ..."""
    accuracy: float
    """Of the label learnt from the column on each fold's training part, on its test part."""
    interval: tuple[float, float] | None
    """95 %, over clusters; None where they are too few."""
    majority: float
    """Accuracy of always answering the commonest class of the tested clips."""
    n: int
    """Clips tested."""
    known: int
    """Those of them whose value is known."""
    values: int
    """Distinct values."""
    flagged: bool
    """Whether the label follows from it by more than the margin."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "column": self.column,
            "accuracy": self.accuracy,
            "interval": list(self.interval) if self.interval else None,
            "majority": self.majority,
            "n": self.n,
            "known": self.known,
            "values": self.values,
            "flagged": self.flagged,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that a check found."""

    findings: tuple[Finding, ...]
    """As they are to be read."""
    shortcuts: tuple[Shortcut, ...] = ()
    """Every column that was tried."""
    protocol: str = ""
    """Name of the protocol; empty where none could be made."""
    hash: str = ""
    """Its hash."""
    clips: int = 0
    """Clips that were looked at."""
    tested: int = 0
    """Clips that the protocol tests."""

    @property
    def fatal(self) -> bool:
        """Whether something was found that no number survives."""
        return any(one.weight == FATAL for one in self.findings)

    def lines(self) -> tuple[str, ...]:
        """One line a finding, the gravest first."""
        return tuple(f"{one.weight}: {one.line}" for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as `checks.json` has them."""
        return {
            "fatal": self.fatal,
            "protocol": self.protocol,
            "hash": self.hash,
            "clips": self.clips,
            "tested": self.tested,
            "findings": [one.as_json() for one in self.findings],
            "shortcuts": [one.as_json() for one in self.shortcuts],
        }


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """A smaller test set first, then leaks, then by weight; else as they come."""

    def place(one: Finding) -> tuple[int, int]:
        first = _FIRST.index(one.kind) if one.kind in _FIRST else len(_FIRST)
        return first, WEIGHTS.index(one.weight)

    return tuple(sorted(found, key=place))


def named(paths: Sequence[str]) -> str:
    """Paths in a line, cut where they are many.

    >>> named(["a", "b"]), named(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = len(paths) - _NAMED
    return ", ".join(paths[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def share(count: int, of: int) -> str:
    """A count of clips with its share.

    >>> share(3, 12)
    '3 of 12 clips (25.0 %)'
    """
    return f"{count} of {of} clips ({100 * count / max(1, of):.1f} %)"
