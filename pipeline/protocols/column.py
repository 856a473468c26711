"""A user's own folds, by a column of the manifest: `column:NAME`.

    file,speaker,emotion,fold
    a.wav,anna,angry,1

Each value is a fold that is tested once, while all others are learnt from; a column of train, dev
and test words (`Training`, `valid`, ...) is one split. A clip without a value is in no fold.
Nothing is promised to be apart but what no protocol may share, identical audio: what else is on
both sides is said.
"""

import re

import numpy as np

from gensr.features.corpora.official import part_of
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import PARTS, Division, Splits, Table, listed, rows
from gensr.pipeline.protocols.splitter import Family, Splitter, Values


def by_column(table: Table, column: str, where: str) -> Splits:
    """Folds by the values of a column.

    Args:
        table: of the clips.
        column: whose values are folds, or words of a split.
        where: who asked, for messages.

    Raises:
        ProtocolError: there is no such column, or it tells fewer than two parts.
    """
    if column not in table:
        raise ProtocolError(f"{where}: no column {column!r}; the clips have {', '.join(table)}")
    values: Values = np.asarray(table[column]).astype(str)
    names = sorted(set(values.tolist()) - {""}, key=_natural)
    parts = {name: part_of(name) for name in names}
    if {"train", "test"} <= set(parts.values()) <= set(PARTS):
        values = np.array([parts.get(value, "") for value in values.tolist()])
        return [
            Division(
                held_out=f"{column} = test",
                learn=rows(np.isin(values, ["train", "dev"])),
                test=rows(values == "test"),
                dev=rows(values == "dev"),
            )
        ]
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "nothing"
        raise ProtocolError(f"{where}: the column {column} says {found}; folds are two or more")
    if len(names) > len(values) // 2:
        raise ProtocolError(
            f"{where}: the column {column} has {len(names)} values for {len(values)} clips "
            f"({listed(names, 3)}), so no folds"
        )
    return [
        Division(
            held_out=f"{column} = {name}",
            learn=rows((values != name) & (values != "")),
            test=rows(values == name),
        )
        for name in names
    ]


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Fold 2 comes before fold 10."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts)


def _family(argument: str) -> Splitter:
    return Splitter(
        split=lambda table, seed: by_column(table, argument, f"column:{argument}"),
        dev=("speaker",),
        idle=f"without a value in {argument}",
        name=f"column:{argument}",
        outside=True,
    )


COLUMN = Family(of=_family, argument="NAME")
