"""How far the models of a run fall on other vectors of the same clips, paired over speakers.

Both answers are of one model to one clip, so the difference is taken clip by clip, and its
interval and test are over speakers, as between two systems (`estimator/paired.py`).

Shapes: C classes, S clusters.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gensr.estimator.intervals import Matrix
from gensr.estimator.metrics import METRICS, is_over_classes
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.predictions import Prediction

TOLD = ("accuracy", "uar", "macro_f1", "weighted_f1")
"""Metrics whose fall is told."""


def drops(
    there: Sequence[Prediction], own: Iterable[Prediction], protocol: Protocol
) -> dict[str, Any]:
    """The numbers there less the run's own, each with interval and p (`paired.Paired`).

    Args:
        there: what was predicted of other vectors.
        own: what the run predicted; of clips that are not among the others it is passed over.
        protocol: of the others.
    """
    from gensr.estimator.paired import (  # type: ignore[import-not-found,unused-ignore]
        difference,
    )

    asked = {(given.path, given.fold) for given in there}
    alike = [given for given in own if (given.path, given.fold) in asked]
    a, b = (per_cluster(each, protocol)[None] for each in (there, alike))  # (1, S, C, C)
    return {
        name: difference(METRICS[name], a, b, by_class=is_over_classes(METRICS[name]))
        for name in TOLD
    }


def per_cluster(predictions: Sequence[Prediction], protocol: Protocol) -> Matrix:
    """Confusion matrices of a protocol's tested clips, (S, C, C), clusters by name."""
    rows = {(protocol.paths[row], fold.name): row for fold in protocol.folds for row in fold.test}
    mine = [rows[given.path, given.fold] for given in predictions]
    index = {name: i for i, name in enumerate(protocol.classes)}
    tested = sorted({protocol.clusters[row] for row in rows.values()})
    place = {name: i for i, name in enumerate(tested)}
    counts = np.zeros((len(tested), len(index), len(index)))
    where = np.array([place[protocol.clusters[row]] for row in mine], int)
    answers = np.array([index[one.predicted] for one in predictions], int)
    np.add.at(counts, (where, protocol.labels[mine], answers), 1)
    return counts
