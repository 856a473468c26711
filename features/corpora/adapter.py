"""What an adapter is: a reader of file names, and perhaps of the tables beside them.

Names are read by pure functions, so that they can be tried on a list of names with no file in
sight. A name is taken only when all of it matches, with codes that the corpus defines: a false
match is a false label, while an unknown name is a `Problem` that a person sees.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.paths import folders_of, stem_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one adapter made of the files that are its own."""

    clips: tuple[Clip, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def as_it_is(root: Path, found: Found) -> Found:
    """Add nothing: the corpus has no tables."""
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One corpus."""

    name: str
    """As in `Clip.corpus`."""
    read: Callable[[str, str], Clip | Problem | None]
    """From (POSIX path relative to the root, the root's own name) to a clip; None: not ours.

    What tells two recordings apart is in the clip's fields: equal ones are copies (repeats.py)."""
    finish: Callable[[Path, Found], Found] = as_it_is
    """Adds what the corpus's tables say, given the root."""
    official: int = 0
    """Clips in the whole corpus; 0: the adapter counts for itself."""


def stem(path: str) -> str:
    """Return a path's file name without its suffix."""
    return stem_of(path)


def by_name(
    pattern: re.Pattern[str],
    clip: Callable[[str, re.Match[str]], Clip | Problem],
    misnamed: Mapping[str, str] = MappingProxyType({}),
) -> Callable[..., Clip | Problem | None]:
    """Return an `Adapter.read` to which only a file's name without its suffix counts.

    >>> read = by_name(re.compile("(?P<who>..)_(?P<what>...)"), lambda path, m: m.groupdict())
    >>> read("wav/KL_sad.wav"), read("wav/notes.txt")
    ({'who': 'KL', 'what': 'sad'}, None)

    Args:
        pattern: of the whole name.
        clip: from the path, and what matched, to a clip.
        misnamed: names that copies of the corpus have, and what they should be.
    """

    def read(path: str, root: str = "") -> Clip | Problem | None:
        name = stem(path)
        match = pattern.fullmatch(misnamed.get(name, name))
        return None if match is None else clip(path, match)

    return read


def folders_above(path: str, root: str) -> tuple[str, ...]:
    """Return the names of the folders that hold a file, the nearest first, the root's last."""
    inside = folders_of(path)[::-1]
    return (*inside, root) if root else inside
