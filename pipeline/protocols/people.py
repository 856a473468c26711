"""Protocols by who speaks, of any corpora: nobody who is tested was learnt from.

A model knows again whom it has heard, so a speaker on both sides makes a number too good; every
other column may be on both sides, and its share is said.
"""

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import (
    TEST_SHARE,
    Split,
    Splits,
    Table,
    among,
    counted,
    dealt,
    held,
    listed,
    several,
    share_of,
)
from gensr.pipeline.protocols.splitter import Family, Splitter, only


def leave_one_speaker_out(table: Table, seed: int) -> Splits:
    """Each speaker once."""
    speaker = table["speaker"]
    return [held(f"speaker {name}", speaker == name) for name in several(table, "speaker")]


def holdout(column: str, least: int) -> Split:
    """One fold: a fifth of a column's values, but `least` where there are three times as many.

    Over several corpora each corpus, and each gender of its speakers, gives its own fifth.
    """

    def split(table: Table, seed: int) -> Splits:
        names = several(table, column)
        # Intervals need four clusters, so a small corpus tests four of at least twelve.
        enough = max(1, min(least, len(names) // 3))
        drawn = sorted(share_of(table, column, TEST_SHARE, f"test/{seed}", enough))
        said = f"{column} {', '.join(drawn)}" if len(drawn) <= 12 else f"{len(drawn)} {column}s"
        return [held(said, among(table[column], drawn))]

    return split


def folds_of(count: int, *, exactly: bool) -> Split:
    """Groups of speakers of about one size, each tested once.

    Args:
        count: of folds.
        exactly: refuse where there are fewer speakers; else as many folds as speakers.
    """

    def split(table: Table, seed: int) -> Splits:
        names = several(table, "speaker")
        if exactly and len(names) < count:
            raise ProtocolError(
                f"speaker-kfold:{count} needs {count} speakers, there are {len(names)} "
                f"({listed(names)}); pass --protocol loso"
            )
        groups = dealt(table, "speaker", min(count, len(names)), f"fold/{seed}")
        return [held(f"{len(group)} speakers", among(table["speaker"], group)) for group in groups]

    return split


def _kfold(argument: str) -> Splitter:
    count = counted(argument or "5", "speaker-kfold", "speaker-kfold:10")
    split = folds_of(count, exactly=True)
    return Splitter(split=split, groups=("speaker",), name=f"speaker-kfold:{count}")


LOSO = only(Splitter(split=leave_one_speaker_out, groups=("speaker",)))
HOLDOUT = only(Splitter(split=holdout("speaker", 4), groups=("speaker",)))
FIVE = only(Splitter(split=folds_of(5, exactly=False), groups=("speaker",)))
KFOLD = Family(of=_kfold, argument="[K]")
