"""A store as a dask array: larger than memory, computed block by block, on a cluster too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dask
import dask.array as da
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gensr.features.store.open import Store


def lazy_array(store: "Store", layers: Sequence[str] | None) -> Any:
    """Return a dask array (clips, layers, width), one block a shard, nothing read yet.

    A worker opens the store by its path when it reads its first block, so the graph is small
    and no file is shared between processes.
    """
    names = store.layers if layers is None else tuple(layers)
    return da.from_array(
        _Lazy(store, names),
        chunks=(store.header.shard_clips, -1, -1),
        name=f"gensr-{dask.base.tokenize(str(store.path.absolute()), store.fingerprint(), names)}",
        asarray=False,
    )


def mean_std(lazy: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation over the first axis, in float64, in one pass."""
    mean, std = dask.compute(
        lazy.mean(axis=0, dtype=np.float64),
        lazy.std(axis=0, dtype=np.float64),
        scheduler="threads",
    )
    return np.asarray(mean), np.asarray(std)


def concatenated(arrays: Sequence[Any]) -> Any:
    """One dask array of several, along the rows."""
    return da.concatenate(list(arrays))


def read_rows(lazy: Any, rows: NDArray[np.int64], out: NDArray[np.float32], threads: int) -> None:
    """Put rows of a dask array into their place, several shards at a time.

    Args:
        lazy: (N, layers, width).
        rows: (n,) in any order; those of one shard are read at once where they rise.
        out: (n, layers, width).
        threads: shards that are read, and held, at once.
    """
    order = np.argsort(rows, kind="stable")
    wanted = lazy[rows[order]]
    if (order[1:] < order[:-1]).any():
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        wanted = wanted[back]
    da.store(wanted, out, lock=False, scheduler="threads", num_workers=threads)


class _Lazy:
    """The vectors as dask wants an array: a shape, a type, and reading by indices."""

    ndim = 3
    dtype = np.dtype(np.float32)

    def __init__(self, store: "Store", layers: tuple[str, ...]) -> None:
        self._store, self._layers = store, layers
        self.shape = (len(store), len(layers), store.width)

    def __getitem__(self, key: tuple[Any, Any, Any]) -> NDArray[np.float32]:
        # dask hands on the slices, numbers and lists of the user's own indexing.
        rows, layers, width = key
        names = np.atleast_1d(np.array(self._layers)[layers]).tolist()
        block = self._store.vectors(rows, names)[:, :, width]
        if np.ndim(layers) == 0 and not isinstance(layers, slice):
            block = block[:, 0]
        return block[0] if np.ndim(rows) == 0 and not isinstance(rows, slice) else block
