"""A plan under way: the store in the making, which shards are left, and the commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.commit import forget, publish
from gensr.features.store.container import read_header
from gensr.features.store.journal import Journal, at_once
from gensr.features.store.open import Store
from gensr.features.store.plan import Mode, Plan, PlanNote, Shard
from gensr.features.store.schema import Header
from gensr.features.store.shard_hashes import bind
from gensr.features.store.shard_writer import ShardWriter
from gensr.features.store.table import tables_sha256
from gensr.features.store.transfer import Advance, ignore
from gensr.features.store.where import Where
from gensr.features.store.zarr_layout import vectors_metadata
from gensr.features.store.zarr_store import ZarrWriter, discard

_HELD = 200 << 20
"""Bytes of shards that are read at a time, to see whether they are whole."""


class Writing:
    """One plan being carried out; made by `Job.start`.

    Args:
        journal: locked, its plan this one.
        plan: what is to be written.
        note: the journal's of it.
        base: the store that is added to.

    Raises:
        StoreError: another machine makes another store at this URL.
    """

    def __init__(self, journal: Journal, plan: Plan, note: PlanNote, base: Store | None) -> None:
        self.out = journal.store
        self.plan = plan
        self._journal, self._base = journal, base
        in_place = note.mode is Mode.FRESH and self.out.suffix in schema.ZARR_SUFFIXES
        self._target = self.out if in_place else journal.staged
        """Where the Zarr store is made."""
        _make(self._target, plan.header, journal)
        for folder in (self._target, journal.folder):
            files.remove_partial(folder)
        self.writer = ShardWriter(
            self.out, self._target, note.id, plan.header, None if base is None else base.path
        )
        """Writes the shards, here or in other processes."""
        self._linked = self._link(plan.shards)
        left = [shard for shard in plan.shards if shard.index not in self._linked]
        marked = journal.marked()
        asked = [shard for shard in left if shard.index in marked]
        told = at_once(self.writer.is_finished, asked, self._readable)
        self.finished = tuple(shard for shard, whole in zip(asked, told, strict=True) if whole)
        """Shards that an interrupted run had finished."""
        done = {shard.index for shard in self.finished}
        self.pending = tuple(shard for shard in left if shard.index not in done)
        """Shards still to be written."""

    @property
    def streams(self) -> bool:
        """Whether the commit writes all clips once more, as HDF5."""
        return self.out.suffix in schema.HDF5_SUFFIXES

    def stored(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return rows of finished shards, before they are committed: (rows, layers, width)."""
        return self.writer.stored(rows)

    def commit(
        self, advance: Advance = ignore, *, verification: Mapping[str, Any] | None = None
    ) -> None:
        """Write tables and header, and put the store in its place.

        Args:
            advance: called with the number of clips written again, as HDF5.
            verification: what comparing batches with single clips gave. Without one, that of
                the store that is added to is kept if nothing was encoded.

        Raises:
            StoreError: a shard is not finished, the extraction is over, or the disk refuses.
        """
        with files.store_errors(self.out):
            self.writer.check()  # at a URL another machine may have ended it, or begun anew
            if self._base is not None:
                self._base.check_unchanged()
            hashes = self._hashes()
        missing = [index for index, sha256 in hashes.items() if sha256 is None]
        if missing:
            raise StoreError(
                f"{self.out}: {len(missing)} shards are not finished, the first of them "
                f"{missing[0]}; the same call again goes on from there"
            )
        plan = self.plan
        copied = not any(shard.encode for shard in plan.shards)
        if verification is None and self._base is not None and copied:
            verification = self._base.header.verification
        header = replace(
            plan.header,
            verification=verification,
            table_sha256=tables_sha256(plan.columns, plan.failed),
        )
        header = bind(header, [sha256 for sha256 in hashes.values() if sha256 is not None])
        with files.store_errors(self.out):
            ZarrWriter(self._target).commit(header, plan.columns, plan.failed)
            if self._target != self.out:
                self.close()
                publish(self._journal, advance)
            forget(self._journal)

    def close(self) -> None:
        """Release the store that is added to."""
        self.writer.close()
        if self._base is not None:
            self._base.close()

    def _hashes(self) -> dict[int, str | None]:
        """Return every shard's hash, in order; None where it has no marker of this plan.

        Shards that are shared with the store that is added to keep that store's. One of format 1
        has none: there they are read.
        """
        shards, plan_id = self.plan.shards, self.writer.plan_id
        linked = [shard for shard in shards if shard.index in self._linked]
        found: dict[int, str | None] = {shard.index: None for shard in shards}
        known = () if self._base is None else self._base.header.shards_sha256
        kept = [known[shard.index] for shard in linked] if known else []
        kept = kept or [*at_once(self.writer.hash_stored, linked, self._readable)]
        found |= {shard.index: sha256 for shard, sha256 in zip(linked, kept, strict=True)}
        asked = sorted(self._journal.marked() & (found.keys() - self._linked))
        told = at_once(lambda index: self._journal.done(index, plan_id), asked)
        return found | dict(zip(asked, told, strict=True))

    @property
    def _readable(self) -> int:
        """How many shards may be read at a time."""
        header = self.plan.header
        shard_bytes = 4 * header.shard_clips * len(header.layers) * header.width  # as float32
        return _HELD // max(1, shard_bytes)

    def _link(self, shards: Iterable[Shard]) -> set[int]:
        """Share the files of shards that do not change; return which."""
        if self._base is None or not files.is_folder(self._base.path):
            return set()
        writer, source = ZarrWriter(self._target), self._base.path
        unchanged = (shard for shard in shards if shard.unchanged)
        return {shard.index for shard in unchanged if writer.link(source, shard.start)}


def _make(path: Where, header: Header, journal: Journal) -> None:
    """Make the store that shards are written to, empty, unless it is there."""
    if files.disk_of(path).exchanges:
        if files.exists(path):
            ZarrWriter.fit(path, header)
            return
        files.remove(journal.empty)
        ZarrWriter.create(journal.empty, header)
        files.move(journal.empty, path)
        return
    if not files.exists(vectors_metadata(path)):  # what is put last
        discard(path)
        ZarrWriter.create(path, header)
    if read_header(path).uncommitted() != header.uncommitted():
        raise StoreError(
            f"{journal.store} is being written with other settings or clips, by another machine: "
            "wait for it, or choose another --out"
        )
