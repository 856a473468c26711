"""The labelled clips of a protocol, where they can be learnt from: held in memory, or streamed."""

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError
from gensr.estimator.resident import Resident
from gensr.estimator.source import Source
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.training.memory import fits
from gensr.pipeline.training.vectors import Vectors


def labelled(
    vectors: Vectors, protocol: Protocol, device: torch.device, *, stream: bool | None = None
) -> Source:
    """The clips of a protocol, by its own numbers.

    Args:
        vectors: opened stores; they stay open where clips are streamed.
        protocol: which rows they are, and of which class.
        device: where they are learnt from.
        stream: read them while they are learnt from; None: where memory does not hold them.

    Raises:
        StoreError: a store is damaged, or was exchanged while it was read.
        ConfigError: memory does not hold them, and they are not to be streamed.
    """
    _, groups = np.unique(protocol.clusters, return_inverse=True)
    clips = clips_at(vectors, protocol.store_rows, protocol.labels, device, stream=stream)
    clips.groups = torch.from_numpy(groups.astype(np.int64))
    return clips


def clips_at(
    vectors: Vectors,
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    device: torch.device,
    *,
    stream: bool | None = None,
) -> Source:
    """Clips by rows of the stores, and their classes; see `labelled`."""
    y = torch.from_numpy(labels)
    layers, width = vectors.shape
    if stream is None:
        stream = not fits(4 * len(rows) * layers * width, device)
    if stream:
        from gensr.pipeline.training import streamed  # dask takes a while, and nobody else needs it

        return streamed.Streamed(vectors, rows, y, device)
    try:
        x = torch.empty(len(rows), layers, width, device=device)
    except RuntimeError as error:
        raise ConfigError(
            f"there is not enough memory on {device} for {len(rows)} clips of {layers} x {width}; "
            "drop --no-stream"
        ) from error
    if device.type == "cpu":
        vectors.read(rows, x.numpy())
    else:
        for places, block in vectors.shards(rows):
            x[torch.from_numpy(places).to(device)] = torch.from_numpy(block).to(device)
    vectors.confirm()
    return Resident(x, y)
