"""Stores opened for learning: one array of vectors, one table, whatever the number of stores.

What a store is called, and in which order stores are given, is no part of a question: clips are
named by their paths, as in a store that is merged of them, and by corpus and path where two
corpora have the same path. (gensr 0.1.0 named them by their store's file; its runs still do.)

Shapes: N clips, K conditioning layers, L width.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError
from gensr.features.corpora.spelling import joined_columns
from gensr.features.same_encoder import differences, first_difference
from gensr.features.store import Store, open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.schema import COLUMN_DTYPES, LABEL_COLUMNS
from gensr.features.store.table import is_even
from gensr.features.store.where import Location, Where, located
from gensr.pipeline.runs.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """What training and evaluation read of one or more stores."""

    x: NDArray[np.float32]
    """(N, K+1, L), x1 last."""
    layers: tuple[str, ...]
    """Names of the K+1 layers."""
    table: dict[str, NDArray[Any]]
    """Columns of text, N long; `path` is unique."""
    places: tuple[Where, ...]
    """Where each store is."""
    hashes: tuple[str, ...]
    """Fingerprint of each store, its encoder called as it is in the first, or in the run."""
    encoder: dict[str, Any]
    """Provenance of the encoder that made them."""
    notes: tuple[str, ...] = ()
    """What was done to the table, one line each."""


def load_vectors(
    stores: Location | Iterable[Location],
    layers: Sequence[str] | None = None,
    *,
    encoder: Mapping[str, Any] | None = None,
    known: Sequence[str] = (),
    prefixes: Sequence[str] | None = None,
    join: bool = True,
) -> Vectors:
    """Read stores of one encoder.

    Args:
        stores: one or several, paths or URLs.
        layers: conditioning layers, by name; None is all. x1 always follows.
        encoder: the one that must have made them, if there is such a one: a run's.
        known: hashes that stores may have: a run's.
        prefixes: one per store, to go before its paths with a colon; see `prefixes_of`.
        join: whether spellings of one label become one, over all stores; gensr 0.1.0 did not.

    Raises:
        StoreError: a store cannot be read, is damaged, or was exchanged while it was read, two
            were made by different encoders, or two hold one clip.
        ConfigError: there is no such layer, or no store.
    """
    places = located(stores)
    if not places:
        raise ConfigError("no store given; `gensr extract CORPUS --out feats.zarr` makes one")
    if prefixes is not None and len(prefixes) != len(places):
        prefixes = None  # other stores than those that the names are of
    opened: list[Store] = []
    try:
        for place in places:
            opened.append(open_store(place))
            if encoder is not None:
                _check_encoder(encoder, opened[-1])
            check_same_encoder(opened[0], opened[-1])
        wanted = _wanted(opened[0], layers)
        x = np.concatenate([store.vectors(layers=wanted) for store in opened])
        for store in opened:
            store.confirm()
        table, notes = _table(opened, prefixes, join)
        return Vectors(
            x=x,
            layers=wanted,
            table=table,
            notes=notes,
            places=places,
            hashes=tuple(
                _hash(store, encoder or opened[0].header.encoder, known) for store in opened
            ),
            encoder=dict(opened[0].header.encoder),
        )
    finally:
        for store in opened:
            store.close()


def check_same_encoder(one: Store, other: Store) -> None:
    """Refuse to mix vectors of two encoders, naming the first difference.

    Versions of libraries may differ: they move the last bits of a vector, not its meaning.
    """
    settings = [
        {"encoder": store.header.encoder, "layers": store.layers, "width": store.width}
        for store in (one, other)
    ]
    names = (f"in {one.path}", f"in {other.path}")
    for told in differences(*settings, names=names, exact=False):
        raise StoreError(
            f"{one.path} and {other.path} were not made alike ({told}); extract both with the "
            "same encoder and settings"
        )


def _check_encoder(encoder: Mapping[str, Any], store: Store) -> None:
    """Refuse a store of another encoder than a run's."""
    names = ("in the run", "in the store")
    if told := first_difference(encoder, store.header.encoder, names=names):
        raise StoreError(
            f"{store.path} holds vectors of another encoder than the run was trained on ({told}); "
            "pass the store it was trained on"
        )


def _hash(store: Store, encoder: Mapping[str, Any], known: Sequence[str]) -> str:
    """The fingerprint, in which another name of the same encoder makes no difference."""
    own = store.fingerprint()
    if own in known or differences({"encoder": encoder}, {"encoder": store.header.encoder}):
        return own
    return store.fingerprint(encoder)


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


def prefixes_of(run: Run) -> tuple[str, ...] | None:
    """The stores' file names, where a run of several stores names its clips by them (0.1.0)."""
    names = tuple(PurePosixPath(store.path).name for store in run.manifest.stores)
    clips = run.protocol.paths
    by_store = len(names) > 1 and all(path.partition(":")[0] in names for path in clips)
    return names if by_store else None


def _table(
    stores: Sequence[Store], prefixes: Sequence[str] | None, join: bool
) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    table, labels = {}, {}
    for name in sorted({name for store in stores for name in store.table}):
        parts: list[str] = []
        for store in stores:
            values = store.table[name].tolist() if name in store.table else [""] * len(store)
            parts.extend(map(str, values))
        table[name] = _as_text(parts)
        if name in LABEL_COLUMNS or name not in COLUMN_DTYPES:
            labels[name] = parts
    notes: tuple[str, ...] = ()
    if join:  # each scan has joined its own; `Angry` of one store and `angry` of another are left
        changed, notes = joined_columns(labels, own=LABEL_COLUMNS)
        table |= {name: _as_text(parts) for name, parts in changed.items()}
    if prefixes is not None:
        before = np.repeat(prefixes, [len(store) for store in stores])
        pairs = zip(before, table["path"], strict=True)
        table["path"] = np.array([f"{name}:{path}" for name, path in pairs])
    elif len(stores) > 1:
        table["path"] = _clip_names(table["corpus"], table["path"], stores)
    return table, notes


def _as_text(parts: Sequence[str]) -> NDArray[Any]:
    """A column; one long cell among many would give each row its room as numpy's text."""
    return np.array(parts, dtype=str if is_even([len(text) for text in parts]) else object)


def _clip_names(
    corpora: NDArray[np.str_], paths: NDArray[np.str_], stores: Sequence[Store]
) -> NDArray[np.str_]:
    """Paths, or corpus:path for all where two corpora have the same path."""
    if len(np.unique(paths)) == len(paths):
        return paths
    names = [f"{corpus}:{path}" for corpus, path in zip(corpora, paths, strict=True)]
    (name, times), *_ = Counter(names).most_common(1)
    if times > 1:
        holders = np.repeat([str(s.path) for s in stores], [len(s) for s in stores])
        both = [str(at) for at, one in zip(holders, names, strict=True) if one == name][:2]
        raise StoreError(
            f"{both[0]} and {both[1]} both hold the clip {name}, which would be learnt from "
            "twice; join them by gensr store merge, give one of them, or, where they are two "
            "corpora, name the corpora apart (a manifest's column corpus)"
        )
    return np.array(names)
