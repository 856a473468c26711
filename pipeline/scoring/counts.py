"""Predictions of one question, checked and counted: by seed and by cluster, ready for any number.

Whoever made them, they are a `predictions.csv` each and one protocol. What is not answered has an
empty prediction, and is wrong (`estimator/metrics.py`); a run of gensr answers everything.

Shapes: C classes, S clusters, R seeds, n tested clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import RunError
from gensr.estimator.metrics import Numbers, numbers, per_cluster
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.predictions import Prediction

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered of the tested clips, by every seed."""

    protocol: Protocol
    """The question."""
    rows: Rows
    """(n,) rows of the protocol that were tested, rising."""
    predicted: Rows
    """(R, n) class indices; C where there is no answer."""

    def numbers(self) -> Numbers:
        """Every metric, with its interval over the protocol's clusters, and over others it has."""
        (_, names), *others = self.clusterings().items()
        return numbers(
            self._truth(), self.predicted, names, self.protocol.classes, also=dict(others)
        )

    def matrices(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Confusion matrices (R, S, C, C), or (R, S, C, C+1), clusters by name."""
        return per_cluster(self._truth(), self.predicted, names, len(self.protocol.classes))

    def clusterings(self) -> dict[str, list[str]]:
        """Clusters of the tested clips: the protocol's own; speakers beside dialogues."""
        about = self.protocol
        found = {about.cluster: [about.clusters[row] for row in self.rows]}
        if about.cluster == "dialogue":
            speakers = self._column("speaker")
            if speakers and all(speakers):
                corpora = self._column("corpus") or [""] * len(speakers)
                several = len(set(corpora)) > 1
                found["speaker"] = [
                    f"{corpus}/{speaker}" if several else speaker
                    for corpus, speaker in zip(corpora, speakers, strict=True)
                ]
        return found

    def folds(self) -> list[str]:
        """The fold that tests each of the clips."""
        tested = {row: fold.name for fold in self.protocol.folds for row in fold.test}
        return [tested[row] for row in self.rows]

    def right(self) -> NDArray[np.bool_]:
        """(R, n) whether an answer is right."""
        right: NDArray[np.bool_] = self.predicted == self.protocol.labels[self.rows]
        return right

    def of(self, chosen: NDArray[Any]) -> "Answers":
        """The same of some of the clips alone: (n,) booleans."""
        return Answers(self.protocol, self.rows[chosen], self.predicted[:, chosen])

    def _column(self, name: str) -> list[str]:
        values = self.protocol.columns.get(name)
        return [values[row] for row in self.rows] if values else []

    def _truth(self) -> list[int]:
        truth: list[int] = self.protocol.labels[self.rows].tolist()
        return truth


def count(
    per_seed: Sequence[Sequence[Prediction]], protocol: Protocol, *, blank: bool = False
) -> Answers:
    """Check predictions and count them.

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
    found = [_answers(given, protocol, dict(tested), index) for given in per_seed]
    if not found or not found[0]:
        raise RunError("there are no predictions to score")
    rows = sorted(found[0])
    if any(sorted(one) != rows for one in found[1:]):
        raise RunError(f"the seeds of {protocol.name} tested other folds; train them again")
    return Answers(
        protocol,
        np.array(rows, np.int64),
        np.array([[one[row] for row in rows] for one in found], np.int64),
    )


def _answers(
    predictions: Sequence[Prediction],
    protocol: Protocol,
    tested: dict[tuple[str, str], Any],
    index: dict[str, int],
) -> dict[int, int]:
    """Row of each clip, and the class that was answered."""
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
        answers[int(row)] = index[given.predicted]
    begun = {given.fold for given in predictions}
    unanswered = [path for path, fold in tested if fold in begun]
    if unanswered:
        raise RunError(
            f"predictions do not fit protocol {protocol.name}: {len(unanswered)} tested clips "
            f"have none, the first is {unanswered[0]}"
        )
    return answers
