"""Many files that are wrong for one reason, said in one line."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

_ALONE = 5
"""Files of one reason that are still named on a line each."""
_NAMED = 3
"""Files that a group's line names."""
_GROUPS = 40
"""Lines in all."""
_PARTICULARS = re.compile(r"'[^']*'|\S*[\\/]\S*|\S+\.\w+\b|\d+(?:\.\d+)?")
"""What differs from file to file in one reason: quoted words, paths, file names, numbers."""


def grouped(problems: Iterable[tuple[str, str]], *, everything: bool = False) -> tuple[str, ...]:
    """Return lines that name what cannot be used, grouped by reason.

    Args:
        problems: (path, reason), in the order to be said.
        everything: A line for every file.
    """
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, reason in problems:
        groups[_PARTICULARS.sub("*", reason)].append((path, reason))
    lines: list[str] = []
    for members in groups.values():
        if everything or len(members) <= _ALONE:
            lines += [f"unusable: {path}: {reason}" for path, reason in members]
        else:
            lines.append(_line(members))
    if everything or len(lines) <= _GROUPS:
        return tuple(lines)
    more = f"... and {len(lines) - _GROUPS} lines more; --all prints everything"
    return (*lines[:_GROUPS], more)


def capped(values: Sequence[str], most: int, *, everything: bool = False) -> str:
    """Join values by commas, no more than so many of them.

    >>> capped(["a 1", "b 2", "c 3"], 2)
    'a 1, b 2, ... (3 in all; --all)'
    """
    if everything or len(values) <= most:
        return ", ".join(values)
    return f"{', '.join(values[:most])}, ... ({len(values)} in all; --all)"


def _line(members: Sequence[tuple[str, str]]) -> str:
    names = ", ".join(path for path, _ in members[:_NAMED])
    alike = len({reason for _, reason in members}) == 1
    reason = members[0][1] if alike else f"such as {members[0][1]}"
    return f"unusable: {len(members)} files, {reason}: {names}, ... (--all names each)"
