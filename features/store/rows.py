"""Which rows are meant, and in which shards they lie, without counting out what a header claims.

A header may say that there are 2^33 rows. Until the files bear that out, all rows, or a slice of
them, are a `range`, which takes no memory.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rows: TypeAlias = slice | ArrayLike | None
"""Which rows: a slice, row numbers, a mask over all rows, or None for all."""
Numbers: TypeAlias = range | NDArray[np.int64]
"""Row numbers, not negative, in the order meant."""


def row_numbers(rows: Rows, length: int) -> Numbers:
    """Return the numbers of the rows meant, as numpy would index an array of that length.

    Raises:
        IndexError: there is no such row, or a mask is of another length.

    >>> row_numbers(slice(-2, None), 5), row_numbers([-1, 0], 5).tolist()
    (range(3, 5), [4, 0])
    """
    if rows is None or isinstance(rows, slice):
        return range(*(rows or slice(None)).indices(length))
    chosen = np.asarray(rows)
    if chosen.dtype == bool:
        if chosen.shape != (length,):
            raise IndexError(f"a mask of shape {chosen.shape} over {length} rows")
        return np.flatnonzero(chosen)
    if chosen.size and chosen.dtype.kind not in "iu":
        raise IndexError(f"rows are numbers, a mask, or a slice, not of type {chosen.dtype}")
    outside = chosen[(chosen < -length) | (chosen >= length)]
    if outside.size:
        raise IndexError(f"there is no row {outside[0]} of {length}")
    found = chosen.astype(np.int64)
    return np.atleast_1d(np.where(found < 0, found + length, found))


def as_slice(numbers: NDArray[np.int64]) -> slice | None:
    """Return consecutive numbers as a slice; None where they are not.

    >>> as_slice(np.array([3, 4, 5])), as_slice(np.array([3, 5]))
    (slice(3, 6, None), None)
    """
    first, last = int(numbers[0]), int(numbers[-1])
    if last - first + 1 != len(numbers) or (np.diff(numbers) != 1).any():
        return None
    return slice(first, last + 1)


def by_shard(
    numbers: Numbers, size: int
) -> Iterator[tuple[slice | NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (places among the numbers, the numbers there) for each shard of `size` rows.

    Memory follows the shard, or the array that was given.
    """
    if not isinstance(numbers, range):
        order = np.argsort(numbers // size, kind="stable")
        edges = np.flatnonzero(np.diff(numbers[order] // size)) + 1
        for where in np.split(order, edges) if len(order) else ():
            yield where, numbers[where]
        return
    place = 0
    while place < len(numbers):
        start = numbers[place] // size * size
        edge = start + size if numbers.step > 0 else start - 1
        stop = place + len(range(numbers[place], edge, numbers.step))
        part = numbers[place:stop]
        yield slice(place, place + len(part)), np.arange(part.start, part.stop, part.step)
        place = stop
