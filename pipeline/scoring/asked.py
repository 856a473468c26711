"""The question that a run is asked of other clips than its own: which, and what must be said.

Two questions can be asked of a store that a run was not trained on:

    models of folds     each of exactly the clips that it tests in its run, as the store has them:
                        perturbed, say. Other clips it cannot be asked of: of every clip some of
                        the models have heard the speaker, and there is no one model.
    one that learnt     every clip with a label that the run knows. A clip that it learnt from
    from every clip     is a leak, known by its recording or by its name.

Either is a protocol named `elsewhere`: the tested clips first, in the order of the store, then
those that were learnt from alone.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import RunError
from gensr.pipeline.protocols.labels import map_of
from gensr.pipeline.protocols.protocol import Fold, Protocol
from gensr.pipeline.runs.run import Run
from gensr.pipeline.training.vectors import Vectors, prefixes_of

NAME = "elsewhere"
_NONE = np.zeros(0, np.int64)
_AUDIO = "audio_sha256"


def same_clips(run: Run, vectors: Vectors) -> Protocol:
    """The tests of a run's folds, asked of the same clips in another store.

    Raises:
        RunError: the store has none of them.
    """
    kept, table = run.protocol, vectors.table
    called = zip(*_text(table, "corpus", "path"), strict=True)
    there = {name: row for row, name in enumerate(called)}
    known = _names(run)
    tests = [fold for fold in kept.folds if fold.name in run.config.folds and len(fold.test)]
    wanted = np.concatenate([fold.test for fold in tests]).tolist()
    rows = {
        n: there[name] for n in wanted for name in known[n] if name in there
    }  # of the names of a clip one is there, or none
    if not rows:
        models = f"{len(run.config.folds)} model{'s' * (len(run.config.folds) != 1)}"
        raise RunError(
            f"{run.folder} has {models} with clips left out, which are asked of those clips alone, "
            f"and {_shown(vectors)} holds none of them; train with --fold none for one model that "
            "is asked of any clip"
        )
    first = sorted(rows, key=rows.__getitem__)
    order = np.array([*first, *sorted(set(range(len(kept.paths))) - set(first))], np.int64)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    asked = set(first)
    label = np.array([str(v) for v in table.get(kept.label, [""] * len(table["path"]))])
    audio = kept.columns.get(_AUDIO, ("",) * len(kept.paths))
    heard = table[_AUDIO].tolist()
    said = (
        _told(len(wanted) - len(rows), "of the run's tests: not there, and not counted"),
        _told(len(table["path"]) - len(rows), "there: no tests of the run, and not asked"),
        _told(
            sum(bool(audio[n]) and audio[n] != heard[row] for n, row in rows.items()),
            "there: another recording under the same name",
        ),
        _told(
            sum(not _is_class(kept, n, label[row]) for n, row in rows.items()),
            f"there: another {kept.label}, the run's is kept",
        ),
    )
    fingerprint = [[*known[n][0], heard[rows[n]]] for n in sorted(rows)]
    return replace(
        kept,
        name=NAME,
        paths=tuple(kept.paths[n] for n in order),
        labels=kept.labels[order],
        clusters=tuple(kept.clusters[n] for n in order),
        store_rows=np.array([rows.get(n, -1) for n in order.tolist()], np.int64),
        folds=tuple(
            replace(
                fold,
                train=np.sort(place[fold.train]),
                dev=np.sort(place[fold.dev]),
                test=np.sort(place[[n for n in fold.test.tolist() if n in asked]]).astype(np.int64)
                if fold in tests
                else _NONE,
            )
            for fold in kept.folds
        ),
        left_out={},
        split_unused={},
        parts=_digest(kept.hash, vectors.perturbed, fingerprint),
        said=(*_about(vectors), *filter(None, said)),
        columns={name: tuple(v[n] for n in order) for name, v in kept.columns.items()},
    )


def any_clips(run: Run, vectors: Vectors, *, allow_leaks: bool = False) -> Protocol:
    """Every clip of a store whose label a run knows that learnt from every clip of its own.

    Args:
        run: of one model, which was trained to be deployed.
        vectors: the other store.
        allow_leaks: ask also of clips that it learnt from, and say so first.

    Raises:
        RunError: there is no such clip, or one that it learnt from.
    """
    kept, table = run.protocol, vectors.table
    corpora, paths, speakers = _text(table, "corpus", "path", "speaker")
    classes, left_out = _classes(run, vectors)
    rows = np.flatnonzero(classes >= 0)
    if not len(rows):
        raise RunError(
            f"{run.folder} knows {kept.label} as {', '.join(kept.classes)}, and no clip of "
            f"{_shown(vectors)} has such a label; train with --fold none and --labels canonical "
            "for words that corpora share"
        )
    leaks = _leaks(run, table, rows)
    if leaks and not allow_leaks:
        count = sum(leaks.values())
        raise RunError(
            f"leak: {run.folder} learnt from {count} of the {len(rows)} clips of {_shown(vectors)} "
            f"that it is asked of ({100 * count / len(rows):.1f} %); pass a store of other clips, "
            "or a run of folds, which asks each model of what it never heard (--allow-leaks goes "
            "on, and says so first)"
        )
    tested, learnt = len(rows), np.arange(len(kept.paths))
    cluster, clusters = _clusters(kept, table, rows)
    native = np.array(_text(table, "emotion" if kept.label == "canonical" else kept.label)[0])
    called = np.array(kept.classes)[classes[rows]]
    before = {name: values for name, values in kept.columns.items() if name in table}
    known = set(zip(before.get("corpus", ()), before.get("speaker", ()), strict=True))
    heard = sum((corpora[r], speakers[r]) in known and bool(speakers[r]) for r in rows)
    there = sorted({corpora[row] for row in rows})
    return Protocol(
        name=NAME,
        corpora=tuple(sorted({*there, *kept.corpora})),
        label=kept.label,
        classes=kept.classes,
        label_map=map_of(native[rows], called),
        disjoint=(),
        cluster=cluster,
        paths=(*(paths[row] for row in rows), *kept.paths),
        labels=np.concatenate([classes[rows], kept.labels]).astype(np.int64),
        clusters=(*clusters, *kept.clusters),
        store_rows=np.concatenate([rows, np.full(len(learnt), -1)]).astype(np.int64),
        folds=(
            Fold(
                name="all",
                held_out=f"every labelled clip of {', '.join(there)}",
                train=learnt + tested,
                dev=_NONE,
                test=np.arange(tested),
            ),
        ),
        left_out=left_out,
        overlaps={"speaker": heard} if heard else {},
        roles={name: _role(name, there, kept.corpora) for name in {*there, *kept.corpora}},
        parts=_digest(kept.hash, vectors.perturbed, [table[_AUDIO][row] for row in rows]),
        leaks=leaks,
        said=_about(vectors) if known else (*_about(vectors), _UNKNOWN),
        columns={
            name: (*(str(table[name][row]) for row in rows), *values)
            for name, values in before.items()
        },
    )


_UNKNOWN = (
    "whose voices the run learnt from is not known: a version of gensr made it that kept no "
    "speakers of its clips"
)


def _classes(run: Run, vectors: Vectors) -> tuple[NDArray[np.int64], dict[str, int]]:
    """The class of every clip, -1 for none, and why there is none, with counts.

    Raises:
        RunError: the store has no such column.
    """
    kept, table = run.protocol, vectors.table
    if kept.label not in table:
        raise RunError(
            f"{run.folder} tells {kept.label} apart, and {_shown(vectors)} has no such column; "
            f"there are {', '.join(table)}"
        )
    values, corpora, native = _text(table, kept.label, "corpus", "emotion")
    index = {name: i for i, name in enumerate(kept.classes)}
    found = np.full(len(values), -1, np.int64)
    reasons: Counter[str] = Counter()
    for row, value in enumerate(values):
        name = value
        if kept.label == "speaker" and len(kept.corpora) > 1:
            name = f"{corpora[row]}/{value}"
        if name not in index and corpora[row] in kept.corpora:  # merged for this question
            name = kept.label_map.get(native[row] if kept.label == "canonical" else value, name)
        if name in index:
            found[row] = index[name]
        else:
            reasons[f"labelled {value}, no class of the run" if value else "no label"] += 1
    return found, dict(sorted(reasons.items()))


def _leaks(run: Run, table: Mapping[str, NDArray[Any]], rows: NDArray[np.int64]) -> dict[str, int]:
    """Asked clips that the run learnt from: the same recording, else the same name."""
    learnt = set(run.protocol.columns.get(_AUDIO, ())) - {""}
    names = {name for alike in _names(run) for name in alike}
    corpora, paths, audio = _text(table, "corpus", "path", _AUDIO)
    counts = Counter(
        _AUDIO if audio[row] in learnt else "path"
        for row in rows
        if audio[row] in learnt or (corpora[row], paths[row]) in names
    )
    return dict(sorted(counts.items()))


def _names(run: Run) -> list[list[tuple[str, str]]]:
    """What each clip of a run may be called in another store: corpus and path."""
    kept = run.protocol
    columns, prefixed = kept.columns.get("corpus"), prefixes_of(run) is not None
    names = []
    for n, path in enumerate(kept.paths):
        corpora = [columns[n]] if columns else kept.corpora
        bare = path.partition(":")[2] if prefixed else path
        names.append([(c, bare.removeprefix(f"{c}:")) for c in corpora])
    return names


def _clusters(
    kept: Protocol, table: Mapping[str, NDArray[Any]], rows: NDArray[np.int64]
) -> tuple[str, list[str]]:
    """What intervals run over in the other store: as in the run where that is known of all."""
    corpora = _text(table, "corpus")[0]
    several = len({corpora[row] for row in rows}) > 1
    for column in dict.fromkeys((kept.cluster, "speaker")):
        values = _text(table, column)[0] if column in table else []
        if values and all(values[row] for row in rows):
            return column, [
                f"{corpora[row]}/{values[row]}" if several else values[row] for row in rows
            ]
    return "clip", [str(table["path"][row]) for row in rows]


def _is_class(kept: Protocol, number: int, label: str) -> bool:
    name = kept.classes[kept.labels[number]]
    return label == name or name in kept.label_map.get(label, "").split(" or ")


def _role(name: str, tested: Sequence[str], learnt: Sequence[str]) -> str:
    if name in tested:
        return "learnt from and tested" if name in learnt else "tested"
    return "learnt from"


def _about(vectors: Vectors) -> tuple[str, ...]:
    done = next(filter(None, vectors.perturbed), "")
    return (
        f"asked of {_shown(vectors)}, {f'perturbed by {done}' if done else 'clips as they are'}",
    )


def _told(count: int, what: str) -> str:
    return f"{count} clip{'s' * (count != 1)} {what}" if count else ""


def _shown(vectors: Vectors) -> str:
    return ", ".join(map(str, vectors.places))


def _text(table: Mapping[str, NDArray[Any]], *names: str) -> list[list[str]]:
    """Columns as texts; one that is not there is empty."""
    empty = [""] * len(table["path"])
    return [[*map(str, table[name].tolist())] if name in table else empty for name in names]


def _digest(*about: Any) -> str:
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
