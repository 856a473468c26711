"""Protocols by what is spoken, or by the recording alone, where speakers are not known.

Without speakers a number says how well a model knows again whom it has heard; `notes` say so.
Recordings that are equal sample for sample stay together.
"""

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.people import holdout
from gensr.pipeline.protocols.splits import (
    TEST_SHARE,
    Splits,
    Table,
    among,
    counted,
    dealt,
    held,
    recordings,
    several,
    share_of,
)
from gensr.pipeline.protocols.splitter import Family, Splitter, only

AUDIO = "audio_sha256"


def random_holdout(table: Table, seed: int) -> Splits:
    """About a fifth of the distinct recordings."""
    table = recordings(table)
    names = several(table, AUDIO)
    drawn = share_of(table, AUDIO, TEST_SHARE, f"test/{seed}", max(1, min(1, len(names) // 3)))
    return [held(f"{len(drawn)} recordings", among(table[AUDIO], drawn))]


def _kfold(argument: str) -> Splitter:
    count = counted(argument or "5", "kfold", "kfold:10")

    def split(table: Table, seed: int) -> Splits:
        table = recordings(table)
        names = several(table, AUDIO)
        if len(names) < count:
            raise ProtocolError(
                f"kfold:{count} needs {count} distinct recordings, there are {len(names)}"
            )
        groups = dealt(table, AUDIO, count, f"fold/{seed}")
        return [held(f"{len(group)} recordings", among(table[AUDIO], group)) for group in groups]

    return Splitter(split=split, name=f"kfold:{count}")


SENTENCES = only(Splitter(split=holdout("sentence", 1), groups=("sentence",)))
RANDOM = only(Splitter(split=random_holdout))
KFOLD = Family(of=_kfold, argument="[K]")
