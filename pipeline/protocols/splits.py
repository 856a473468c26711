"""What every way of splitting is made of: a table in, divisions out, and draws by name.

Every draw ranks names by a salted hash and takes the first, so it depends on the names and the
seed alone: not on the order of the clips, nor on their number per name. Over several corpora each
gives its share, and so does each gender where speakers are drawn: a draw over all names would
test one corpus and miss another.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Rows

Table = Mapping[str, NDArray[np.str_]]
"""Columns of the clip table, all of one length."""
TEST_SHARE = 0.2
DEV_SHARE = 0.15
PARTS = ("train", "dev", "test")
"""What a clip's `split` may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """One fold before its development part is drawn. Rows index the table."""

    held_out: str
    """What is tested, in words."""
    learn: Rows
    """Clips to learn from, those of a development part that is named among them."""
    test: Rows
    """Clips to test."""
    dev: Rows | None = None
    """The development part, where the clips name one; None: to be drawn."""


Splits = list[Division]
Split = Callable[[Table, int], Splits]
"""From a clip table and a seed to the folds."""


def rows(mask: NDArray[np.bool_]) -> Rows:
    """Where the mask holds."""
    return np.flatnonzero(mask).astype(np.int64)


def among(values: NDArray[np.str_], names: Iterable[str]) -> NDArray[np.bool_]:
    """Which values are one of the names; numpy's `isin` is quadratic where values are objects."""
    known = set(names)
    return np.fromiter((value in known for value in values.tolist()), bool, len(values))


def held(said: str, test: NDArray[np.bool_]) -> Division:
    """All that is not tested is learnt from."""
    return Division(held_out=said, learn=rows(~test), test=rows(test))


def ranked(names: Iterable[str], salt: str) -> list[str]:
    """Names in an order that nobody chose: of their salted hashes."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{salt}/{name}".encode()).digest())


def draw(names: Iterable[str], share: float, salt: str, least: int = 1) -> list[str]:
    """About `share` of the names, by the order of their salted hashes."""
    order = ranked(names, salt)
    return sorted(order[: max(least, round(share * len(order)))])


def several(table: Table, column: str, at_least: int = 2) -> list[str]:
    """Distinct known values of a column, sorted; an error with the way out where too few."""
    names = sorted(set(table[column].tolist()) - {""})
    if len(names) < at_least:
        found = f"only one {column} ({names[0]})" if names else f"no {column} is known"
        raise ProtocolError(
            f"{found}: nothing to hold out; pass --protocol random-holdout to split by clip instead"
        )
    return names


def strata(table: Table, column: str) -> list[list[str]]:
    """The names of a column by corpus, and speakers by gender too; of one corpus all in one.

    Args:
        table: of the clips to draw from.
        column: whose values are drawn; unknown ones are no name.
    """
    if len(set(table["corpus"].tolist())) < 2:
        return [sorted(set(table[column].tolist()) - {""})]
    of: dict[str, tuple[str, str]] = {}
    genders = table["gender"] if column == "speaker" and "gender" in table else table["corpus"]
    for name, corpus, gender in zip(table[column], table["corpus"], genders, strict=True):
        if name:
            of[name] = min(of.get(name, (corpus, gender)), (corpus, gender))
    if len({corpus for corpus, _ in of.values()}) < 2:
        return [sorted(of)]
    groups: dict[tuple[str, str], list[str]] = {}
    for name in sorted(of):
        groups.setdefault(of[name], []).append(name)
    return [groups[stratum] for stratum in sorted(groups)]


def share_of(table: Table, column: str, share: float, salt: str, least: int = 1) -> list[str]:
    """About `share` of a column's names: of one corpus, or of each stratum of several.

    Args:
        table: of the clips to draw from.
        column: whose names are drawn.
        share: of the names, 0 to 1; of a stratum of two or more at least one.
        salt: of the hashes.
        least: names in all, where there are so many to spare.
    """
    groups = strata(table, column)
    if len(groups) == 1:
        return draw(groups[0], share, salt, least)
    few = -(-least // len(groups))  # of each
    drawn = [
        name
        for names in groups
        if len(names) > 1
        for name in draw(names, share, salt, min(few, len(names) - 1))
    ]
    return drawn or draw((name for names in groups for name in names), share, salt, least)


def dealt(table: Table, column: str, count: int, salt: str) -> list[list[str]]:
    """A column's names in groups of about one size, each stratum dealt out evenly."""
    order = [name for names in strata(table, column) for name in ranked(names, salt)]
    return [order[k::count] for k in range(count)]


def recordings(table: Table) -> Table:
    """The table with unknown audio told apart: each such clip counts on its own."""
    alone = np.array([f"clip {path}" for path in table["path"]], dtype=object)
    audio = table["audio_sha256"]
    return {**table, "audio_sha256": np.where(audio == "", alone, audio)}


def counted(text: str, name: str, way_out: str, least: int = 2) -> int:
    """The number after a protocol's colon.

    Raises:
        ProtocolError: it is none, or too small.
    """
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise ProtocolError(
            f"{name}:{text}: expected a whole number of folds, at least {least}, such as {way_out}"
        )
    return int(text)


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names in a line, cut where they are many."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
