"""The split that the clips name: train, dev, test; a dev part is the development part.

Over several corpora those that name one are split by it, and those that name none at all are
learnt from whole: that is how a corpus's official test is asked of a model that was given more.
"""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.labels import known_to
from gensr.pipeline.protocols.splits import PARTS, Division, Splits, Table, listed, rows
from gensr.pipeline.protocols.splitter import Prepared, Splitter, Values, only


def official(table: Table, seed: int) -> Splits:
    """One fold: the named test; the dev part is learnt from once choices are made."""
    split, naming = table["split"], naming_corpora(table)
    here = np.isin(table["corpus"], naming) if naming else np.ones(len(split), bool)
    found = Counter(split[here].tolist())
    odd = sorted(set(found) - {*PARTS, ""})
    if odd:
        raise ProtocolError(
            f"a split is train, dev or test; {found[odd[0]]} clips say {odd[0]!r}; mend the "
            "column and extract again (labels alone are renewed), or pass --protocol "
            "speaker-holdout"
        )
    if not found["test"] or not (found["train"] or not here.all()):
        named = ", ".join(f"{part or 'none'} {found[part]}" for part in (*PARTS, "") if found[part])
        raise ProtocolError(
            f"the official split needs clips of both train and test; found {named}; "
            "keep the corpus's own folder names, give a manifest a column split, or pass "
            "--protocol speaker-holdout"
        )
    learn = ~here | np.isin(split, ["train", "dev"])
    said = f"official test of {', '.join(naming)}" if not here.all() else "official test"
    return [
        Division(
            held_out=said,
            learn=rows(learn),
            test=rows(here & (split == "test")),
            dev=rows(here & (split == "dev")),
        )
    ]


def naming_corpora(table: Table) -> list[str]:
    """The corpora of which some clip names a part of a split, sorted."""
    named = np.asarray(table["split"]) != ""
    return sorted(set(np.asarray(table["corpus"])[named].tolist()))


def whole_splits(corpus: NDArray[np.str_], split: NDArray[np.str_]) -> list[str]:
    """The corpora whose every clip names train, dev or test, both train and test among them."""
    parts: dict[str, set[str]] = {}
    for name, part in zip(corpus.tolist(), split.tolist(), strict=True):
        parts.setdefault(name, set()).add(part)
    return sorted(name for name, found in parts.items() if {"train", "test"} <= found <= set(PARTS))


def _classes(table: Table, column: str, values: Values) -> Prepared:
    """Of corpora that are learnt from whole, labels that no tested corpus knows are left out."""
    naming = np.isin(table["corpus"], naming_corpora(table))
    if naming.all() or not naming.any():
        return values, {}
    return known_to(values, naming, ~naming, "the tested corpora")


def said(table: Table, folds: Splits) -> list[str]:
    """Which corpora are learnt from whole."""
    naming = naming_corpora(table)
    whole = sorted(set(table["corpus"].tolist()) - set(naming))
    if not whole or not naming:
        return []
    return [f"learnt from whole, as they name no split: {listed(whole)}"]


OFFICIAL = only(Splitter(split=official, official=True, prepare=_classes, said=said))
MELD = only(
    Splitter(corpora=("meld",), groups=("dialogue",), split=official, official=True, fixed=True)
)
