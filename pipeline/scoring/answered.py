"""What a system answered of the tested clips, checked, as arrays: all numbers are made of these.

Whoever answered, it is a `predictions.csv` each and one protocol. A system is one run, or the runs
of several seeds: the same clips, answered once by each. A number is then the mean over the seeds,
and a speaker who is left out is left out in all of them at once.

Shapes: R seeds, n tested clips, C classes, S clusters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import RunError
from gensr.estimator.intervals import Matrix
from gensr.estimator.metrics import Numbers, numbers, per_cluster
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.predictions import Prediction

Rows = NDArray[np.int64]
Some = NDArray[np.bool_]
"""(n,), which clips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answers of one system to one question."""

    protocol: Protocol
    """The question."""
    rows: Rows
    """(n,) rows of the protocol that were tested, rising."""
    predicted: Rows
    """(R, n) class indices; C where there is no answer, which is wrong."""
    p: NDArray[np.float64] | None = None
    """(R, n, C) probabilities; None where somebody gave none."""
    beside: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    """(n,) each, what predictions say of their clips, for a protocol that does not: `speaker` and
    `corpus`."""

    @property
    def seeds(self) -> int:
        """R."""
        return len(self.predicted)

    @property
    def truth(self) -> Rows:
        """(n,) class indices."""
        labels: Rows = self.protocol.labels[self.rows]
        return labels

    @property
    def right(self) -> Some:
        """(R, n), whether an answer is right."""
        right: Some = self.predicted == self.truth
        return right

    @property
    def folds(self) -> NDArray[np.str_]:
        """(n,), the fold that tests each."""
        tested = {row: fold.name for fold in self.protocol.folds for row in fold.test}
        return np.array([tested[row] for row in self.rows])

    @property
    def clusters(self) -> NDArray[np.str_]:
        """(n,), what intervals are over: speaker or dialogue."""
        return np.array(self.protocol.clusters, str)[self.rows]

    @property
    def speakers(self) -> NDArray[np.str_]:
        """(n,), apart from a namesake in another corpus; empty where nobody knows."""
        speakers = self.column("speaker")
        if speakers is None:  # version 0.1 names none, but its intervals are over them
            mine = self.protocol.cluster == "speaker"
            return self.clusters if mine else np.full(len(self.rows), "")
        corpora = self.column("corpus")
        if corpora is None or len(self.protocol.corpora) < 2:
            return speakers
        pairs = zip(corpora.tolist(), speakers.tolist(), strict=True)
        return np.array(
            [
                who if not who or not corpus or who.startswith(f"{corpus}/") else f"{corpus}/{who}"
                for corpus, who in pairs
            ],
            str,
        )

    def column(self, name: str) -> NDArray[np.str_] | None:
        """(n,), what is known of each clip by a column, empty where nothing is; None: of none."""
        values = self.protocol.columns.get(name)
        if values is not None:
            return np.array(values, str)[self.rows]
        return self.beside.get(name)

    def of(self, some: Some) -> "Answered":
        """The same of some of the clips alone."""
        return replace(
            self,
            rows=self.rows[some],
            predicted=self.predicted[:, some],
            p=None if self.p is None else self.p[:, some],
            beside={name: values[some] for name, values in self.beside.items()},
        )

    def numbers(self) -> Numbers:
        """Every metric, with its interval over the protocol's clusters, and over others it has."""
        (_, names), *others = self.clusterings().items()
        return numbers(
            self.truth.tolist(), self.predicted, names, self.protocol.classes, also=dict(others)
        )

    def matrices(self, names: Sequence[str] | None = None, some: Some | None = None) -> Matrix:
        """Confusion matrices (R, S, C, C), or (R, S, C, C+1) where a clip has no answer.

        Args:
            names: (n,) cluster of each clip; None: the protocol's.
            some: (n,) which clips count; a cluster without any is not there.
        """
        named = self.clusters if names is None else np.asarray(names, str)
        chosen = np.ones(len(self.rows), bool) if some is None else some
        return per_cluster(
            self.truth[chosen].tolist(),
            self.predicted[:, chosen],
            named[chosen].tolist(),
            len(self.protocol.classes),
        )

    def clusterings(self) -> dict[str, list[str]]:
        """Clusters of the tested clips: the protocol's own; speakers beside dialogues."""
        found = {self.protocol.cluster: self.clusters.tolist()}
        if self.protocol.cluster == "dialogue" and (self.speakers != "").all():
            found["speaker"] = self.speakers.tolist()
        return found


def count(
    per_seed: Sequence[Sequence[Prediction]], protocol: Protocol, *, blank: bool = False
) -> Answered:
    """Check predictions and line them up.

    Args:
        per_seed: predictions of each seed, in any order.
        protocol: what they answer.
        blank: whether a clip may be without an answer.

    Raises:
        RunError: a prediction for a clip that the protocol does not test in that fold, two for
            one clip, none for a clip of a fold that has others, another label than the
            protocol's, a class that it does not know, or seeds that tested other folds.
    """
    tested = {(protocol.paths[row], fold.name): row for fold in protocol.folds for row in fold.test}
    index = {name: i for i, name in enumerate(protocol.classes)}
    if blank:
        index.setdefault("", len(index))
    found = [_by_row(given, protocol, dict(tested), index) for given in per_seed]
    if not found or not found[0]:
        raise RunError("there are no predictions to score")
    rows = sorted(found[0])
    if any(sorted(one) != rows for one in found[1:]):
        raise RunError(f"the seeds of {protocol.name} tested other folds; train them again")
    lined = [[one[row] for row in rows] for one in found]
    C = len(protocol.classes)
    whole = all(len(one.probabilities) == C for given in lined for one in given)
    return Answered(
        protocol=protocol,
        rows=np.array(rows, np.int64),
        predicted=np.array([[index[one.predicted] for one in given] for given in lined], np.int64),
        p=np.array([[one.probabilities for one in given] for given in lined]) if whole else None,
        beside=_beside(lined[0]),
    )


def _beside(answers: Sequence[Prediction]) -> dict[str, NDArray[np.str_]]:
    """What is said of the clips; nothing of what is not known of any."""
    told = {name: [getattr(one, name) for one in answers] for name in ("speaker", "corpus")}
    return {name: np.array(values, str) for name, values in told.items() if any(values)}


def together(found: Sequence[Answered]) -> Answered:
    """Answers of several seeds to one question, as those of one system.

    Raises:
        RunError: they are of other clips, or to another question.
    """
    first = found[0]
    for one in found[1:]:
        if one.protocol.hash != first.protocol.hash or not np.array_equal(one.rows, first.rows):
            raise RunError(f"the seeds of {first.protocol.name} tested other folds; train again")
    whole = [one.p for one in found if one.p is not None]
    return replace(
        first,
        predicted=np.concatenate([one.predicted for one in found]),
        p=np.concatenate(whole) if len(whole) == len(found) else None,
    )


def _by_row(
    predictions: Sequence[Prediction],
    protocol: Protocol,
    tested: dict[tuple[str, str], Any],
    index: dict[str, int],
) -> dict[int, Prediction]:
    """What was answered of each row."""
    answers = {}
    for given in predictions:
        row = tested.pop((given.path, given.fold), None)
        known = row is not None and given.predicted in index
        if not known or given.label != protocol.classes[protocol.labels[row]]:
            raise RunError(
                f"predictions do not fit protocol {protocol.name}: {given.path}, fold "
                f"{given.fold}, label {given.label!r}, predicted {given.predicted!r} is not among "
                "its tests, or twice"
            )
        answers[int(row)] = given
    begun = {given.fold for given in predictions}
    unanswered = [path for path, fold in tested if fold in begun]
    if unanswered:
        raise RunError(
            f"predictions do not fit protocol {protocol.name}: {len(unanswered)} tested clips "
            f"have none, the first is {unanswered[0]}"
        )
    return answers
