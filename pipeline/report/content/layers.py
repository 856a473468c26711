"""What a linear probe hears in each layer of the encoder, one at a time.

Shapes: n clips, K conditioning layers, L width, C classes.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.device import pick_device
from gensr.estimator.metrics import accuracy
from gensr.features.store.where import Location
from gensr.pipeline.progress import Listener
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.report.content.data import Bar, Layers, Missing
from gensr.pipeline.report.content.probe import Ridge, one_hot
from gensr.pipeline.report.content.statistics import estimate
from gensr.pipeline.scoring.answered import Answered
from gensr.pipeline.scoring.systems import System
from gensr.pipeline.training.memory import fits
from gensr.pipeline.training.vectors import open_vectors, prefixes_of


def probe_layers(
    system: System,
    protocol: Protocol,
    stores: Sequence[Location] | None,
    listener: Listener,
) -> Layers | Missing:
    """Train a probe a layer on each fold's training part, and test it on its test part.

    Args:
        system: whose vectors; its tested clips are the probe's.
        protocol: of the stores, with its training parts (a run keeps only what is tested).
        stores: where the vectors are now; None: where they were.
        listener: told how far it is.

    Raises:
        GensrError: the stores do not fit the run.
    """
    run, answers = system.runs[0], system.answers
    with open_vectors(
        list(run.config.stores if stores is None else stores),
        encoder=run.config.encoder,
        known=run.manifest.store_hashes,
        prefixes=prefixes_of(run),
        join=run.identity is not None,
    ) as vectors:
        n, (layers, width) = len(protocol.paths), vectors.shape
        if not fits(4 * n * layers * width, pick_device("cpu")):
            return Missing("All layers of the store at once are more than this machine's memory.")
        vectors.enrol(run.config.enrol_clips)
        x = np.empty((n, layers, width), np.float32)
        vectors.read(protocol.store_rows, x)
        vectors.confirm()
        names = vectors.layers
    listener.stage("probing", layers)
    bars = []
    for layer, name in enumerate(names):
        predicted = _predicted(answers, run.config.folds, protocol, x[:, layer])
        probed = replace(answers, predicted=predicted[None], p=None)
        bars.append(Bar(name, estimate(accuracy, probed.matrices()), len(answers.rows)))
        listener.advance(1)
    return Layers(bars=tuple(bars), used=frozenset(run.config.layers))


def _predicted(
    asked: Answered, folds: Sequence[str], protocol: Protocol, x: NDArray[np.float32]
) -> NDArray[np.int64]:
    """(n, L) of all clips -> class indices of the tested clips of the folds, as asked."""
    answers = np.full(len(protocol.paths), -1, np.int64)
    targets = one_hot(protocol.labels, len(protocol.classes))
    for fold in protocol.folds:
        if fold.name in folds and len(fold.test):
            probe = Ridge(x[fold.learn], targets[fold.learn])
            answers[fold.test] = probe(x[fold.test]).argmax(1)
    by_path = dict(zip(protocol.paths, answers.tolist(), strict=True))
    return np.array([by_path[asked.protocol.paths[row]] for row in asked.rows], np.int64)
