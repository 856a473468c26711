"""A system: one model asked one question with one seed or several, and what it answered.

Shapes: S seeds, K clusters (speakers), n tested clips, C classes.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import RunError
from gensr.features.same_encoder import named
from gensr.features.store.where import Location
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.report.content.data import Floats
from gensr.pipeline.runs.run import Run
from gensr.pipeline.runs.sets import runs_of
from gensr.pipeline.scoring import system as scored
from gensr.pipeline.scoring.evaluate import answered, score


@dataclass(frozen=True)
class System:
    """The runs of one system, and their answers side by side."""

    name: str
    runs: tuple[Run, ...]
    rows: NDArray[np.int64]
    """(n,) tested clips, by the protocol's numbers, rising."""
    probabilities: Floats
    """(S, n, C)."""
    predicted: NDArray[np.int64]
    """(S, n), class indices."""

    @property
    def run(self) -> Run:
        """The first of its runs: what all have in common is read there."""
        return self.runs[0]

    @property
    def folder(self) -> Path:
        """The run, or the folder of its seeds."""
        return self.run.folder if len(self.runs) == 1 else self.run.folder.parent

    @property
    def protocol(self) -> Protocol:
        """Its question."""
        return self.run.protocol

    @property
    def encoder(self) -> str:
        """What its vectors were made by."""
        return named(self.run.config.encoder)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of its runs."""
        return tuple(run.config.seed for run in self.runs)

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """(n,), class indices."""
        return self.protocol.labels[self.rows]

    @cached_property
    def clusters(self) -> NDArray[np.str_]:
        """(n,), speaker or dialogue of each clip."""
        return np.array(self.protocol.clusters, str)[self.rows]

    @cached_property
    def folds(self) -> NDArray[np.str_]:
        """(n,), name of the fold that tests each clip."""
        names = np.full(len(self.protocol.paths), "", object)
        for fold in self.protocol.folds:
            names[fold.test] = fold.name
        return names[self.rows].astype(str)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """(S, n), whether each answer is right."""
        right: NDArray[np.bool_] = self.predicted == self.truth
        return right

    def column(self, name: str) -> NDArray[np.str_] | None:
        """(n,), a fact of each tested clip, empty where unknown; None where the run has none."""
        values = self.protocol.columns.get(name)
        if values is None:
            return self._of_predictions(name)
        return np.array(values, str)[self.rows]

    def _of_predictions(self, name: str) -> NDArray[np.str_] | None:
        """Speaker and corpus are in predictions.csv too, which runs of 0.2 have."""
        if name not in ("speaker", "corpus"):
            return None
        known = {given.path: getattr(given, name) for given in self.run.predictions()}
        values = [known[self.protocol.paths[row]] for row in self.rows]
        if not any(values) and name == "speaker" and self.protocol.cluster == "speaker":
            return self.clusters
        return np.array(values, str) if any(values) else None

    @cached_property
    def speakers(self) -> NDArray[np.str_] | None:
        """(n,), with the corpus before it where there are several; None where unknown."""
        speakers, corpora = self.column("speaker"), self.column("corpus")
        if speakers is None or not (speakers != "").any():
            return None
        if corpora is None or len(np.unique(corpora)) < 2:
            return speakers
        pairs = zip(corpora, speakers, strict=True)
        return np.array([f"{corpus}/{one}" if one else "" for corpus, one in pairs], str)

    def answers(self) -> scored.System:
        """The same as the scoring of groups and calibration takes it."""
        return scored.system_of(self.protocol, [run.predictions() for run in self.runs])

    def confusions(
        self, clusters: NDArray[np.str_] | None = None, part: NDArray[np.bool_] | None = None
    ) -> Floats:
        """(S, K, C, C) counts, rows truth; one matrix for each cluster that has a clip.

        Args:
            clusters: (n,); by default those of the protocol.
            part: (n,), which clips count; by default all.
        """
        part = np.ones(len(self.rows), bool) if part is None else part
        chosen = (self.clusters if clusters is None else clusters)[part]
        names, index = np.unique(chosen, return_inverse=True)
        C = len(self.protocol.classes)
        counts = np.zeros((len(self.runs), len(names), C, C))
        for seed, predicted in enumerate(self.predicted):
            np.add.at(counts[seed], (index, self.truth[part], predicted[part]), 1)
        return counts


def load_system(place: Run | Location, name: str) -> System:
    """The system of a run, or of a set of several seeds.

    Args:
        place: its folder.
        name: what it is called.

    Raises:
        RunError: see `runs_of` and `evaluate`.
    """
    runs = runs_of(place)
    first, protocol = runs[0], runs[0].protocol
    row_of = {
        (protocol.paths[row], fold.name): int(row) for fold in protocol.folds for row in fold.test
    }
    index = {name: i for i, name in enumerate(protocol.classes)}
    rows: list[int] = []
    probabilities, predicted = [], []
    for run in runs:
        if run.protocol.hash != protocol.hash:
            raise RunError(f"{first.folder} and {run.folder} are seeds of different questions")
        given = answered(run)
        score(given, run.protocol)  # refuses answers that are not to the question
        given = sorted(given, key=lambda one: row_of[one.path, one.fold])
        if any(len(one.probabilities) != len(index) for one in given):
            raise RunError(
                f"{run.folder}: its predictions.csv has not a probability for each of the "
                f"{len(index)} classes; train again"
            )
        tested = [row_of[one.path, one.fold] for one in given]
        if rows and tested != rows:
            raise RunError(f"{first.folder} and {run.folder} do not answer the same clips")
        rows = tested
        probabilities.append([one.probabilities for one in given])
        predicted.append([index[one.predicted] for one in given])
    return System(
        name,
        runs,
        np.array(rows, np.int64),
        np.array(probabilities, np.float64),
        np.array(predicted, np.int64),
    )
