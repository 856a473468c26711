"""What one fold's model predicts of clips: those that it tests, or others."""

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
from gensr.pipeline.protocols.protocol import Fold, Protocol, Rows
from gensr.pipeline.runs.predictions import Prediction

_AT_ONCE = 2**26
"""Bytes of vectors that are on their way to a model at once; on a GPU eight times as many."""


def predictions_of(
    model: Classifier, fold: Fold, protocol: Protocol, clips: Source, **options: Any
) -> list[Prediction]:
    """What one fold's model predicts of its test clips; `options` go to the model."""
    with threads_for(model.size):
        p = answers_of(model, fold.test, clips, **options)
    return as_predictions(p, fold, fold.test, protocol)


def answers_of(model: Classifier, rows: Rows, clips: Source, **options: Any) -> Tensor:
    """Class probabilities (n, C) of some of the clips, on the CPU; `options` go to the model."""
    parts = torch.split(torch.from_numpy(rows), _at_once(clips))
    return torch.cat([model.predict(clips.batch(part), **options).cpu() for part in parts])


def as_predictions(p: Tensor, fold: Fold, rows: Rows, protocol: Protocol) -> list[Prediction]:
    """Class probabilities (n, C) of the clips of some rows, by the model of a fold."""
    return [
        Prediction(
            path=protocol.paths[row],
            fold=fold.name,
            label=protocol.classes[protocol.labels[row]],
            predicted=protocol.classes[int(np.argmax(given))],
            probabilities=tuple(float(value) for value in given),
        )
        for row, given in zip(rows.tolist(), p.double().numpy(), strict=True)
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
