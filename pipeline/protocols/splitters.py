"""From a clip table and a name to a `Protocol`: labels, folds, promises.

An empty value is unknown, and no group: where a protocol keeps a column apart it is refused,
elsewhere it is never drawn. Protocols themselves are a file each, listed in `registry.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols import folds, leaks, mix
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.labels import asked_for, map_of, qualified
from gensr.pipeline.protocols.official import whole_splits
from gensr.pipeline.protocols.protocol import Protocol, Rows
from gensr.pipeline.protocols.registry import SPLITTERS, splitter_of
from gensr.pipeline.protocols.splits import Splits, Table
from gensr.pipeline.protocols.splitter import Splitter

__all__ = ["SPLITTERS", "default_protocol", "make_protocol"]
_ANY = Splitter(split=lambda table, seed: [])
NO_FACTS = ("path", "row", "samples", "file_sha256", "split")
"""Columns of the clip table by which nobody tells results apart."""


def make_protocol(
    table: Table,
    *,
    name: str | None = None,
    label: str = "emotion",
    labels: str | None = None,
    seed: int = 0,
    deploy: bool = False,
    allow_leaks: bool = False,
    as_before: bool = False,
) -> Protocol:
    """Split the clips of a table.

    Args:
        table: columns of the clip table, as long as each other.
        name: one of `SPLITTERS`, with its argument; None picks the corpus's own, else a hold-out.
        label: `emotion`, `gender`, `speaker`, or any column.
        labels: for emotion, `native` or `canonical`; None is native for one corpus, canonical
            for several.
        seed: of the draws of hold-outs and development parts.
        deploy: one fold that learns from every clip and tests none.
        allow_leaks: go on where something that should be apart is on both sides; it is the first
            of the notes then.
        as_before: split several corpora as gensr up to 0.2 did: as if they were one.

    Returns:
        The protocol; clips without a label, or outside its split, are counted in `left_out`.

    Raises:
        ProtocolError: the clips do not allow it; the message names the way out.
    """
    corpora = tuple(sorted(set(table["corpus"])))
    if name is None:
        name = _default(table, corpora, label, labels)
    splitter = splitter_of(name)
    _check_corpora(name, splitter, corpora)
    if as_before:
        splitter = replace(splitter, prepare=None)
    asked = _asked(table, name, splitter, label, labels, deploy)
    kept = _kept(table, asked.rows, as_before)
    drawn_from = {**kept, "corpus": np.full(len(asked.rows), "")} if as_before else kept
    if deploy:
        divisions: Splits = []
        made = folds.deployed(splitter, drawn_from, seed)
    else:
        divisions = folds.divided(name, splitter, drawn_from, seed)
        made = folds.folds_of(splitter, drawn_from, divisions, seed)
    several = len(set(kept["corpus"].tolist())) > 1 and not as_before
    cluster = folds.cluster_column(kept, splitter, made, of_tested=several)
    outside = {splitter.idle: folds.outside(kept, made)}
    protocol = Protocol(
        name=splitter.name or name,
        corpora=corpora
        if splitter.prepare is None
        else tuple(sorted(set(kept["corpus"].tolist()))),
        label=asked.column,
        classes=asked.classes,
        label_map=asked.label_map,
        disjoint=() if deploy else splitter.groups,
        cluster=cluster,
        paths=tuple(kept["path"].tolist()),
        labels=np.searchsorted(asked.classes, asked.values).astype(np.int64),
        clusters=folds.clusters(kept, cluster),
        store_rows=asked.rows,
        folds=made,
        left_out={why: count for why, count in {**asked.left_out, **outside}.items() if count},
        overlaps=leaks.overlaps(kept, made, dict.fromkeys((*leaks.OVERLAPS, *splitter.groups))),
        roles=folds.roles(kept, made) if several else {},
        parts=folds.parts(kept, made) if splitter.outside and not deploy else "",
        said=tuple(splitter.said(kept, divisions)) if splitter.said and not deploy else (),
        columns=_facts(kept),
        split_unused=folds.split_unused(kept, splitter, deploy=deploy),
        test_learnt={} if deploy else folds.test_learnt(kept, made),
    )
    return _checked(protocol, splitter, allow_leaks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The clips that have a label that counts."""

    column: str
    rows: Rows
    """Of the table, rising."""
    values: NDArray[np.str_]
    """Their labels."""
    classes: tuple[str, ...]
    label_map: Mapping[str, str]
    left_out: Mapping[str, int]


def _asked(
    table: Table, name: str, splitter: Splitter, label: str, labels: str | None, deploy: bool
) -> _Asked:
    """Which clips take part, and as what."""
    corpora = tuple(sorted(set(table["corpus"])))
    column, values = asked_for(table, splitter, label, labels, corpora)
    native = np.asarray(table["emotion"] if column == "canonical" else values)
    left_out = {f"no {column} label": int((values == "").sum())}
    if not (values != "").any():
        raise ProtocolError(f"no clip of {', '.join(corpora)} has a label {column}; see gensr info")
    if not deploy:
        _check_asked(name, splitter, column)
    if splitter.prepare is not None:
        values, reasons = splitter.prepare(table, column, values)
        left_out |= reasons
    rows = np.flatnonzero(values != "").astype(np.int64)
    classes = tuple(sorted(set(values[rows].tolist())))
    if not classes:
        told = "; ".join(f"{count} clips {why}" for why, count in left_out.items() if count)
        raise ProtocolError(f"protocol {name} leaves out every clip ({told})")
    if len(classes) < 2:
        raise ProtocolError(
            f"every clip has the label {column} = {classes[0]}: nothing to tell apart"
        )
    return _Asked(
        column=column,
        rows=rows,
        values=values[rows],
        classes=classes,
        label_map=map_of(native[rows], values[rows]),
        left_out=left_out,
    )


def _kept(table: Table, labelled: Rows, as_before: bool) -> dict[str, NDArray[np.str_]]:
    """The clips that take part; what is known within a corpus alone is named with it.

    Versions up to 0.2 took equal sentences of two corpora for one.
    """
    every = tuple(sorted(set(table["corpus"])))
    kept = {key: np.asarray(table[key])[labelled] for key in table}
    for column in ("speaker", "dialogue") if as_before else ("speaker", "dialogue", "sentence"):
        kept[column] = qualified(kept, column, every)
    return kept


def _default(table: Table, corpora: tuple[str, ...], label: str, labels: str | None) -> str:
    _, values = asked_for(table, _ANY, label, labels, corpora)
    labelled = values != ""
    split, corpus = (np.asarray(table[key])[labelled] for key in ("split", "corpus"))
    return default_protocol(corpora, label, split, corpus)


def default_protocol(
    corpora: tuple[str, ...],
    label: str,
    split: NDArray[np.str_] | None = None,
    corpus: NDArray[np.str_] | None = None,
) -> str:
    """The corpus's own protocol where there is one, else its split, else a hold-out.

    Several corpora are split by what some of them name: the paper's mix where they are its
    corpora, else `official`, by which the others are learnt from whole.

    Args:
        corpora: sorted.
        label: what is to be predicted.
        split: the part that each clip names, or empty; followed where no clip lacks one.
        corpus: of each clip; None: of one and the same.
    """
    if label == "speaker":
        return "sentence-holdout"
    for name, family in SPLITTERS.items():
        if family.corpora and family.corpora == corpora:
            return name
    if split is None or label == "split":
        return "speaker-holdout"
    several = len(corpora) > 1 and corpus is not None
    whole = whole_splits(
        corpus if several and corpus is not None else np.full(len(split), ""), split
    )
    naming = set(np.asarray(corpus)[split != ""].tolist()) if several else {""}
    if not whole or set(whole) != naming:
        return "speaker-holdout"
    return mix.NAME if several and whole == ["meld"] and mix.fits(corpora) else "official"


def _check_corpora(name: str, splitter: Splitter, corpora: tuple[str, ...]) -> None:
    if splitter.corpora and splitter.corpora != corpora:
        several = len(corpora) > 1 and set(splitter.corpora) <= set(corpora)
        way = "official or speaker-holdout" if several else "speaker-holdout"
        if several and mix.fits(corpora):
            way = f"{mix.NAME} (they are learnt from whole, meld is tested by its split)"
        raise ProtocolError(
            f"protocol {name} is for {', '.join(splitter.corpora)}, the clips are of "
            f"{', '.join(corpora)}; try --protocol {way}"
        )


def _check_asked(name: str, splitter: Splitter, column: str) -> None:
    if column in splitter.groups:
        raise ProtocolError(
            f"protocol {name} never tests a {column} that it trained on, so it cannot be asked to "
            f"tell {column}s apart; pass --protocol sentence-holdout or random-holdout"
        )


def _checked(protocol: Protocol, splitter: Splitter, allow_leaks: bool) -> Protocol:
    """Refuse leaks, or have them said."""
    found = leaks.leaks(protocol.disjoint, protocol.overlaps)
    if found and not (allow_leaks or splitter.as_is):
        leaks.refuse(protocol.name, len(folds.tested(protocol.folds)), found)
    return replace(protocol, leaks=dict(sorted(found.items())))


def _facts(table: Table) -> dict[str, tuple[str, ...]]:
    """The columns that say something of a clip, as text."""
    facts = {name: tuple(map(str, values)) for name, values in table.items()}
    return {
        name: facts[name] for name in sorted(facts) if name not in NO_FACTS and any(facts[name])
    }
