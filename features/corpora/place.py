"""Where one file lies among folders whose names are told: its class, and what stands beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from gensr.features.corpora.clip import Problem
from gensr.features.corpora.roles import CONTAINER, EMOTION, NAME, SETTING, UNCLEAR, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a file lies, as its folders' names tell."""

    path: str
    label: str
    """The class; empty where no folder is one."""
    beside: Mapping[str, str]
    """What else is told, by role."""
    open: Mapping[int, str]
    """Folders whose meaning is open, by their level: -1 is the first above the class, 1 below."""


def place_of(
    path: str, folders: tuple[str, ...], level: int, told: Mapping[str, Told]
) -> Place | Problem:
    """Tell what a file's folders say; two that contradict each other are a problem.

    Args:
        path: POSIX path of the file.
        folders: Those above it, the outermost first.
        level: Which of them is the class; -1 where none is.
        told: What every name says.
    """
    beside: dict[str, str] = {}
    label = ""
    if level >= 0:
        name = folders[level]
        label = told[name].label if told[name].role == EMOTION else name
        beside |= told[name].beside
    unknown: list[int] = []
    for i, name in enumerate(folders):
        found = told[name]
        if i == level or found.role in (CONTAINER, EMOTION, SETTING):
            continue
        if found.role in (NAME, UNCLEAR):
            unknown.append(i)
        elif beside.setdefault(found.role, found.label) != found.label:
            said = f"{beside[found.role]} and {found.label}"
            return Problem(path=path, reason=f"lies in two folders for its {found.role}, {said}")
    above = [i for i in unknown if i < level]
    below = [i for i in unknown if i > level]
    levels = {-k: folders[i] for k, i in enumerate(reversed(above), start=1)}
    levels |= {k: folders[i] for k, i in enumerate(below, start=1)}
    return Place(path=path, label=label, beside=beside, open=levels)
