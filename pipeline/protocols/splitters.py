"""The protocols on offer: how the clips of a store become folds.

| name              | corpora | folds                                          | keeps apart |
|-------------------|---------|------------------------------------------------|-------------|
| emodb-loso        | emodb   | leave one speaker out (10)                     | speaker     |
| savee-loso        | savee   | leave one speaker out (4)                      | speaker     |
| tess-loso         | tess    | 2 speakers x 2 halves of the words             | speaker, sentence |
| ravdess-6fold     | ravdess | six of four actors, two women and two men each | speaker     |
| meld-official     | meld    | the official split                             | dialogue    |
| official          | any     | the split that the clips name: train, dev, test | nothing    |
| speaker-holdout   | any     | one, about a fifth of the speakers             | speaker     |
| speaker-5fold     | any     | five groups of speakers                        | speaker     |
| sentence-holdout  | any     | one, about a fifth of the sentences            | sentence    |
| random-holdout    | any     | one, about a fifth of the distinct audio       | identical audio |

The development part of a fold is taken from its training part by the same kind of group, so
that choices are made under the conditions of the test. Every draw ranks the names by a hash with
the seed: the order of the clips does not matter, nor does the number of clips per name. An empty
value is unknown, and no group: where a protocol keeps a column apart it is refused, elsewhere it
is never drawn.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols import splits
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Fold, Protocol, Rows
from gensr.pipeline.protocols.splits import Splits, Table

OVERLAPS = ("speaker", "dialogue", "sentence", "audio_sha256")
"""What may be on both sides of a split: counted always, refused where a splitter keeps it apart."""
DEV_SHARE = 0.15
NO_FACTS = ("path", "row", "samples", "file_sha256", "split")
"""Columns of the clip table by which nobody tells results apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitter:
    """A way to split clips, before it meets any; with them it makes a `Protocol`."""

    corpora: tuple[str, ...]
    """Corpora it is for; empty for any."""
    groups: tuple[str, ...]
    """Columns kept disjoint between training and test."""
    split: Callable[[Table, int], Splits]
    """(clip table, seed) -> for each fold: what is held out, rows to learn from, rows to test."""
    official: bool = False
    """Whether it follows the split that the clips name, its development part included."""


def make_protocol(
    table: Table,
    *,
    name: str | None = None,
    label: str = "emotion",
    labels: str | None = None,
    seed: int = 0,
    deploy: bool = False,
) -> Protocol:
    """Split the clips of a table.

    Args:
        table: columns of the clip table, as long as each other.
        name: one of `SPLITTERS`; None picks the corpus's own, else a hold-out.
        label: `emotion`, `gender`, `speaker`, or any column.
        labels: for emotion, `native` or `canonical`; None is native for one corpus, canonical
            for several.
        seed: of the draws of hold-outs and development parts.
        deploy: one fold that learns from every clip and tests none.

    Returns:
        The protocol; clips without a label, or outside its split, are counted in `left_out`.

    Raises:
        ProtocolError: the clips do not allow it; the message names the way out.
    """
    corpora = tuple(sorted(set(table["corpus"])))
    column, values = _labels(table, label, labels, corpora)
    labelled = np.flatnonzero(values != "")
    left_out = Counter({f"no {column} label": len(values) - len(labelled)})
    if not len(labelled):
        raise ProtocolError(f"no clip of {', '.join(corpora)} has a label {column}; see gensr info")
    kept = {key: np.asarray(table[key])[labelled] for key in table}
    kept["speaker"] = _qualified(kept, "speaker", corpora)
    kept["dialogue"] = _qualified(kept, "dialogue", corpora)
    name = name or default_protocol(corpora, label, kept["split"])
    splitter = _splitter(name, corpora, "" if deploy else column)
    folds, outside = _folds(name, splitter, kept, seed, deploy)
    if outside:
        left_out["in no part of the split"] = len(outside)
    classes = tuple(sorted(set(values[labelled].tolist())))
    if len(classes) < 2:
        raise ProtocolError(
            f"every clip has the label {column} = {classes[0]}: nothing to tell apart"
        )
    native = np.asarray(table["emotion"] if column == "canonical" else values)[labelled]
    cluster = _cluster_column(kept, splitter)
    named = Counter(kept["split"].tolist())
    followed = (splitter.official and not deploy) or not {"train", "test"} <= set(named)
    protocol = Protocol(
        name=name,
        corpora=corpora,
        label=column,
        classes=classes,
        label_map=_label_map(native, values[labelled]),
        disjoint=() if deploy else splitter.groups,
        cluster=cluster,
        paths=tuple(kept["path"].tolist()),
        labels=np.searchsorted(classes, values[labelled]).astype(np.int64),
        clusters=tuple(kept["path" if cluster == "clip" else cluster].tolist()),
        store_rows=labelled.astype(np.int64),
        folds=folds,
        left_out={reason: count for reason, count in left_out.items() if count},
        overlaps=_overlaps(kept, folds),
        split_unused={} if followed else dict(named),
        columns=_facts(kept),
    )
    _keep_promises(protocol)
    return protocol


def _facts(table: Table) -> dict[str, tuple[str, ...]]:
    """The columns that say something of a clip, as text."""
    facts = {name: tuple(map(str, values)) for name, values in table.items()}
    return {
        name: facts[name] for name in sorted(facts) if name not in NO_FACTS and any(facts[name])
    }


def _keep_promises(protocol: Protocol) -> None:
    for column in protocol.disjoint:
        if protocol.overlaps.get(column):
            raise ProtocolError(
                f"leak: {protocol.overlaps[column]} tested clips share their {column} with trained "
                f"ones, which {protocol.name} promises to keep apart; mend the corpus's labels or "
                "splits, or choose another --protocol"
            )


def _overlaps(table: Table, folds: tuple[Fold, ...]) -> dict[str, int]:
    """Tested clips whose speaker, sentence, ... is also learnt from in their fold."""
    counts = {}
    for column in OVERLAPS:
        values = table.get(column)
        if values is None or not (values != "").any():
            continue
        counts[column] = sum(
            int((np.isin(values[f.test], values[f.learn]) & (values[f.test] != "")).sum())
            for f in folds
        )
    return counts


def default_protocol(
    corpora: tuple[str, ...], label: str, split: NDArray[np.str_] | None = None
) -> str:
    """The corpus's own protocol where there is one, else its split, else a hold-out.

    Args:
        corpora: sorted.
        label: what is to be predicted.
        split: the part that each clip names, or empty; followed where no clip lacks one.
    """
    if label == "speaker":
        return "sentence-holdout"
    for name, splitter in SPLITTERS.items():
        if splitter.corpora == corpora:
            return name
    named = set() if split is None or label == "split" else set(split.tolist())
    whole = {"train", "test"} <= named <= set(splits.PARTS)
    return "official" if whole else "speaker-holdout"


def _splitter(name: str, corpora: tuple[str, ...], column: str) -> Splitter:
    """The splitter of a name, if clips of these corpora can be split so and asked for a column."""
    if name not in SPLITTERS:
        raise ProtocolError(f"no protocol {name!r}; choose one of {', '.join(SPLITTERS)}")
    splitter = SPLITTERS[name]
    if splitter.corpora and splitter.corpora != corpora:
        raise ProtocolError(
            f"protocol {name} is for {', '.join(splitter.corpora)}, the clips are of "
            f"{', '.join(corpora)}; try --protocol speaker-holdout"
        )
    if column in splitter.groups:
        raise ProtocolError(
            f"protocol {name} never tests a {column} that it trained on, so it cannot be asked to "
            f"tell {column}s apart; pass --protocol sentence-holdout or random-holdout"
        )
    return splitter


def _labels(
    table: Table, label: str, labels: str | None, corpora: tuple[str, ...]
) -> tuple[str, NDArray[np.str_]]:
    if label == "emotion" and (labels or ("native" if len(corpora) == 1 else "canonical")) != (
        "native"
    ):
        label = "canonical"
    if label not in table:
        raise ProtocolError(f"no column {label!r} to learn; the clips have {', '.join(table)}")
    values = np.asarray(table[label]).astype(str)
    return label, _qualified(table, label, corpora) if label == "speaker" else values


def _label_map(native: NDArray[np.str_], values: NDArray[np.str_]) -> dict[str, str]:
    """Native label to class; to both, in words, where two corpora mean different classes by it."""
    meant: dict[str, list[str]] = {}
    for label, value in sorted(set(zip(native.tolist(), values.tolist(), strict=True))):
        meant.setdefault(label, []).append(value)
    return {label: " or ".join(classes) for label, classes in meant.items()}


def _qualified(table: Table, column: str, corpora: tuple[str, ...]) -> NDArray[np.str_]:
    """Values made unique over several corpora: two corpora may call two people `01`."""
    values = np.asarray(table[column]).astype(str)
    if len(corpora) == 1:
        return values
    pairs = zip(table["corpus"], values, strict=True)
    return np.array([f"{corpus}/{value}" if value else "" for corpus, value in pairs])


def _cluster_column(table: Table, splitter: Splitter) -> str:
    ways: tuple[str, ...] = (*splitter.groups, "speaker")
    for column in (*ways, "dialogue") if splitter.official else ways:
        if column in ("speaker", "dialogue") and all(table[column] != ""):
            return column
    return "clip"


def _folds(
    name: str, splitter: Splitter, table: Table, seed: int, deploy: bool
) -> tuple[tuple[Fold, ...], set[int]]:
    everything = np.arange(len(table["path"]))
    if deploy:
        dev = _dev_part(table, splitter, everything, seed, 0)
        train = np.setdiff1d(everything, dev)
        return (Fold(name="all", held_out="nothing", train=train, dev=dev, test=dev[:0]),), set()
    for column in splitter.groups:
        missing = int((table[column] == "").sum())
        if missing:
            raise ProtocolError(
                f"{missing} of {len(everything)} clips have no {column}, which protocol {name} "
                "keeps apart; fill them in, empty those clips' labels to leave them out, or pass "
                "--protocol random-holdout to split by clip instead"
            )
    folds: list[Fold] = []
    used: set[int] = set()
    for number, (held_out, learn, test) in enumerate(splitter.split(table, seed), 1):
        dev = _dev_part(table, splitter, learn, seed, number)
        train = np.setdiff1d(learn, dev)
        folds.append(Fold(name=str(number), held_out=held_out, train=train, dev=dev, test=test))
        used.update(learn.tolist(), test.tolist())
    return tuple(folds), set(everything.tolist()) - used


def _dev_part(table: Table, splitter: Splitter, learn: Rows, seed: int, fold: int) -> Rows:
    """Clips for choices: the official part, else whole groups drawn from the training part.

    A column serves where at least half of these clips have a value, three different ones: clips
    without one are of no group that could be held out, and stay in training.
    """
    if splitter.official:
        official: Rows = learn[table["split"][learn] == "dev"]
        if len(official) or splitter.corpora:  # a corpus's own split without its dev part has none
            return official
    ways = (*splitter.groups, *(("speaker",) if splitter.official else ()))
    for column in (*ways, "sentence", "audio_sha256", "path"):
        values = table[column][learn] if column in table else np.zeros(0, str)
        known = values[values != ""]
        distinct = sorted(set(known.tolist()))
        if len(distinct) >= 3 and 2 * len(known) >= len(learn):
            drawn = splits.draw(distinct, DEV_SHARE, f"dev/{seed}/{fold}")
            return learn[np.isin(values, drawn)]
    return learn[:0]


SPLITTERS: dict[str, Splitter] = {
    "emodb-loso": Splitter(
        corpora=("emodb",), groups=("speaker",), split=splits.leave_one_speaker_out
    ),
    "savee-loso": Splitter(
        corpora=("savee",), groups=("speaker",), split=splits.leave_one_speaker_out
    ),
    "tess-loso": Splitter(corpora=("tess",), groups=("speaker", "sentence"), split=splits.tess),
    "ravdess-6fold": Splitter(corpora=("ravdess",), groups=("speaker",), split=splits.ravdess),
    "meld-official": Splitter(
        corpora=("meld",), groups=("dialogue",), split=splits.official, official=True
    ),
    "official": Splitter(corpora=(), groups=(), split=splits.official, official=True),
    "speaker-holdout": Splitter(
        corpora=(), groups=("speaker",), split=splits.holdout("speaker", 4)
    ),
    "speaker-5fold": Splitter(corpora=(), groups=("speaker",), split=splits.five_folds),
    "sentence-holdout": Splitter(
        corpora=(), groups=("sentence",), split=splits.holdout("sentence", 1)
    ),
    "random-holdout": Splitter(corpora=(), groups=(), split=splits.holdout("audio_sha256", 1)),
}
