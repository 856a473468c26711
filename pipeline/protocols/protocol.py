"""What is compared with what: classes, folds, and what they keep apart, as one frozen object.

A result is a `predictions.csv` and a protocol; every number is computed from those two alone,
whoever made the predictions. Two results may stand side by side only if the hashes of their
protocols are equal.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gensr.features.card import facts_card, rows_card
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.notes import clips as _clips
from gensr.pipeline.protocols.notes import notes_of

T = TypeVar("T")
Rows = NDArray[np.int64]
ASIDE = ("split_unused", "leaks", "test_learnt", "said")
"""What is described and is no part of the question: words about it, and what follows from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One division of the clips. Rows index the clips of the protocol."""

    name: str
    """`1`, `2`, ...; `all` for the model to deploy."""
    held_out: str
    """What is tested, in words: the speakers, or `official test`."""
    train: Rows
    """Clips to train on."""
    dev: Rows
    """Clips for choices, from training speakers; never tested."""
    test: Rows
    """Clips to test; empty for the model to deploy."""

    @property
    def learn(self) -> Rows:
        """Clips that the final model may learn from: training and dev parts, in row order."""
        return np.union1d(self.train, self.dev).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """An experiment's question, without any model in it."""

    name: str
    """As `--protocol` takes it."""
    corpora: tuple[str, ...]
    """Corpora it covers, sorted."""
    label: str
    """What is predicted: `emotion`, `canonical`, `gender`, `speaker`, or a column."""
    classes: tuple[str, ...]
    """Class names in the order of their codes (Eq. 2), sorted."""
    label_map: Mapping[str, str]
    """Native label to class, for every label that occurs; left-out labels are absent."""
    disjoint: tuple[str, ...]
    """Columns no value of which is both trained on and tested: `speaker`, `sentence`, ..."""
    cluster: str
    """What intervals run over: `speaker`, `dialogue`, or `clip` where neither is known."""
    paths: tuple[str, ...]
    """Path of every clip that takes part."""
    labels: Rows
    """Class index of every clip."""
    clusters: tuple[str, ...]
    """Cluster of every clip."""
    store_rows: Rows
    """Row of every clip in the store(s), counted through them in order."""
    folds: tuple[Fold, ...]
    """Together they test each clip at most once."""
    left_out: Mapping[str, int]
    """Why clips of the store take no part, with counts."""
    overlaps: Mapping[str, int]
    """Per column, tested clips whose value is also learnt from in their fold."""
    split_unused: Mapping[str, int] = field(default_factory=dict)
    """Clips per part (empty: in none) of a split that they name and this does not follow."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Of several corpora, what each is for: `learnt from`, `tested`, or both; else empty."""
    parts: str = ""
    """Hash of which clip is on which side in which fold, where that follows from more than the
    name: from a file, or a column. Hex, 16 digits."""
    leaks: Mapping[str, int] = field(default_factory=dict)
    """Those of `overlaps` that should not be, and were allowed."""
    test_learnt: Mapping[str, int] = field(default_factory=dict)
    """Per corpus, clips of its official test part that some fold learns from, another asked for."""
    said: tuple[str, ...] = ()
    """What the protocol itself has to say of these clips, one line each."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Facts of every clip by column, empty where unknown: speaker, gender, corpus, seconds, ... By
    them results are told apart; they are no part of the question. None in a run of 0.1."""

    def __post_init__(self) -> None:
        for fold in self.folds:
            if not len(fold.train):
                raise ProtocolError(
                    f"fold {fold.name} of {self.name} leaves nothing to train on; "
                    "use another --protocol, or more clips"
                )

    @property
    def hash(self) -> str:
        """Identity of the question: equal hashes, comparable results. Hex, 16 digits."""
        about = {key: value for key, value in self.describe().items() if key not in ASIDE}
        digest = hashlib.sha256(f"[{json.dumps(about, sort_keys=True)}, [".encode())
        for number, row in enumerate(self.assignment()):  # of a million clips, one at a time
            digest.update((", " * (number > 0) + json.dumps(row)).encode())
        digest.update(b"]]")
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        classes, folds = len(self.classes), len(self.folds)
        return (
            f"Protocol({self.name}: {self.label}, {classes} classes, {_clips(len(self.paths))}, "
            f"{folds} fold{'s' * (folds != 1)}, {self.hash})"
        )

    def _repr_html_(self) -> str:
        counts = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        told = [f"{name} {count}" for name, count in zip(self.classes, counts, strict=True)]
        about = [
            ("classes", ", ".join(told)),
            ("kept apart", ", ".join(self.disjoint) or "nothing"),
            ("intervals over", f"{self.cluster}s"),
            ("hash", self.hash),
        ]
        folds = [
            [fold.name, fold.held_out, *(str(len(part)) for part in (fold.learn, fold.test))]
            for fold in self.folds
        ]
        return facts_card(f"protocol {self.name}: {self.label}", about, self.notes()) + rows_card(
            "folds", ["fold", "tested", "clips learnt", "clips tested"], folds
        )

    def describe(self) -> dict[str, Any]:
        """What a reader must know, as plain values."""
        since = {  # described where there is something to say: older versions had none of it
            "roles": dict(sorted(self.roles.items())),
            "parts": self.parts,
            "leaks": dict(sorted(self.leaks.items())),
            "test_learnt": dict(sorted(self.test_learnt.items())),
            "said": list(self.said),
        }
        return {
            "name": self.name,
            "corpora": list(self.corpora),
            "label": self.label,
            "classes": list(self.classes),
            "label_map": dict(sorted(self.label_map.items())),
            "disjoint": list(self.disjoint),
            "cluster": self.cluster,
            "left_out": dict(sorted(self.left_out.items())),
            "overlaps": dict(sorted(self.overlaps.items())),
            "folds": {fold.name: fold.held_out for fold in self.folds},
            "split_unused": dict(sorted(self.split_unused.items())),
            **{name: value for name, value in since.items() if value},
        }

    def assignment(self) -> list[tuple[str, str, str, str]]:
        """One row per clip, in path order: path, label, cluster, fold that tests it or empty."""
        tested = [""] * len(self.paths)
        for fold in self.folds:
            for row in fold.test:
                tested[row] = fold.name
        names = [self.classes[label] for label in self.labels]
        rows = list(zip(self.paths, names, self.clusters, tested, strict=True))
        return [rows[i] for i in self._by_path()]

    def facts(self) -> dict[str, list[str]]:
        """The columns in the order of `assignment`."""
        order = self._by_path()
        return {name: [values[i] for i in order] for name, values in self.columns.items()}

    def as_kept(self) -> dict[str, Any]:
        """The object that a run keeps of it; see `from_plain`."""
        return {
            "hash": self.hash,
            "protocol": self.describe(),
            "clips": self.assignment(),
            "columns": self.facts(),
        }

    def _by_path(self) -> list[int]:
        return sorted(range(len(self.paths)), key=self.paths.__getitem__)

    def notes(self) -> tuple[str, ...]:
        """What a reader of the results should know, one line each, the gravest first."""
        return notes_of(self)


def from_plain(
    described: Mapping[str, Any],
    assignment: Sequence[Sequence[str]],
    facts: Mapping[str, Sequence[str]] | None = None,
) -> Protocol:
    """A protocol as a run folder keeps it: enough to score predictions, not to train.

    Args:
        described: as `Protocol.describe` has it.
        assignment: as `Protocol.assignment` has it.
        facts: as `Protocol.facts` has them.

    Raises:
        LookupError, TypeError, ValueError: they are not the plain values of one.
    """
    clips = [_texts(row) for row in assignment]
    columns = {name: _texts(values) for name, values in (facts or {}).items()}
    if any(len(values) != len(clips) for values in columns.values()):
        raise ValueError("a fact for each clip")
    name, label, cluster = _texts([described[key] for key in ("name", "label", "cluster")])
    classes = _texts(described["classes"])
    index = {name: i for i, name in enumerate(classes)}
    empty = np.zeros(0, np.int64)
    rows = np.arange(len(clips))
    tested = np.array([row[3] for row in clips])
    folds = tuple(
        Fold(
            name=fold,
            held_out=held_out,
            train=rows[tested != fold],
            dev=empty,
            test=rows[tested == fold],
        )
        for fold, held_out in _values(described["folds"], str).items()
    )
    return Protocol(
        name=name,
        corpora=_texts(described["corpora"]),
        label=label,
        classes=classes,
        label_map=_values(described["label_map"], str),
        disjoint=_texts(described["disjoint"]),
        cluster=cluster,
        paths=tuple(row[0] for row in clips),
        labels=np.array([index[row[1]] for row in clips], np.int64),
        clusters=tuple(row[2] for row in clips),
        store_rows=rows,
        folds=folds,
        left_out=_values(described["left_out"], int),
        overlaps=_values(described["overlaps"], int),
        split_unused=_values(described.get("split_unused", {}), int),
        roles=_values(described.get("roles", {}), str),
        parts=_texts([described.get("parts", "")])[0],
        leaks=_values(described.get("leaks", {}), int),
        test_learnt=_values(described.get("test_learnt", {}), int),
        said=_texts(described.get("said", [])),
        columns=columns,
    )


def _texts(found: Any) -> tuple[str, ...]:
    """What should be a list of texts, and is only what a file says."""
    if not isinstance(found, list | tuple) or not all(isinstance(text, str) for text in found):
        raise TypeError("a list of texts")
    return tuple(found)


def _values(found: Any, kind: type[T]) -> Mapping[str, T]:
    """What should be names with a value of a kind for each."""
    if not isinstance(found, dict) or not all(type(value) is kind for value in found.values()):
        raise TypeError(f"names with {kind.__name__} for each")
    return found
