"""How the clips of a table become folds: what is held out, rows to learn from, rows to test.

Every draw ranks names by a salted hash and takes the first, so it depends on the names and the
seed alone.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Rows

Table = Mapping[str, NDArray[np.str_]]
"""Columns of the clip table, all of one length."""
Splits = list[tuple[str, Rows, Rows]]
"""For each fold: what is held out in words, rows to learn from, rows to test."""
TEST_SHARE = 0.2
PARTS = ("train", "dev", "test")
"""What a clip's `split` may say."""


def draw(names: Iterable[str], share: float, salt: str, least: int = 1) -> list[str]:
    """About `share` of the names, by the order of their salted hashes."""
    ranked = sorted(names, key=lambda name: hashlib.sha256(f"{salt}/{name}".encode()).digest())
    return sorted(ranked[: max(least, round(share * len(ranked)))])


def rows(mask: NDArray[np.bool_]) -> Rows:
    """Where the mask holds."""
    return np.flatnonzero(mask).astype(np.int64)


def several(table: Table, column: str, at_least: int = 2) -> list[str]:
    """Distinct known values of a column, sorted; an error with the way out where too few."""
    names = sorted(set(table[column].tolist()) - {""})
    if len(names) < at_least:
        found = f"only one {column} ({names[0]})" if names else f"no {column} is known"
        raise ProtocolError(
            f"{found}: nothing to hold out; pass --protocol random-holdout to split by clip instead"
        )
    return names


def leave_one_speaker_out(table: Table, seed: int) -> Splits:
    """Each speaker once."""
    speaker = table["speaker"]
    return [
        (f"speaker {name}", rows(speaker != name), rows(speaker == name))
        for name in several(table, "speaker")
    ]


def tess(table: Table, seed: int) -> Splits:
    """Both speakers say the same 200 words, so the words are kept apart too."""
    speaker, word = table["speaker"], table["sentence"]
    half = np.isin(word, draw(set(word.tolist()), 0.5, f"words/{seed}"))
    return [
        (
            f"speaker {name}, {'first' if words else 'second'} half of the words",
            rows((speaker != name) & (half != words)),
            rows((speaker == name) & (half == words)),
        )
        for name in several(table, "speaker")
        for words in (True, False)
    ]


def ravdess(table: Table, seed: int) -> Splits:
    """Actors 1 to 4, 5 to 8, ...: odd numbers are men, even ones women."""
    odd = sorted({a for a in table["speaker"].tolist() if not (a.isdigit() and 1 <= int(a) <= 24)})
    if odd:
        raise ProtocolError(
            f"ravdess-6fold splits actors 01 to 24; there is a speaker {odd[0]!r}; "
            "pass --protocol speaker-holdout"
        )
    fold = np.array([(int(actor) - 1) // 4 for actor in table["speaker"]])
    several(table, "speaker")
    return [
        (f"actors {4 * k + 1} to {4 * k + 4}", rows(fold != k), rows(fold == k))
        for k in sorted(set(fold.tolist()))
    ]


def official(table: Table, seed: int) -> Splits:
    """The split that the clips name; its dev part is learnt from once choices are made."""
    split = table["split"]
    found = Counter(split.tolist())
    odd = sorted(set(found) - {*PARTS, ""})
    if odd:
        raise ProtocolError(
            f"a split is train, dev or test; {found[odd[0]]} clips say {odd[0]!r}; mend the "
            "column and extract again (labels alone are renewed), or pass --protocol "
            "speaker-holdout"
        )
    if not found["test"] or not found["train"]:
        named = ", ".join(f"{part or 'none'} {found[part]}" for part in (*PARTS, "") if found[part])
        raise ProtocolError(
            f"the official split needs clips of both train and test; found {named}; "
            "keep the corpus's own folder names, give a manifest a column split, or pass "
            "--protocol speaker-holdout"
        )
    return [("official test", rows(np.isin(split, ["train", "dev"])), rows(split == "test"))]


def holdout(column: str, least: int) -> Callable[[Table, int], Splits]:
    """One fold: a fifth of a column's values, but `least` where there are three times as many."""

    def split(table: Table, seed: int) -> Splits:
        if column == "audio_sha256":  # of unknown audio each clip counts on its own
            lone = np.char.add("clip ", table["path"])
            table = {**table, column: np.where(table[column] == "", lone, table[column])}
        names = several(table, column)
        # Intervals need four clusters, so a small corpus tests four of at least twelve.
        drawn = draw(names, TEST_SHARE, f"test/{seed}", max(1, min(least, len(names) // 3)))
        held = np.isin(table[column], drawn)
        if column == "audio_sha256":
            said = f"{len(drawn)} recordings"
        else:
            said = f"{column} {', '.join(drawn)}" if len(drawn) <= 12 else f"{len(drawn)} {column}s"
        return [(said, rows(~held), rows(held))]

    return split


def five_folds(table: Table, seed: int) -> Splits:
    """Five groups of speakers of about one size."""
    names = several(table, "speaker")
    ranked = sorted(names, key=lambda n: hashlib.sha256(f"fold/{seed}/{n}".encode()).digest())
    folds = []
    for k in range(min(5, len(ranked))):
        held = np.isin(table["speaker"], ranked[k::5])
        folds.append((f"{len(ranked[k::5])} speakers", rows(~held), rows(held)))
    return folds
