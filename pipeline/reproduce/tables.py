"""Results as tables: the paper's, with ours beside, and the analogues'."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gensr.pipeline.reproduce.measure import Measured, Versus
from gensr.pipeline.reproduce.paper import OURS, TABLE3, System
from gensr.pipeline.reproduce.questions import Question

Key = tuple[str, str]
"""Encoder as it was given, model."""
Found = Mapping[Key, Measured | str]
"""What was measured, or why it was not."""
_NOT_OURS = "not measured: another program's answers; `gensr score` takes them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under one title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    """Lines below it."""
    numbers: tuple[Mapping[str, Any], ...] = ()
    """Of each row what it is made of, unrounded; empty where nothing was measured."""

    def markdown(self) -> str:
        """The same for a page of text."""
        lines = [f"**{self.title}**", ""]
        rows = (self.columns, ("---",) * len(self.columns), *self.rows)
        lines += [
            "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows
        ]
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes), ""])

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "notes": list(self.notes),
            "numbers": [dict(one) for one in self.numbers],
        }


def of_paper(
    title: str, systems: Sequence[System], found: Found, why: str, notes: Sequence[str] = ()
) -> Table:
    """The paper's table, and beside each row what we measured of it.

    Args:
        title: of the table.
        systems: its rows.
        found: our systems on the paper's question; empty where it could not be asked.
        why: why not, then.
        notes: what else there is to say.
    """
    rows, said = [], []
    for system in systems:
        if system.encoder is None or system.model is None:
            told = _NOT_OURS
        else:
            told = _told(found.get((system.encoder, system.model), f"not measured: {why}"))
        rows.append((system.name, f"{system.accuracy:.1f}", told))
        if system.about:
            said.append(f"{system.name}: {system.about}")
    return Table(
        title=title,
        columns=("system", "paper, WA %", "ours, WA % [95 %]"),
        rows=tuple(rows),
        notes=(*said, *notes),
    )


def of_question(
    question: Question, found: Found, versus: Mapping[Key, Versus], called: Mapping[str, str]
) -> Table:
    """Every system on one question, and what it is behind Gen-SER on the same vectors."""
    rows, told, some = [], list[Mapping[str, Any]](), None
    for (encoder, model), one in found.items():
        first = (OURS if model == "gen-ser" else model, called[encoder])
        if isinstance(one, str):
            rows.append((*first, one, "", "", ""))
            told.append({})
            continue
        some = some or one
        against = versus.get((encoder, model))
        rows.append((*first, one.wa(), one.uar(), one.over_seeds(), *_against(against)))
        told.append(_plain(one, against))
    if some is None:
        return Table(title=question.title, columns=_COLUMNS, rows=tuple(rows))
    return Table(
        title=f"{question.title} ({some.about})",
        columns=_COLUMNS,
        rows=tuple(rows),
        notes=(some.line(), *_notes(some, versus.values()), *some.notes),
        numbers=tuple(told),
    )


_COLUMNS = (
    "system",
    "encoder",
    "WA % [95 %]",
    "UAR % [95 %]",
    "WA over seeds",
    f"{OURS} ahead by, WA points [95 %]; p (Holm)",
)


def of_steps(
    question: Question | None,
    encoder: str,
    by_steps: Mapping[int, Measured],
    versus: Mapping[int, Versus],
    why: str = "",
) -> Table:
    """Accuracy against N: the paper's Table 3, or its analogue.

    Args:
        question: whose answers; None: the paper's could not be asked.
        encoder: its name for a person.
        by_steps: what was measured at each N.
        versus: the difference of each N to the fewest.
        why: why nothing was measured.
    """
    rows, numbers = [], list[Mapping[str, Any]]()
    of_paper = question is None or question.of_paper
    for N, accuracy in TABLE3.items():
        one = by_steps.get(N)
        told = one.wa() if one else f"not measured: {why}"
        paper = (f"{accuracy:.2f}",) if of_paper else ()
        rows.append((str(N), *paper, told, *_against(versus.get(N))))
        numbers.append(_plain(one, versus.get(N)) if one else {})
    some = next(iter(by_steps.values()), None)
    asked = "MELD's official test" if question is None else question.title
    about = f", {encoder} ({some.about})" if some else ""
    return Table(
        title=f"Table 3, accuracy against N: {asked}{about}",
        columns=(
            "N",
            *(("paper, WA %",) if of_paper else ()),
            "ours, WA % [95 %]",
            f"over N = {min(TABLE3)}, WA points [95 %]; p (Holm)",
        ),
        rows=tuple(rows),
        notes=(some.line(), *_notes(some, versus.values())) if some else (),
        numbers=tuple(numbers),
    )


def _notes(some: Measured, versus: Collection[Versus]) -> Iterator[str]:
    """What could have been found at all, and what intervals leave out."""
    least = [one.detectable() for one in versus]
    if least:
        yield (
            f"true differences that the corrected test would find four times in five, in points: "
            f"{', '.join(least)}"
        )
    yield some.leaves_out()


def _plain(one: Measured, versus: Versus | None) -> dict[str, Any]:
    return {**one.as_json(), "difference": versus.as_json() if versus else None}


def _told(one: Measured | str) -> str:
    return one if isinstance(one, str) else f"{one.wa()}, n = {one.n}"


def _against(versus: Versus | None) -> tuple[str]:
    return ("" if versus is None else versus.told(),)
