"""Writing finished shards from anywhere: another thread, process or machine.

A shard is written by whoever encoded it, straight to the file system it shares with the one
that holds the lock. Nobody else is asked, so three things must hold by themselves:

- Two writers of one shard (a worker believed dead that is not) do no harm: each puts a whole
  file in its place by renaming, and both files are right.
- A shard counts as finished by its marker alone, written after its data.
- A writer whose extraction is over, or was begun anew with other settings, writes nothing: the
  plan in the work folder must be the one it was made for, looked up right before each renaming,
  or before each object that is put at a URL.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.features.store import files
from gensr.features.store.errors import StoreError
from gensr.features.store.journal import Journal
from gensr.features.store.open import Store, open_store
from gensr.features.store.plan import Shard
from gensr.features.store.rows import Rows
from gensr.features.store.schema import Header
from gensr.features.store.shard_hashes import hash_rows
from gensr.features.store.where import Where
from gensr.features.store.zarr_store import ZarrReader, ZarrWriter


class ShardWriter:
    """Writes shards of one extraction; picklable, opens what it needs when it writes.

    Args:
        out: the store that is being made; it names the work folder.
        target: where its Zarr group is written.
        plan_id: the plan that the shards are for.
        header: as it will be committed.
        base: the store that is added to.
    """

    def __init__(
        self,
        out: Where,
        target: Where,
        plan_id: str,
        header: Header,
        base: Where | None,
    ) -> None:
        self.out, self.target, self.plan_id = out, target, plan_id
        self.header, self.base = header, base
        self._journal = Journal(out)

    def __reduce__(self) -> tuple[Any, ...]:
        base = None if self.base is None else self.base.absolute()  # elsewhere is another folder
        return ShardWriter, (
            self.out.absolute(),
            self.target.absolute(),
            self.plan_id,
            self.header,
            base,
        )

    def write(self, shard: Shard, encoded: Mapping[int, NDArray[np.float32]]) -> None:
        """Write one shard and mark it as finished.

        Args:
            shard: one of `Job.pending`; those of `shard.after` must be finished.
            encoded: for each row of `shard.encode` its vectors, float32 (layers, width).

        Raises:
            StoreError: the disk refuses, a shard of `shard.after` is not finished, a value is
                beyond the type of the store, or the extraction has ended or was begun anew.
        """
        with files.store_errors(self.out):
            self.check()
            vectors = self._narrow(shard, self._assemble(shard, encoded))
            self._zarr.write(shard.start, vectors, self.check)
            sha256 = hash_rows(vectors, self.header.dtype)
            self._journal.mark(shard, self.plan_id, sha256, self.check)

    def is_finished(self, shard: Shard) -> bool:
        """Whether the shard is marked, and its data are those it was marked for."""
        marker = self._journal.done(shard.index, self.plan_id)
        if marker is None:
            return False
        try:
            return self.hash_stored(shard) == marker
        except StoreError:  # lost or damaged since: written again
            return False

    def hash_stored(self, shard: Shard) -> str:
        """Return the hash of a shard's rows as they are on the disk.

        Raises:
            StoreError: they cannot be read.
        """
        return hash_rows(self.stored(slice(shard.start, shard.stop)), self.header.dtype)

    def stored(self, rows: Rows) -> NDArray[np.float32]:
        """Return rows of finished shards, as they are on the disk: (rows, layers, width)."""
        return self._own.vectors(rows)

    def close(self) -> None:
        """Release the store that is added to, if it was opened; writing opens it again."""
        base = self.__dict__.pop("_base", None)
        if base is not None:
            base.close()

    def _assemble(
        self, shard: Shard, encoded: Mapping[int, NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return all rows of a shard: encoded now, of the base, copied from earlier rows."""
        size = (shard.stop - shard.start, len(self.header.layers), self.header.width)
        vectors = np.empty(size, dtype=np.float32)
        for row in shard.encode:
            vectors[row - shard.start] = encoded[row]
        if shard.base and self._base is not None:
            _fill(vectors, shard.start, shard.base, self._base.whole_shards)
        for index in sorted(shard.after):
            if self._journal.done(index, self.plan_id) is None:
                raise StoreError(
                    f"{self.out}: shard {shard.index} copies rows of shard {index}, which is not "
                    "finished: an earlier error says why; the same call again goes on from there"
                )
        earlier = {row: source for row, source in shard.copies.items() if source < shard.start}
        _fill(vectors, shard.start, earlier, self.stored)
        for row, source in shard.copies.items():
            if source >= shard.start:
                vectors[row - shard.start] = vectors[source - shard.start]
        return vectors

    def _narrow(self, shard: Shard, vectors: NDArray[np.float32]) -> NDArray[Any]:
        """Return vectors in the type of the store.

        Raises:
            StoreError: naming the clip and the layer of the first value that has no such type.
        """
        if self.header.dtype == "float32":
            return vectors
        with np.errstate(over="ignore"):
            narrow = vectors.astype(self.header.dtype)
        lost = np.argwhere(np.isinf(narrow) & np.isfinite(vectors))
        if len(lost):
            row, layer, place = lost[0]
            raise StoreError(
                f"{shard.paths[row]}: layer {self.header.layers[layer]} holds "
                f"{vectors[row, layer, place]:.6g}, beyond {self.header.dtype}: "
                "extract with --store-dtype float32"
            )
        return narrow

    def check(self) -> None:
        """Refuse to write for an extraction that is over.

        Raises:
            StoreError: its plan is gone, or another is in its place.
        """
        found = self._journal.plan()
        if found is None or found.id != self.plan_id:
            ended = "has ended" if found is None else "was begun anew"
            raise StoreError(
                f"{self.out}: the extraction that this shard is for {ended}; nothing was written"
            )

    @cached_property
    def _zarr(self) -> ZarrWriter:
        return ZarrWriter(self.target)

    @cached_property
    def _own(self) -> Store:
        reader = ZarrReader(self.target)
        found, reader.header = reader.header, self.header  # rows are read before the commit
        return Store(reader, found)

    @cached_property
    def _base(self) -> Store | None:
        return None if self.base is None else open_store(self.base)


def _fill(
    vectors: NDArray[np.float32],
    start: int,
    rows: Mapping[int, int],
    read: Callable[[NDArray[np.int64]], NDArray[np.float32]],
) -> None:
    if rows:
        where = np.fromiter(rows.keys(), dtype=np.int64) - start
        vectors[where] = read(np.fromiter(rows.values(), dtype=np.int64))
