"""Reading the vectors of a store, Zarr or HDF5 alike: every byte once, straight into its place.

Rows that follow each other in the store and in the answer are decoded where they are to lie,
others by way of a shard that is held beside. While one shard is compared with its hash, in a
thread of its own, the next is read (ahead.py).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import one_line
from gensr.features.store import files
from gensr.features.store.ahead import Answer, looked_at, may_go_ahead
from gensr.features.store.bounds import AGAIN
from gensr.features.store.container import Backend
from gensr.features.store.errors import StoreError
from gensr.features.store.rows import Numbers, Rows, as_slice, by_shard
from gensr.features.store.shard_hashes import hash_rows
from gensr.features.store.where import Where

F32 = NDArray[np.float32]
T = TypeVar("T")


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
        pieces = self._pieces(numbers)
        if out is None:
            first = next(pieces, None)
            if first is None:
                return np.empty(shape, np.float32)
            shard = self._checked(first.span, runs)
            if first.straight and len(first.wanted) == len(numbers):
                return shard
            out = self._room(shape)
            first.put(out, shard)
            del shard  # not to be held while others are read
        room = out

        def fetch(piece: _Piece) -> F32 | None:
            if piece.straight:
                return self._read(piece.span, runs, room[piece.where])
            piece.put(room, self._checked(piece.span, runs))
            return None

        def look(piece: _Piece, found: F32 | None) -> None:
            if found is not None:
                self._check_bound(piece.span, runs, found)

        for _, answer in looked_at(pieces, fetch, look, ahead=self._may_go_ahead(runs)):
            answer()
        return out

    def whole_shards(self, rows: Rows) -> F32:
        """Return rows of all layers, each shard compared whole; see `Store.whole_shards`."""
        numbers, result = self._meant(rows), None
        for where, wanted in by_shard(numbers, self._header.shard_clips):
            span = self._shard_of(int(wanted[0]))
            shard = self._checked(span, self._runs(None))
            if result is None:
                result = self._room((len(numbers), *shard.shape[1:]))
            result[where] = shard[wanted - span.start]
        shape = 0, len(self._header.layers), self._header.width
        return np.empty(shape, np.float32) if result is None else result

    def blocks(self, names: Sequence[str] | None) -> Iterator[tuple[slice, F32]]:
        """Yield (rows, vectors) of every shard; see `Store.blocks`."""
        for span, answer in self._shards(self._runs(names), lambda shard: None):
            yield span, answer()[0]

    def examined(self, look: Callable[[F32], T]) -> Iterator[tuple[slice, Callable[[], T]]]:
        """Yield (rows, what `look` gives of them) of every shard; see `Store.examined`."""
        for span, answer in self._shards(self._runs(None), look):
            yield span, partial(_second, answer)

    def selected(
        self, rows: Rows, names: Sequence[str] | None
    ) -> Iterator[tuple[NDArray[np.int64], F32]]:
        """Yield (row numbers, vectors) of chosen rows; see `Store.selected`."""
        runs, numbers = self._runs(names), self._meant(rows)
        if not isinstance(numbers, range):
            numbers = np.sort(numbers)
        elif numbers.step < 0:
            numbers = numbers[::-1]
        chosen = (wanted for _, wanted in by_shard(numbers, self._header.shard_clips))

        def fetch(wanted: NDArray[np.int64]) -> F32:
            return self._read(self._shard_of(int(wanted[0])), runs)  # a chunk is read whole anyhow

        def look(wanted: NDArray[np.int64], shard: F32) -> None:
            self._check_bound(self._shard_of(int(wanted[0])), runs, shard)

        for wanted, answer in looked_at(chosen, fetch, look, ahead=self._may_go_ahead(runs)):
            shard = answer()[0]
            every = len(wanted) == len(shard) and as_slice(wanted) is not None
            yield wanted, shard if every else shard[wanted % self._header.shard_clips]

    def _shards(
        self, runs: Sequence[slice], look: Callable[[F32], T]
    ) -> Iterator[tuple[slice, Answer[F32, T]]]:
        """Yield every shard, compared, and what `look` gives of it."""
        size = self._header.shard_clips
        spans = (self._shard_of(start) for start in range(0, self._header.clips, size))

        def compare(span: slice, shard: F32) -> T:
            self._check_bound(span, runs, shard)
            return look(shard)

        ahead = self._may_go_ahead(runs)
        return looked_at(spans, lambda span: self._read(span, runs), compare, ahead=ahead)

    def _pieces(self, numbers: Numbers) -> Iterator["_Piece"]:
        for where, wanted in by_shard(numbers, self._header.shard_clips):
            place = where if isinstance(where, slice) else as_slice(where) or where
            yield _Piece(place, wanted)

    def _may_go_ahead(self, runs: Sequence[slice]) -> bool:
        """Whether a shard is compared at all, and small enough for two more to be held."""
        return self._is_bound(runs) and may_go_ahead(self._header)

    def _is_bound(self, runs: Sequence[slice]) -> bool:
        """Whether all layers are meant, in their order, and the header has their hashes."""
        every = list(runs) == [slice(0, len(self._header.layers))]
        return every and bool(self._header.shards_sha256)

    def _checked(self, span: slice, runs: Sequence[slice]) -> F32:
        """Read rows that lie in one shard, and compare them if they are all of it."""
        found = self._read(span, runs)
        self._check_bound(span, runs, found)
        return found

    def _read(self, span: slice, runs: Sequence[slice], room: F32 | None = None) -> F32:
        """Read rows that lie in one shard, into their place if there is one."""
        try:
            with files.reached(self._path):
                return self._backend.read(span, runs, room)
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

    def _check_bound(self, span: slice, runs: Sequence[slice], vectors: F32) -> None:
        """Refuse a whole shard that is another than the header says; a part has no hash."""
        header = self._header
        if not self._is_bound(runs) or span != self._shard_of(span.start):
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


def _second(answer: Answer[F32, T]) -> T:
    return answer()[1]


class _Piece:
    """Rows of one shard, and where they are to lie.

    Args:
        where: places in the answer, a slice where they follow each other.
        wanted: numbers of the rows.
    """

    def __init__(self, where: slice | NDArray[np.int64], wanted: NDArray[np.int64]) -> None:
        self.where, self.wanted = where, wanted
        self.span = slice(int(wanted.min()), int(wanted.max()) + 1)
        self.straight = isinstance(where, slice) and as_slice(wanted) is not None
        """Whether they lie in the answer as they do in the shard."""

    def put(self, out: F32, shard: F32) -> None:
        """Put them into their places, out of all rows of the span."""
        rows = self.wanted - self.span.start
        if isinstance(self.where, slice):
            np.take(shard, rows, axis=0, out=out[self.where], mode="clip")  # else copied twice
        else:
            out[self.where] = shard[rows]
