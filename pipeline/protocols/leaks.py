"""What is on both sides of a split: what a protocol declares apart, and what it does not.

A column that a protocol keeps apart and does not, and audio that is equal sample for sample on
both sides, are leaks: refused, or, if a person allows them, the first thing that is said of every
number. Any other overlap is counted and told with its share.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Fold
from gensr.pipeline.protocols.splits import Table

OVERLAPS = ("speaker", "dialogue", "sentence", "audio_sha256")
"""What may be on both sides of a split: always counted."""
AUDIO = "audio_sha256"


def overlaps(
    table: Table, folds: Sequence[Fold], columns: Iterable[str] = OVERLAPS
) -> dict[str, int]:
    """Tested clips whose speaker, sentence, ... is also learnt from in their fold.

    Args:
        table: columns of text, one value a clip, empty where unknown: an unknown value is
            nobody's.
        folds: their rows index the table.
        columns: those that are counted, if any clip has a value.

    Returns:
        Clips by column, over all folds.
    """
    counts = {}
    for column in columns:
        found = table.get(column)
        if found is None or not (np.asarray(found) != "").any():
            continue
        known = np.asarray(found) != ""
        # By number: numpy compares texts that are objects each with each.
        values = np.unique(np.asarray(found, str), return_inverse=True)[1]
        counts[column] = sum(
            int((np.isin(values[f.test], values[f.learn]) & known[f.test]).sum()) for f in folds
        )
    return counts


def leaks(disjoint: Iterable[str], found: Mapping[str, int]) -> dict[str, int]:
    """Those of the overlaps that are leaks: of columns kept apart, and identical audio."""
    return {column: found[column] for column in (*disjoint, AUDIO) if found.get(column)}


def refuse(name: str, tested: int, found: Mapping[str, int]) -> None:
    """Refuse leaks.

    Args:
        name: of the protocol.
        tested: clips, over all folds.
        found: leaks, as `leaks` gives them.

    Raises:
        ProtocolError: there is one; the message names it with its share, and the ways out.
    """
    for column, count in found.items():
        clips = f"{count} of {tested} tested clips ({100 * count / tested:.1f} %)"
        if column == AUDIO:
            told = (
                f"{clips} are identical in audio to trained ones; keep one copy of each recording, "
                "or pass --protocol kfold, which keeps copies together"
            )
        else:
            told = (
                f"{clips} share their {column} with trained ones, which {name} promises to keep "
                "apart; mend the corpus's labels or splits, or choose another --protocol"
            )
        raise ProtocolError(f"leak: {told} (--allow-leaks goes on, and says so first)")
