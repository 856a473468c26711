"""What one fold's model predicts of its test clips."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensr.estimator.device import threads_for
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.source import Source
from gensr.pipeline.protocols.protocol import Fold, Protocol
from gensr.pipeline.runs.predictions import Prediction

_AT_ONCE = 2**26
"""Bytes of vectors that are on their way to a model at once; on a GPU eight times as many."""


def predictions_of(
    model: Classifier, fold: Fold, protocol: Protocol, clips: Source, **options: Any
) -> list[Prediction]:
    """What one fold's model predicts of its test clips; `options` go to the model."""
    with threads_for(model.size):
        parts = [
            model.predict(clips.batch(rows), **options).double().cpu()
            for rows in torch.split(torch.from_numpy(fold.test), _at_once(clips))
        ]
    return _told(torch.cat(parts).numpy(), protocol, fold.test, fold.name)


def asked(
    model: Classifier, x: Tensor, protocol: Protocol, clips: NDArray[np.int64], fold: str
) -> list[Prediction]:
    """What a model predicts of vectors that it is given.

    Args:
        model: which.
        x: (N, K+1, L), as a store holds them.
        protocol: which clips they are of.
        clips: (N,), their numbers in the protocol.
        fold: whose model it is.
    """
    with threads_for(model.size):
        p = model.predict(x.to(model.device)).double().cpu().numpy()
    return _told(p, protocol, clips, fold)


def _told(
    p: NDArray[np.float64], protocol: Protocol, clips: NDArray[np.int64], fold: str
) -> list[Prediction]:
    """Probabilities (N, C) as rows."""
    return [
        Prediction(
            path=protocol.paths[row],
            fold=fold,
            label=protocol.classes[protocol.labels[row]],
            predicted=protocol.classes[int(np.argmax(given))],
            probabilities=tuple(float(value) for value in given),
        )
        for row, given in zip(clips.tolist(), p, strict=True)
    ]


def _at_once(clips: Source) -> int:
    """How many clips a model is asked of at once."""
    layers, width = clips.shape
    room = _AT_ONCE * (8 if clips.device.type == "cuda" else 1)
    return max(1, room // (4 * layers * width))


def with_people(
    predictions: Sequence[Prediction], table: Mapping[str, NDArray[np.str_]]
) -> list[Prediction]:
    """The predictions with who speaks in which corpus, as the stores' tables have it."""
    columns = [table[name].tolist() for name in ("path", "speaker", "corpus")]
    known = {path: (speaker, corpus) for path, speaker, corpus in zip(*columns, strict=True)}
    return [
        replace(given, speaker=known[given.path][0], corpus=known[given.path][1])
        for given in predictions
    ]
