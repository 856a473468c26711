"""The question that a deployed model is asked by other clips than those it learnt from.

Learnt from: every clip of the model's run. Tested: every clip of another store whose label is one
of the model's classes. So the overlaps, and the leaks, of any other question are this one's too.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gensr.features.corpora.labels import canonical
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.folds import roles
from gensr.pipeline.protocols.leaks import AUDIO, leaks, overlaps, refuse
from gensr.pipeline.protocols.protocol import Fold, Protocol, Rows
from gensr.pipeline.protocols.splits import Table

NAME = "elsewhere"
_COLUMNS = ("path", "corpus", "speaker", "gender", "sentence", "dialogue", AUDIO)


def elsewhere(learnt: Protocol, table: Table, where: str, *, allow_leaks: bool) -> Protocol:
    """The protocol of a test on other clips.

    Args:
        learnt: what the model was trained by, every clip of it.
        table: columns of the other clips, as text.
        where: what they are called in messages: a store.
        allow_leaks: test clips that the model learnt from all the same, and say so first.

    Returns:
        A protocol whose last clips are the tested ones; `store_rows` of those index the table.

    Raises:
        ProtocolError: no clip has a label that the model knows, or the model learnt from some.
    """
    values, left_out = known_labels(learnt, table, where)
    kept = np.flatnonzero(values != "").astype(np.int64)
    if not len(kept):
        raise ProtocolError(
            f"{where} holds no clip of the classes that the model tells apart "
            f"({', '.join(learnt.classes)}); see gensr info"
        )
    n = len(learnt.paths)
    both = _joined(learnt, table, kept)
    rows: Rows = np.arange(n + len(kept))
    fold = Fold(name="all", held_out=where, train=rows[:n], dev=rows[:0], test=rows[n:])
    shared = overlaps(both, (fold,))
    leaking = leaks((), shared)
    if leaking and not allow_leaks:
        refuse(NAME, len(kept), leaking)
    speakers, paths = both["speaker"].tolist(), both["path"].tolist()
    known = all(speakers[n:])
    labels = [learnt.classes.index(value) for value in values[kept].tolist()]
    native = map(str, np.asarray(table[learnt.label])[kept].tolist())
    return Protocol(
        name=NAME,
        corpora=tuple(sorted({*both["corpus"].tolist()})),
        label=learnt.label,
        classes=learnt.classes,
        label_map={**learnt.label_map, **dict(zip(native, values[kept].tolist(), strict=True))},
        disjoint=(),
        cluster="speaker" if known else "clip",
        paths=tuple(paths),
        labels=np.concatenate([learnt.labels, np.array(labels, np.int64)]),
        clusters=tuple(
            (known and speaker) or path for speaker, path in zip(speakers, paths, strict=True)
        ),
        store_rows=np.concatenate([learnt.store_rows, kept]),
        folds=(fold,),
        left_out=left_out,
        overlaps=shared,
        roles=roles(both, (fold,)),
        leaks=leaking,
        said=() if any(both[AUDIO][:n] != "") else (_UNSEEN,),
        columns={name: tuple(values) for name, values in _facts(both, learnt, table, kept).items()},
    )


_UNSEEN = "the run keeps no hashes of audio: whether the model learnt from these clips is not seen"


def known_labels(
    learnt: Protocol, table: Table, where: str
) -> tuple[NDArray[np.str_], Mapping[str, int]]:
    """The class of every clip, empty for none, and how many have none for what reason.

    A native emotion that is none of the classes is taken for the class of the same shared word:
    `angry` for `anger`.

    Raises:
        ProtocolError: the clips have no such column.
    """
    label, classes = learnt.label, learnt.classes
    if label not in table:
        raise ProtocolError(f"{where} has no column {label!r}, which the model tells")
    shared = {canonical(name): name for name in classes if canonical(name)}
    values, reasons = [], Counter[str]()
    for value in map(str, np.asarray(table[label]).tolist()):
        known = value if value in classes else ""
        if not known and value and label == "emotion":
            known = shared.get(canonical(value), "")
        if not known:
            reasons[f"labelled {value}, no class of the model" if value else f"no {label}"] += 1
        values.append(known)
    return np.array(values, dtype=str), dict(sorted(reasons.items()))


def _joined(learnt: Protocol, table: Table, kept: Rows) -> dict[str, NDArray[np.str_]]:
    """Columns of both; people by corpus, and tested clips renamed where the others have a name."""
    n = len(learnt.paths)
    unknown = ("",) * n
    both = {}
    for name in _COLUMNS:
        before = learnt.paths if name == "path" else learnt.columns.get(name, unknown)
        now = np.asarray(table[name])[kept].tolist() if name in table else [""] * len(kept)
        both[name] = np.array([*before, *map(str, now)], dtype=object)
    for name in ("speaker", "dialogue", "sentence"):
        several = name != "sentence" and len(learnt.corpora) > 1  # those are by corpus already
        both[name] = np.array(
            [
                f"{corpus}/{value}" if value and not (several and row < n) else value
                for row, (corpus, value) in enumerate(zip(both["corpus"], both[name], strict=True))
            ],
            dtype=object,
        )
    if {*learnt.paths} & {*both["path"][n:].tolist()}:
        both["path"][n:] = [f"{NAME}:{path}" for path in both["path"][n:].tolist()]
    return both


def _facts(
    both: Mapping[str, NDArray[np.str_]], learnt: Protocol, table: Table, kept: Rows
) -> dict[str, Sequence[str]]:
    """What is known of every clip: of the tested ones further columns of their store too."""
    facts: dict[str, Sequence[str]] = {
        name: values.tolist() for name, values in both.items() if name != "path"
    }
    for name in ("seconds", "intensity", "level"):
        if name in table:
            now = map(str, np.asarray(table[name])[kept].tolist())
            facts[name] = [*learnt.columns.get(name, ("",) * len(learnt.paths)), *now]
    return {name: values for name, values in facts.items() if any(values)}
