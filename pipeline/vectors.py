"""Stores opened for learning: one array of vectors, one table, whatever the number of stores.

Shapes: N clips, K conditioning layers, L width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError, StoreError
from gensr.features.store import Store, open_store
from gensr.features.store.where import Where, locate


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """What training and evaluation read of one or more stores."""

    x: NDArray[np.float32]
    """(N, K+1, L), x1 last."""
    layers: tuple[str, ...]
    """Names of the K+1 layers."""
    table: dict[str, NDArray[np.str_]]
    """Columns of text, N long; `path` is unique."""
    hashes: tuple[str, ...]
    """Fingerprint of each store."""
    encoder: dict[str, Any]
    """Provenance of the encoder that made them."""


def load_vectors(stores: Sequence[Where | str], layers: Sequence[str] | None = None) -> Vectors:
    """Read stores of one encoder.

    Args:
        stores: paths or URLs; where there are several, each clip's path is prefixed with its
            store's name and a colon.
        layers: conditioning layers, by name; None is all. x1 always follows.

    Raises:
        StoreError: a store cannot be read, is damaged, or was exchanged while it was read, or two
            were made by different encoders.
        ConfigError: there is no such layer, or no store.
    """
    if not stores:
        raise ConfigError("no store given; `gensr extract CORPUS --out feats.zarr` makes one")
    paths = [locate(store) for store in stores]
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        raise ConfigError(f"two stores have the same name ({', '.join(names)}); rename one")
    opened: list[Store] = []
    try:
        for path in paths:
            opened.append(open_store(path))
            check_same_encoder(opened[0], opened[-1])
        wanted = _wanted(opened[0], layers)
        x = np.concatenate([store.vectors(layers=wanted) for store in opened])
        for store in opened:
            store.confirm()
        return Vectors(
            x=x,
            layers=wanted,
            table=_table(opened, prefix=len(stores) > 1),
            hashes=tuple(store.fingerprint() for store in opened),
            encoder=dict(opened[0].header.encoder),
        )
    finally:
        for store in opened:
            store.close()


def check_same_encoder(one: Store, other: Store) -> None:
    """Refuse to mix vectors of two encoders, naming the first difference.

    Versions of libraries may differ: they move the last bits of a vector, not its meaning.
    """
    pairs = [("layers", one.layers, other.layers), ("width", one.width, other.width)]
    keys = sorted((set(one.header.encoder) | set(other.header.encoder)) - {"libraries", "name"})
    pairs += [(k, one.header.encoder.get(k), other.header.encoder.get(k)) for k in keys]
    for key, left, right in pairs:
        if left != right:
            raise StoreError(
                f"{one.path} and {other.path} were not made alike: {key} is {left} and {right}; "
                "extract both with the same encoder and settings"
            )


def _wanted(store: Store, layers: Sequence[str] | None) -> tuple[str, ...]:
    x1 = store.layers[-1]
    if layers is None:
        return store.layers
    if len(set(layers)) < len(layers):
        raise ConfigError(f"a layer is named twice: {', '.join(layers)}")
    for name in layers:
        if name not in store.layers[:-1]:
            raise ConfigError(
                f"no conditioning layer {name!r} in {store.path}; "
                f"there are {', '.join(store.layers[:-1])} (and x1, {x1}, always)"
            )
    return (*layers, x1)


def _table(stores: Sequence[Store], *, prefix: bool) -> dict[str, NDArray[np.str_]]:
    columns = sorted({name for store in stores for name in store.table})
    table = {}
    for name in columns:
        parts = []
        for store in stores:
            values = store.table.get(name, np.full(len(store), ""))
            text = values.astype(str)
            if name == "path" and prefix:
                text = np.array([f"{store.path.name}:{path}" for path in text])
            parts.append(text)
        table[name] = np.concatenate(parts)
    return table
