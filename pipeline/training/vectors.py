"""Stores opened for learning: one run of vectors, one table, whatever the number of stores.

What a store is called, and in which order stores are given, is no part of a question: clips are
named by their paths, as in a store that is merged of them, and by corpus and path where two
corpora have the same path. (gensr 0.1.0 named them by their store's file; its runs still do.)

Shapes: N clips, K conditioning layers, L width.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError
from gensr.features.same_encoder import differences, first_difference
from gensr.features.store import Store, open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.facts import perturbed
from gensr.features.store.where import Location, Where, located
from gensr.pipeline.protocols.clip_table import one_table
from gensr.pipeline.runs.run import Run
from gensr.pipeline.training.enrolment import Enrolled, drawn


class Vectors:
    """Opened stores of one encoder, seen as one; a context manager. See `open_vectors`."""

    def __init__(
        self,
        stores: Sequence[Store],
        layers: tuple[str, ...],
        table: dict[str, NDArray[Any]],
        hashes: tuple[str, ...],
        notes: tuple[str, ...],
    ) -> None:
        self._stores = tuple(stores)
        self.places: tuple[Where, ...] = tuple(store.path for store in stores)
        """Where each store is."""
        self.layers = layers
        """Names of the K+1 layers, x1 last."""
        self.table = table
        """Columns of text, N long; `path` is unique."""
        self.hashes = hashes
        """Fingerprint of each store, its encoder called as it is in the first, or in the run."""
        self.notes = notes
        """What was done to the table, one line each."""
        self.perturbed: tuple[str, ...] = tuple(perturbed(store.header) for store in stores)
        """What was done to the clips of each store before they were encoded; empty for nothing."""
        self.encoder: dict[str, Any] = dict(stores[0].header.encoder)
        """Provenance of the encoder that made them."""
        self._enrolled: Enrolled | None = None

    def __len__(self) -> int:
        return sum(map(len, self._stores))

    @property
    def shape(self) -> tuple[int, int]:
        """(K+1, L) of one clip."""
        return len(self.layers), self._stores[0].width

    @property
    def shard_clips(self) -> int:
        """Rows of the largest shard: what is read at once, however few of them are wanted."""
        return max(store.header.shard_clips for store in self._stores)

    def enrol(self, clips: int) -> None:
        """Give every speaker's vectors less the mean of some of their clips from now on.

        Args:
            clips: of each speaker; 0 enrols nobody.

        Raises:
            ConfigError: a clip names no speaker.
            StoreError: a store is damaged, or was exchanged while it was read.
        """
        if not clips:
            return
        speaker, rows = drawn(self.table, clips)
        S = int(speaker.max()) + 1
        sums = np.zeros((S, *self.shape))
        for places, part in self.shards(rows):
            np.add.at(sums, speaker[rows[places]], part)
        counts = np.bincount(speaker[rows], minlength=S)
        means = (sums / counts[:, None, None]).astype(np.float32)
        self._enrolled = Enrolled(means, speaker)

    def centre(self, rows: NDArray[np.int64], x: NDArray[np.float32]) -> None:
        """Do to vectors (n, K+1, L) of rows what `read` does to all: nothing but for enrolment."""
        if self._enrolled is not None:
            self._enrolled.centre(rows, x)

    def read(self, rows: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        """Put the vectors of rows into their final place, (rows, K+1, L), each byte read once.

        Raises:
            StoreError: a store is damaged, or was exchanged while it was read.
        """
        for store, where, own in self._by_store(rows):
            if isinstance(where, slice):
                store.vectors(own, self.layers, out=out[where])
            else:
                out[where] = store.vectors(own, self.layers)
        self.centre(rows, out)

    def shards(
        self, rows: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield (places among the rows, their vectors), rising rows, shard by shard."""
        order = np.argsort(rows, kind="stable")
        for store, where, own in self._by_store(rows[order]):
            places = order[where]
            done = 0
            for numbers, block in store.selected(own, self.layers):
                there = places[done : done + len(numbers)]
                if self._enrolled is not None:
                    block = block.copy()
                    self.centre(rows[there], block)
                yield there, block
                done += len(numbers)

    def lazy(self) -> Any:
        """A dask array (N, K+1, L), one block a shard, nothing read yet, nor centred."""
        from gensr.features.store.lazy import concatenated

        return concatenated([store.lazy(self.layers) for store in self._stores])

    def confirm(self) -> None:
        """Refuse what was read unless every store is sound and still there. See `Store.confirm`."""
        for store in self._stores:
            store.confirm()

    def close(self) -> None:
        """Release the stores."""
        for store in self._stores:
            store.close()

    def __enter__(self) -> "Vectors":
        return self

    def __exit__(self, *failed: object) -> None:
        self.close()

    def _by_store(
        self, rows: NDArray[np.int64]
    ) -> Iterator[tuple[Store, slice | NDArray[np.intp], NDArray[np.int64]]]:
        """Yield (store, places among the rows, the rows by the store's numbers)."""
        rising = bool((np.diff(rows) >= 0).all())
        start = 0
        for store in self._stores:
            mine = (rows >= start) & (rows < start + len(store))
            places = np.flatnonzero(mine)
            if len(places):
                whole = slice(int(places[0]), int(places[-1]) + 1)
                yield store, whole if rising else places, rows[places] - start
            start += len(store)


def open_vectors(
    stores: Location | Iterable[Location],
    layers: Sequence[str] | None = None,
    *,
    encoder: Mapping[str, Any] | None = None,
    known: Sequence[str] = (),
    prefixes: Sequence[str] | None = None,
    join: bool = True,
) -> Vectors:
    """Open stores of one encoder, and read their tables.

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
    with ExitStack() as opening:
        opened: list[Store] = []
        for place in places:
            opened.append(opening.enter_context(open_store(place)))
            if encoder is not None:
                _check_encoder(encoder, opened[-1])
            check_same_encoder(opened[0], opened[-1])
        wanted = _wanted(opened[0], layers)
        tables = [(str(store.path), store.table) for store in opened]
        table, notes = one_table(tables, prefixes=prefixes, join=join)
        hashes = tuple(_hash(store, encoder or opened[0].header.encoder, known) for store in opened)
        for store in opened:
            store.release()
        opening.pop_all()  # they stay open: the result closes them
    return Vectors(opened, wanted, table, hashes, notes)


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
            "pass a store of the same encoder"
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
