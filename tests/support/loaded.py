"""Stores read whole, for tests that compare with what is in them."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from gensr.pipeline.training.vectors import open_vectors


def load_vectors(stores: Any, layers: Any = None, **how: Any) -> SimpleNamespace:
    """All vectors `x` and what else `Vectors` says, confirmed; the stores are closed again."""
    with open_vectors(stores, layers, **how) as found:
        x = np.empty((len(found), *found.shape), np.float32)
        found.read(np.arange(len(found)), x)
        found.confirm()
        return SimpleNamespace(
            x=x,
            layers=found.layers,
            table=found.table,
            places=found.places,
            hashes=found.hashes,
            encoder=found.encoder,
            notes=found.notes,
        )
