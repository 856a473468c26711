"""The tested clips of one system, as arrays: what all numbers below the headline are made of.

A system is one run, or the runs of several seeds: the same clips, answered once by each. Every
number is then the mean over the seeds, and a speaker who is left out is left out in all of them.

Shapes: k seeds, n clips, C classes, S clusters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.intervals import Matrix, Metric
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.predictions import Prediction

LENGTH = "length"
"""The column `seconds` in thirds."""
CLASS = "class"
"""What is predicted, by its true value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What was answered of the clips that a protocol tests."""

    protocol: Protocol
    rows: NDArray[np.int64]
    """(n,) rows of the protocol, rising."""
    y: NDArray[np.int64]
    """(n,) their classes."""
    predicted: NDArray[np.int64]
    """(k, n) the answers."""
    p: NDArray[np.float64] | None
    """(k, n, C) their probabilities; None where somebody gave none."""
    folds: NDArray[np.str_]
    """(n,) the fold that tests each."""
    cluster: NDArray[np.int64]
    """(n,) number of each clip's cluster, of S."""
    speakers: tuple[str, ...]
    """(n,) who speaks; empty where nobody knows."""

    @property
    def n_clusters(self) -> int:
        """How many clusters are tested."""
        return int(self.cluster.max()) + 1

    @property
    def seeds(self) -> int:
        """How many answers there are to each clip."""
        return len(self.predicted)

    def confusions(self, some: NDArray[np.bool_] | None = None) -> Matrix:
        """Matrices (S, C, k C) of some clips: a block of C columns for each seed, over k.

        Args:
            some: (n,) which clips, or (k, n) in the answers of which seed; None is all.
        """
        k, C = self.seeds, len(self.protocol.classes)
        counted = np.broadcast_to(True if some is None else some, self.predicted.shape)
        matrices = np.zeros((self.n_clusters, C, k, C))
        seed, clip = np.nonzero(counted)
        where = self.cluster[clip], self.y[clip], seed, self.predicted[seed, clip]
        np.add.at(matrices, where, 1 / k)
        return matrices.reshape(self.n_clusters, C, k * C)

    def column(self, name: str) -> NDArray[np.str_]:
        """What is known of each clip by a column, (n,); empty where it is not.

        Raises:
            ConfigError: there is no such column.
        """
        if name == CLASS:
            return np.array(self.protocol.classes)[self.y]
        if name == "speaker":
            return np.array(self.speakers)
        wanted = "seconds" if name == LENGTH else name
        if wanted not in self.protocol.columns:
            raise ConfigError(
                f"no column {wanted!r} is known of these clips; there are "
                f"{', '.join(dict.fromkeys((CLASS, 'speaker', *sorted(self.protocol.columns))))}"
            )
        values = np.array(self.protocol.columns[wanted])
        return np.asarray(values[self.rows])


def over_seeds(metric: Metric, k: int) -> Metric:
    """The mean of a metric over seeds, of matrices as `System.confusions` has them."""

    def mean(matrix: Matrix) -> NDArray[np.float64]:
        *axes, C, wide = matrix.shape
        blocks = np.moveaxis(matrix.reshape(*axes, C, k, wide // k), -2, -3)  # (..., k, C, C)
        # A seed's own counts, as whoever wrote the metric expects them.
        means: NDArray[np.float64] = metric(k * blocks).mean(-1)
        return means

    return mean


def system_of(protocol: Protocol, answers: Sequence[Sequence[Prediction]]) -> System:
    """The tested clips of a system.

    Args:
        protocol: of its runs.
        answers: of each seed, such as `score` takes.

    Raises:
        RunError: an answer that the protocol does not test, or seeds that answered other clips.
    """
    number = {path: row for row, path in enumerate(protocol.paths)}
    index = {name: i for i, name in enumerate(protocol.classes)}
    ordered = []
    for given in answers:
        try:
            ordered.append({number[one.path]: one for one in given})
            predicted = [[index[one.predicted] for one in given] for given in answers]
        except KeyError as error:
            raise RunError(f"predictions do not fit protocol {protocol.name}: {error}") from error
    if not ordered or not ordered[0]:
        raise RunError("there are no predictions to score")
    rows = sorted(ordered[0])
    if any(sorted(given) != rows for given in ordered[1:]):
        raise RunError("the seeds of one system answered different clips; train them again")
    lined = [[given[row] for row in rows] for given in ordered]
    predicted = [[index[one.predicted] for one in given] for given in lined]
    whole = all(len(one.probabilities) == len(index) for given in lined for one in given)
    _, cluster = np.unique([protocol.clusters[row] for row in rows], return_inverse=True)
    return System(
        protocol=protocol,
        rows=np.array(rows),
        y=protocol.labels[rows],
        predicted=np.array(predicted),
        p=np.array([[one.probabilities for one in given] for given in lined]) if whole else None,
        folds=np.array([one.fold for one in lined[0]]),
        cluster=cluster,
        speakers=tuple(
            _speaker(one, protocol, row) for one, row in zip(lined[0], rows, strict=True)
        ),
    )


def _speaker(given: Prediction, protocol: Protocol, row: int) -> str:
    """Who speaks, apart from a namesake in another corpus; empty where nobody knows."""
    name = given.speaker
    if name and len(protocol.corpora) > 1:
        return name if name.startswith(f"{given.corpus}/") else f"{given.corpus}/{name}"
    # Version 0.1.0 named none, but the intervals of its protocols were over them.
    return name or (protocol.clusters[row] if protocol.cluster == "speaker" else "")
