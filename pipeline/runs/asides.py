"""What is kept in a run's folder of other stores that its models were asked of.

numbers-NAME.json        the numbers, and the hash of the next file
predictions-NAME.csv     what was predicted, as in predictions.csv
protocol-NAME.json       the question, as in protocol.json

NAME is the store's, as `noisy.zarr`. The numbers come last: what they are of is there by then.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gensr.estimator.files import write_whole
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.files import plain_bytes
from gensr.pipeline.runs.predictions import Prediction, to_csv
from gensr.pipeline.runs.run import Run

_OURS = re.compile(
    r"(numbers-.*\.(zarr|h5|hdf5)\.json|protocol-.*\.(zarr|h5|hdf5)\.json"
    r"|predictions-.*\.(zarr|h5|hdf5)\.csv)(\.new)?"
)


def write_aside(
    run: Run,
    store: str,
    protocol: Protocol,
    predictions: Sequence[Prediction],
    numbers: Mapping[str, Any],
) -> None:
    """Keep what came of asking a run of another store.

    Args:
        run: which.
        store: file name of the store.
        protocol: what was asked.
        predictions: what was answered.
        numbers: plain values.

    Raises:
        RunError: the run was replaced since it was read, or the folder cannot be written.
    """
    answers = to_csv(protocol.classes, predictions)
    write_whole(run.folder / f"protocol-{store}.json", plain_bytes(protocol.as_kept()))
    write_whole(run.folder / f"predictions-{store}.csv", answers)
    digest = hashlib.sha256(answers).hexdigest()
    run.write_numbers({**numbers, "predictions_sha256": digest}, f"numbers-{store}.json")


def asides(folder: Path) -> Iterator[Path]:
    """All such files of a run's folder."""
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if _OURS.fullmatch(path.name))
