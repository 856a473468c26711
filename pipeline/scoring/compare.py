"""In what the questions of two runs differ, so that nobody compares the numbers unaware."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gensr.pipeline.protocols import protocol as protocols


class Asked(Protocol):
    """What answers a question: an evaluation of a run, or a system in a table."""

    @property
    def place(self) -> Path:
        """Its folder."""

    @property
    def protocol(self) -> protocols.Protocol:
        """The question."""

    @property
    def folds(self) -> Iterable[str]:
        """Names of the folds that were tested."""

    @property
    def split_seed(self) -> int | None:
        """Of the draws of hold-outs; None where nobody says."""

    @property
    def enrol_clips(self) -> int | None:
        """By how many clips speakers were enrolled; None where nobody says."""

    @property
    def perturbations(self) -> tuple[str, ...] | None:
        """What was done to its clips; empty for nothing, None where nobody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two runs whose numbers may not stand side by side."""

    runs: tuple[Path, Path]
    """The first run given, and one of another question."""
    reasons: tuple[str, ...]
    """In what they differ, a few words each, at least one."""

    def line(self) -> str:
        """The same in one line."""
        one, other = self.runs
        return f"not comparable: {one} and {other} differ in {'; '.join(self.reasons)}"

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {"runs": [str(run) for run in self.runs], "reasons": list(self.reasons)}


def differences(found: Sequence[Asked]) -> tuple[Difference, ...]:
    """Every run whose question is not the first one's; empty where all may be compared."""
    first = found[0]
    return tuple(
        Difference(runs=(first.place, other.place), reasons=reasons)
        for other in found[1:]
        if (reasons := reasons_between(first, other))
    )


def reasons_between(one: Asked, other: Asked) -> tuple[str, ...]:
    """In what two questions differ, the widest first; empty where they are one question."""
    if one.protocol.hash == other.protocol.hash:
        return _few([_folds_tested(one, other), _perturbed(one, other), _enrolled(one, other)])
    left, right = one.protocol.describe(), other.protocol.describe()
    classes = _values("classes", left["classes"], right["classes"])
    counts = len(left["classes"]) != len(right["classes"])
    reasons = [
        # A number on four classes beside one on seven, both under one name, misleads most.
        classes if counts else "",
        _values("protocol", [left["name"]], [right["name"]]),
        _values("corpora", left["corpora"], right["corpora"]),
        _values("label", [left["label"]], [right["label"]]),
        "" if counts else classes,
        "" if left["label_map"] == right["label_map"] else "the class of a label",
        _values("kept apart", left["disjoint"], right["disjoint"]),
        _values("intervals over", [left["cluster"]], [right["cluster"]]),
        _roles(left.get("roles", {}), right.get("roles", {})),
        "" if left.get("parts") == right.get("parts") else "which clips are on which side",
        _split_seeds(one, other),
        _clips(one, other),
        _folds_tested(one, other),
        _perturbed(one, other),
        _enrolled(one, other),
    ]
    return _few(reasons) or ("what is left out or shared between training and test",)


def _few(reasons: Sequence[str]) -> tuple[str, ...]:
    return tuple(reason for reason in reasons if reason)


def _values(what: str, left: Sequence[str], right: Sequence[str]) -> str:
    """Both sides in full where they are short, else what only one of them has."""
    if list(left) == list(right):
        return ""
    if max(len(left), len(right)) <= 2:
        return f"{what} ({_list(left)}; {_list(right)})"
    only = [("first", sorted({*left} - {*right})), ("second", sorted({*right} - {*left}))]
    extra = ", ".join(f"only the {side} has {_list(names)}" for side, names in only if names)
    return f"{what} ({len(left)} and {len(right)}: {extra})"


def _list(values: Sequence[str], most: int = 3) -> str:
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return (", ".join(values[:most]) or "nothing") + more


def _roles(left: Mapping[str, str], right: Mapping[str, str]) -> str:
    told = [[f"{corpus} {role}" for corpus, role in sorted(side.items())] for side in (left, right)]
    return _values("what corpora are for", *told)


def _perturbed(one: Asked, other: Asked) -> str:
    left, right = one.perturbations, other.perturbations
    if left is None or right is None:
        return ""
    return _values("what was done to the clips", left, right)


def _enrolled(one: Asked, other: Asked) -> str:
    left, right = one.enrol_clips, other.enrol_clips
    if None in (left, right) or left == right:
        return ""
    told = (f"{count} clips of each" if count else "none" for count in (left, right))
    return f"enrolment of speakers ({'; '.join(told)})"


def _split_seeds(one: Asked, other: Asked) -> str:
    left, right = one.split_seed, other.split_seed
    return "" if left == right or None in (left, right) else f"split seed ({left}; {right})"


def _clips(one: Asked, other: Asked) -> str:
    """The most basic of: which clips, their labels, their clusters, which fold tests them."""
    left, right = ({row[0]: row[1:] for row in run.protocol.assignment()} for run in (one, other))
    if left.keys() != right.keys():
        only, theirs = len(left.keys() - right.keys()), len(right.keys() - left.keys())
        return f"clips ({only} of {len(left)} and {theirs} of {len(right)} are in one run alone)"
    for column, what in enumerate(("labels", "speakers or dialogues", "folds")):
        moved = sum(left[path][column] != right[path][column] for path in left)
        if moved:
            return f"{what} (of {moved} of {len(left)} clips)"
    return ""


def _folds_tested(one: Asked, other: Asked) -> str:
    left, right = list(one.folds), list(other.folds)
    if left == right or one.protocol.hash != other.protocol.hash:
        return ""
    return f"folds that are tested ({_list(left)}; {_list(right)})"
