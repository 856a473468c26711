"""A way to split clips, before it meets any; and the name that `--protocol` takes for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import Split, Splits, Table

Values = NDArray[np.str_]
Prepared = tuple[Values, Mapping[str, int]]
"""The label of every clip, empty where it is left out, and how many are left out for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitter:
    """How clips become folds. With clips it makes a `Protocol` (`splitters.py`)."""

    split: Split
    """(clip table, seed) -> folds."""
    corpora: tuple[str, ...] = ()
    """The corpora it is for, those and no others; empty: any."""
    groups: tuple[str, ...] = ()
    """Columns kept disjoint between training and test."""
    tests: tuple[str, ...] = ()
    """Corpora that are tested; empty: all, or whichever the folds say."""
    dev: tuple[str, ...] | None = None
    """Columns by which a development part is drawn, the first that serves; None: the groups."""
    official: bool = False
    """Whether it follows the split that the clips name."""
    fixed: bool = False
    """Whether its development part is the named one or none, never a drawn one."""
    cluster: str = ""
    """What intervals run over, where that is asked for; empty: the speaker, or the dialogue."""
    label: str = ""
    """The column it asks for, whatever the default; empty: any."""
    words: str = ""
    """`canonical` or `native`, where emotions are in these unless the other is asked for."""
    prepare: Callable[[Table, str, Values], Prepared] | None = None
    """(clip table, column, label of every clip) -> labels as this question has them."""
    said: Callable[[Table, Splits], Sequence[str]] | None = None
    """(clips that take part, folds) -> what a reader must know, a line each."""
    idle: str = "in no part of the split"
    """Why a clip may be in no fold."""
    name: str = ""
    """What the protocol is called, where not as it was asked for: never a path."""
    outside: bool = False
    """Whether its folds follow from more than the name: from a file, or a column."""
    as_is: bool = False
    """Whether the folds are somebody's, run as they are: their leaks are said, not refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What `--protocol` takes: a name, perhaps with an argument after a colon."""

    of: Callable[[str], Splitter]
    """The splitter, from what stands after the colon; from nothing where nothing does."""
    corpora: tuple[str, ...] = ()
    """The corpora it is for; the first family for a corpus is its default."""
    argument: str = ""
    """What stands after the colon, in capitals; in brackets where it may be left out."""

    def splitter(self, name: str, argument: str | None) -> Splitter:
        """The splitter of a name as it was asked for.

        Args:
            name: before the colon.
            argument: after it; None without one.

        Raises:
            ProtocolError: an argument is missing, wrong, or not wanted.
        """
        if argument is not None and not self.argument:
            raise ProtocolError(f"protocol {name} takes no argument, found {name}:{argument}")
        if not argument and self.argument and not self.argument.startswith("["):
            raise ProtocolError(f"protocol {name} is asked for as {self.asked(name)}")
        return self.of(argument or "")

    def asked(self, name: str) -> str:
        """The name as a list of choices has it: `kfold[:K]`, `column:NAME`."""
        inner = self.argument.strip("[]")
        if not inner:
            return name
        return f"{name}[:{inner}]" if self.argument.startswith("[") else f"{name}:{inner}"


def only(splitter: Splitter) -> Family:
    """A family of one, without an argument."""
    return Family(of=lambda argument: splitter, corpora=splitter.corpora)
