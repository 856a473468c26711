"""Reading the vectors of a store, Zarr or HDF5 alike: every byte once, straight into its place.

Beside what is handed out, memory holds one shard. Rows that follow each other in the store and
in the answer are decoded where they are to lie; others by way of one shard's room, made once.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import one_line
from gensr.features.store import files
from gensr.features.store.bounds import AGAIN
from gensr.features.store.container import Backend
from gensr.features.store.errors import StoreError
from gensr.features.store.rows import Numbers, Rows, as_slice, by_shard
from gensr.features.store.shard_hashes import hash_rows
from gensr.features.store.where import Where

F32 = NDArray[np.float32]


class Vectors:
    """The vectors of one store.

    Args:
        backend: the container.
        meant: turns rows, as a user says them, into row numbers that are there.
        check_unchanged: raises if another store has taken this one's place.
    """

    def __init__(
        self,
        backend: Backend,
        meant: Callable[[Rows], Numbers],
        check_unchanged: Callable[[], None],
    ) -> None:
        self._backend, self._header, self._path = backend, backend.header, backend.path
        self._meant, self._check_unchanged = meant, check_unchanged

    def gathered(self, rows: Rows, names: Sequence[str] | None, out: F32 | None) -> F32:
        """Return rows of layers in the order asked for; see `Store.vectors`.

        There is made room for all when the first shard is there: a header may claim any number.
        """
        runs = self._runs(names)
        numbers = self._meant(rows)
        shape = len(numbers), sum(run.stop - run.start for run in runs), self._header.width
        if out is not None:
            _check_out(out, shape)
        for where, wanted in by_shard(numbers, self._header.shard_clips):
            span = slice(int(wanted.min()), int(wanted.max()) + 1)
            straight = as_slice(wanted) is not None
            place = where if isinstance(where, slice) else as_slice(where)
            if out is not None and straight and place is not None:
                self._read(span, runs, out[place])
                continue
            shard = self._read(span, runs)
            if out is None:
                if straight and len(wanted) == len(numbers):
                    return shard
                out = self._room(shape)
            _put(out, where if place is None else place, shard, wanted - span.start)
            del shard  # not to be held while the next is read
        return np.empty(shape, np.float32) if out is None else out

    def whole_shards(self, rows: Rows) -> F32:
        """Return rows of all layers, each shard compared whole; see `Store.whole_shards`."""
        numbers, result = self._meant(rows), None
        for where, wanted in by_shard(numbers, self._header.shard_clips):
            span = self._shard_of(int(wanted[0]))
            shard = self._read(span, self._runs(None))
            if result is None:
                result = self._room((len(numbers), *shard.shape[1:]))
            _put(result, where, shard, wanted - span.start)
        shape = 0, len(self._header.layers), self._header.width
        return np.empty(shape, np.float32) if result is None else result

    def blocks(self, names: Sequence[str] | None) -> Iterator[tuple[slice, F32]]:
        """Yield (rows, vectors) of every shard; see `Store.blocks`."""
        runs = self._runs(names)
        for start in range(0, self._header.clips, self._header.shard_clips):
            span = self._shard_of(start)
            yield span, self._read(span, runs)

    def selected(
        self, rows: Rows, names: Sequence[str] | None
    ) -> Iterator[tuple[NDArray[np.int64], F32]]:
        """Yield (row numbers, vectors) of chosen rows; see `Store.selected`."""
        runs, numbers = self._runs(names), self._meant(rows)
        if not isinstance(numbers, range):
            numbers = np.sort(numbers)
        elif numbers.step < 0:
            numbers = numbers[::-1]
        for _, wanted in by_shard(numbers, self._header.shard_clips):
            span = self._shard_of(int(wanted[0]))  # a chunk is read whole anyhow
            shard = self._read(span, runs)
            every = len(wanted) == len(shard) and as_slice(wanted) is not None
            yield wanted, shard if every else shard[wanted - span.start]

    def _read(self, span: slice, runs: Sequence[slice], room: F32 | None = None) -> F32:
        """Read rows that lie in one shard, into their place if there is one, and compare them."""
        try:
            with files.reached(self._path):
                found = self._backend.read(span, runs, room)
        except MemoryError:
            raise too_large(self._path, f"rows {span.start} to {span.stop - 1}") from None
        except StoreError:
            self._check_unchanged()
            raise
        except (OSError, ValueError, RuntimeError) as error:
            self._check_unchanged()
            raise StoreError(
                f"{self._path}: rows {span.start} to {span.stop - 1} cannot be read "
                f"({one_line(error)}); {AGAIN}"
            ) from error
        if list(runs) == [slice(0, len(self._header.layers))]:
            self._check_bound(span, found)
        return found

    def _room(self, shape: tuple[int, ...]) -> F32:
        """Return an array that nothing is in yet.

        Raises:
            StoreError: there is not enough memory.
        """
        try:
            return np.empty(shape, dtype=np.float32)
        except (MemoryError, ValueError):  # numpy has a largest shape
            raise too_large(self._path, f"{shape[0]} rows") from None

    def _shard_of(self, row: int) -> slice:
        """Return the rows of the shard that a row is in."""
        size = self._header.shard_clips
        start = row // size * size
        return slice(start, min(start + size, self._header.clips))

    def _runs(self, names: Sequence[str] | None) -> list[slice]:
        """Turn layer names into slices, neighbours in one."""
        layers = self._header.layers
        if names is None:
            return [slice(0, len(layers))]
        if isinstance(names, str):
            raise TypeError("layers: a sequence of names, not one name")
        runs: list[slice] = []
        for name in names:
            if name not in layers:
                raise StoreError(f"{self._path} has no layer {name!r}; it has {', '.join(layers)}")
            index = layers.index(name)
            if runs and runs[-1].stop == index:
                runs[-1] = slice(runs[-1].start, index + 1)
            else:
                runs.append(slice(index, index + 1))
        return runs

    def _check_bound(self, span: slice, vectors: F32) -> None:
        """Refuse a whole shard that is another than the header says; a part has no hash."""
        header = self._header
        if span != self._shard_of(span.start) or not header.shards_sha256:
            return
        told = header.shards_sha256[span.start // header.shard_clips]
        if hash_rows(vectors, header.dtype) != told:
            self._check_unchanged()
            raise StoreError(
                f"{self._path}: rows {span.start} to {span.stop - 1} are not those whose hash the "
                f"header holds; {AGAIN}"
            )


def too_large(path: Where, what: str) -> StoreError:
    """Return the error for what the memory does not hold."""
    return StoreError(
        f"{path}: there is not enough memory for {what}; read fewer rows or layers at a "
        "time, or see whether `gensr store verify` finds it damaged"
    )


def _check_out(out: F32, shape: tuple[int, ...]) -> None:
    """Refuse an array that the vectors cannot be put into as they are.

    Raises:
        ValueError: saying what it must be.
    """
    fits = out.dtype == np.float32 and out.flags.c_contiguous and out.flags.writeable
    if not fits or out.shape != shape:
        raise ValueError(
            f"out is {out.dtype} {out.shape}: it must be float32 {shape}, C-contiguous, writeable"
        )


def _put(out: F32, place: slice | NDArray[np.int64], shard: F32, rows: NDArray[np.int64]) -> None:
    """Put rows of a shard into their places, by a copy on the way only where places are apart."""
    if isinstance(place, slice):
        np.take(shard, rows, axis=0, out=out[place], mode="clip")  # else numpy copies first
    else:
        out[place] = shard[rows]
