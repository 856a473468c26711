"""What is predicted, in whose words, and which clips have a label that counts.

Classes are never merged or dropped in silence: what a question leaves out is counted by label.
"""

from collections import Counter
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import Table, listed
from gensr.pipeline.protocols.splitter import Prepared, Splitter, Values


def asked_for(
    table: Table, splitter: Splitter, label: str, labels: str | None, corpora: tuple[str, ...]
) -> tuple[str, Values]:
    """The column to learn, and the value of every clip.

    Args:
        table: every clip.
        splitter: which may ask for a column, or for words.
        label: `emotion`, or any column.
        labels: `native`, `canonical` or None: the splitter's words, else native for one corpus
            and canonical for several.
        corpora: of the table.

    Raises:
        ProtocolError: there is no such column, or the splitter asks for another.
    """
    if splitter.label and label not in ("emotion", splitter.label):
        raise ProtocolError(
            f"this protocol is about {splitter.label}, not {label}: drop --label, or pass another "
            "--protocol"
        )
    label = splitter.label or label
    words = labels or splitter.words or ("native" if len(corpora) == 1 else "canonical")
    if label == "emotion" and words != "native":
        label = "canonical"
    if label not in table:
        raise ProtocolError(f"no column {label!r} to learn; the clips have {', '.join(table)}")
    values = np.asarray(table[label]).astype(str)
    return label, qualified(table, label, corpora) if label == "speaker" else values


def qualified(table: Table, column: str, corpora: tuple[str, ...]) -> Values:
    """Values made unique over several corpora: two corpora may call two people `01`."""
    values = np.asarray(table[column]).astype(str)
    if len(corpora) == 1:
        return values
    pairs = zip(table["corpus"], values, strict=True)
    return np.array([f"{corpus}/{value}" if value else "" for corpus, value in pairs])


def map_of(native: Values, values: Values) -> dict[str, str]:
    """Native label to class; to both, in words, where two corpora mean different classes by it."""
    meant: dict[str, list[str]] = {}
    for label, value in sorted(set(zip(native.tolist(), values.tolist(), strict=True))):
        meant.setdefault(label, []).append(value)
    return {label: " or ".join(classes) for label, classes in meant.items()}


def without(values: Values, gone: NDArray[np.bool_], why: str) -> Prepared:
    """Leave out clips for a reason, which holds `{}` where the label is to be named.

    Args:
        values: label of every clip; empty ones are left out already.
        gone: which clips.
        why: such as `labelled {}, which meld does not know`.
    """
    gone = gone & (values != "")
    reasons = Counter(why.format(label) for label in values[gone].tolist())
    return np.where(gone, "", values), dict(sorted(reasons.items()))


def known_to(
    values: Values, knowing: NDArray[np.bool_], others: NDArray[np.bool_], who: str
) -> Prepared:
    """Leave out the others' clips whose label no clip of the knowing ones has."""
    known = sorted(set(values[knowing].tolist()) - {""})
    return without(values, others & ~np.isin(values, known), f"labelled {{}}, no class of {who}")


def merged(values: Values, into: Mapping[str, str], keep: Collection[str], why: str) -> Prepared:
    """Call labels by others, and keep those alone that are among the classes.

    Args:
        values: label of every clip.
        into: from a label to what it is called; others keep their name.
        keep: the classes; empty: all.
        why: as in `without`.
    """
    called = np.array([into.get(label, label) for label in values.tolist()], dtype=str)
    if not keep:
        return called, {}
    gone = (called != "") & ~np.isin(called, sorted(keep))
    left, reasons = without(np.where(gone, values, ""), gone, why)
    return np.where(gone, left, called), reasons


def joined(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Counts of both."""
    return dict(Counter(one) + Counter(other))


def need_corpora(there: Collection[str], wanted: Collection[str], name: str) -> None:
    """Refuse a question about corpora that are not there.

    Raises:
        ProtocolError: naming them.
    """
    if missing := sorted(set(wanted) - set(there)):
        raise ProtocolError(
            f"protocol {name} needs clips of {', '.join(missing)}; there are clips of "
            f"{listed(sorted(there))}; give their store too, or pass another --protocol"
        )
