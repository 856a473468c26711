"""A result without a model: predictions and the protocol that they answer, in a folder.

    protocol.json      the question: classes, folds, which clip is tested where
    predictions.csv    the answers
    numbers.json       what they come to

A run is such a folder and more (run.py). Whatever else makes predictions leaves no more than
this: another program's answers, or a run's models asked of another store.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gensr.estimator.files import make_folder, write_whole
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.files import plain_bytes
from gensr.pipeline.runs.predictions import Prediction, to_csv


def plain_protocol(protocol: Protocol) -> dict[str, Any]:
    """What `protocol.json` holds."""
    return {
        "hash": protocol.hash,
        "protocol": protocol.describe(),
        "clips": protocol.assignment(),
        "columns": protocol.facts(),
    }


def write_result(
    folder: Path,
    protocol: Protocol,
    predictions: Sequence[Prediction],
    numbers: Mapping[str, Any],
) -> None:
    """Write a result, the numbers last.

    Args:
        folder: made if missing; what a result had there is replaced.
        protocol: the question.
        predictions: of its tested clips.
        numbers: plain values.

    Raises:
        RunError: there is no room, or no permission.
    """
    make_folder(folder)
    write_whole(folder / "protocol.json", plain_bytes(plain_protocol(protocol)))
    write_whole(folder / "predictions.csv", to_csv(protocol.classes, predictions))
    write_whole(folder / "numbers.json", plain_bytes(numbers))
