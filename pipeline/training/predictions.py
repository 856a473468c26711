"""What one fold's model predicts of its test clips."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.estimator.device import threads_for
from gensr.estimator.models.classifier import Classifier
from gensr.pipeline.protocols.protocol import Fold, Protocol
from gensr.pipeline.runs.predictions import Prediction


def predictions_of(
    model: Classifier, fold: Fold, protocol: Protocol, x: torch.Tensor, **options: Any
) -> list[Prediction]:
    """What one fold's model predicts of its test clips; `options` go to the model."""
    rows = torch.from_numpy(fold.test).to(x.device)
    with threads_for(model.size):
        p = model.predict(x[rows], **options).double().cpu().numpy()
    return [
        Prediction(
            path=protocol.paths[row],
            fold=fold.name,
            label=protocol.classes[protocol.labels[row]],
            predicted=protocol.classes[int(np.argmax(given))],
            probabilities=tuple(float(value) for value in given),
        )
        for row, given in zip(fold.test.tolist(), p, strict=True)
    ]


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
