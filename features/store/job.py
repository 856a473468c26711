"""One extraction into one store: what is there, what is to do, what is done, the commit.

Three ways lead to a finished store:

- fresh, `.zarr`: made in its place; the header's count stays 0 until the commit.
- fresh, `.h5`: made as Zarr in the work folder, written as HDF5 by one writer, renamed.
- adding to a store, or replacing one: made in the work folder and exchanged for the old
  one at the end, so that the old one can be read all the time and outlives every accident.
  Files of shards that do not change are shared by hard links, so adding costs what is new.
  Not at a URL, where nothing can be exchanged.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import StoreError
from gensr.features.same_encoder import differences
from gensr.features.store import files, schema
from gensr.features.store.container import read_header
from gensr.features.store.journal import Journal, at_once, with_id
from gensr.features.store.open import Store, open_store
from gensr.features.store.place import Place, check_replaceable, check_target, look
from gensr.features.store.plan import Plan, Shard
from gensr.features.store.publish import publish, resume
from gensr.features.store.shard_hashes import bind
from gensr.features.store.shard_writer import ShardWriter
from gensr.features.store.table import same, tables_sha256
from gensr.features.store.transfer import Advance, ignore
from gensr.features.store.where import Location, Where
from gensr.features.store.zarr_layout import vectors_metadata
from gensr.features.store.zarr_store import ZarrWriter, discard

_HELD = 200 << 20
"""Bytes of shards that are read at a time, to see whether they are whole."""
_FRESH, _ADD, _REPLACE = "fresh", "add", "replace"


class Job:
    """A store under the hands of the one who plans and commits it; made by `open_job`."""

    writer: ShardWriter
    """Writes the shards, here or in other processes; after `start`."""

    def __init__(self, journal: Journal, *, overwrite: bool) -> None:
        self.out = journal.store
        self.pending: tuple[Shard, ...] = ()
        """Shards still to be written, after `start`."""
        self.finished: tuple[Shard, ...] = ()
        """Shards that an interrupted run had finished."""
        self.base: Store | None = None
        """The store that is added to."""
        self.folder = journal.folder
        """The work folder beside the store, on the same file system."""
        self.overwrite = overwrite
        """Whether what is there is replaced."""
        self._journal = journal
        resume(journal, overwrite=overwrite)  # killed on the last steps
        journal.plan(begin_anew=overwrite)
        place = look(self.out)
        if place is Place.TORN and not overwrite:
            raise StoreError(
                f"{self.out}: its header is empty or torn, and no plan by which it was made is "
                "left: replace it by --overwrite, or move it"
            )
        self._mode = _FRESH
        if place is Place.COMPLETE:
            if (journal.plan() or {}).get("mode") == _FRESH:  # killed right after its commit
                journal.forget()
            if overwrite:
                check_replaceable(self.out)
            self._mode = _REPLACE if overwrite else _ADD
            if not overwrite:
                self.base = open_store(self.out)
                self.base.confirm()  # its rows become rows of the new store

    def close(self) -> None:
        """Release what is held open."""
        if self.base is not None:
            self.base.close()
        if hasattr(self, "writer"):
            self.writer.close()

    def agree(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse settings other than those of the store, or of the run to be resumed.

        Called before any clip is heard: a wrong flag costs no time.

        Returns:
            The settings to go on with: those of what is there, where the encoder is the same one
            by another name.

        Raises:
            StoreError: naming both sides.
        """
        if self.base is not None:
            about = self.base.attributes
            shared = {key: value for key, value in settings.items() if key in about}
            told = differences({key: about[key] for key in shared}, shared)
            if told:
                raise StoreError(
                    f"{self.out} was made with other settings ({_few(told)}): use those, "
                    "choose another --out, or replace it by --overwrite"
                )
            settings = {**settings, "encoder": dict(about["encoder"])}
        found = self._journal.plan()
        if found is None or self.overwrite:
            return dict(settings)
        told = differences(found["settings"], settings)
        if found["mode"] == _REPLACE:
            told.insert(0, "--overwrite there, not here")
        if told:
            raise StoreError(
                f"{self.out} is half done with other settings ({_few(told)}): use those to "
                "resume it, choose another --out, or begin anew by --overwrite"
            )
        return dict(found["settings"])

    @property
    def interrupted(self) -> bool:
        """Whether there is a plan that an interrupted run has left to be carried out."""
        return self._journal.plan() is not None

    def side_log(self, name: str) -> Where:
        """Return where the caller may keep a log of that name; see side_log.py.

        It lasts until a plan is settled (`start`), or there is nothing to do (`drop`).
        """
        return self._journal.side_log(name)

    def forget_side_logs(self) -> None:
        """Let the logs go with the work folder: the next call has no use for them."""
        self._journal.keeps_logs = False

    def is_done(self, plan: Plan) -> bool:
        """Whether the store already is what is planned, table and all."""
        if self.base is None or not same(plan.columns, self.base.table):
            return False
        return same(plan.failed, self.base.failed)

    def drop(self) -> None:
        """Forget what an interrupted run had planned: the store is as it is to be."""
        with files.store_errors(self.out):
            self._journal.forget()
        self.forget_side_logs()

    def start(self, plan: Plan) -> None:
        """Begin, or take up what an interrupted run left; sets `writer`, `pending`, `finished`.

        Raises:
            StoreError: the interrupted run had other clips, the disk refuses, or the store is
                finished and at a URL.
        """
        if self.base is not None:
            check_replaceable(self.out)
        with files.store_errors(self.out):
            plan_id = self._settle(plan)
            self.forget_side_logs()
            path = self._target()
            self._make(path, plan.header)
            for folder in (path, self._journal.folder):
                files.remove_partial(folder)
            base = None if self.base is None else self.base.path
            self._plan = plan
            self.writer = ShardWriter(self.out, path, plan_id, plan.header, base)
            self._linked = self._link(plan.shards)
            left = [shard for shard in plan.shards if shard.index not in self._linked]
            marked = self._journal.marked()
            asked = [shard for shard in left if shard.index in marked]
            told = at_once(self.writer.is_finished, asked, self._readable)
            self.finished = tuple(s for s, whole in zip(asked, told, strict=True) if whole)
            done = {shard.index for shard in self.finished}
            self.pending = tuple(shard for shard in left if shard.index not in done)

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
            if self.base is not None:
                self.base.check_unchanged()
            hashes = self._hashes()
        missing = [index for index, sha256 in hashes.items() if sha256 is None]
        if missing:
            raise StoreError(
                f"{self.out}: {len(missing)} shards are not finished, the first of them "
                f"{missing[0]}; the same call again goes on from there"
            )
        plan = self._plan
        unheard = not any(shard.encode for shard in plan.shards)
        if verification is None and self.base is not None and unheard:
            verification = self.base.header.verification
        header = replace(
            plan.header,
            verification=verification,
            table_sha256=tables_sha256(plan.columns, plan.failed),
        )
        header = bind(header, [sha256 for sha256 in hashes.values() if sha256 is not None])
        with files.store_errors(self.out):
            ZarrWriter(self._target()).commit(header, plan.columns, plan.failed)
            if self._target() != self.out:
                self.close()
                publish(self._journal, advance)
            self._journal.forget()

    def _hashes(self) -> dict[int, str | None]:
        """Return every shard's hash, in order; None where it has no marker of this plan.

        Shards that are shared with the store that is added to keep that store's. One of format 1
        has none: there they are read.
        """
        shards, plan_id = self._plan.shards, self.writer.plan_id
        linked = [shard for shard in shards if shard.index in self._linked]
        found: dict[int, str | None] = {shard.index: None for shard in shards}
        known = () if self.base is None else self.base.header.shards_sha256
        kept = [known[shard.index] for shard in linked] if known else []
        kept = kept or [*at_once(self.writer.hash_stored, linked, self._readable)]
        found |= {shard.index: sha256 for shard, sha256 in zip(linked, kept, strict=True)}
        asked = sorted(self._journal.marked() & (found.keys() - self._linked))
        told = at_once(lambda index: self._journal.done(index, plan_id), asked)
        return found | dict(zip(asked, told, strict=True))

    @property
    def _readable(self) -> int:
        """How many shards may be read at a time."""
        return _HELD // _shard_bytes(self._plan.header)

    def _settle(self, plan: Plan) -> str:
        """Make the journal's plan this one, or refuse; return its id.

        Where clips have come, gone or changed since the interrupted run, the shards that it
        finished and that are the same now are kept, if there are any.
        """
        wanted = with_id(
            {
                "mode": self._mode,
                "settings": dict(plan.settings),
                "base": "" if self.base is None else self.base.fingerprint(),
                "clips": plan.header.clips,
                "clips_hash": plan.clips_hash,
            }
        )
        plan_id = str(wanted["id"])
        found = self._journal.plan()
        if found is not None and found.get("id") == plan_id:
            return plan_id
        lasting = [] if found is None or self.overwrite else self._lasting(plan, found, wanted)
        if lasting:
            self._journal.keep_plan(wanted)  # from here on writers of the old one are refused
            for shard, sha256 in lasting:
                self._journal.mark(shard, plan_id, sha256)
            return plan_id
        if found is not None and not self.overwrite:
            raise StoreError(
                f"{self.out} is half done for other clips ({found['clips']} then, "
                f"{wanted['clips']} now, or their audio or what they are added to has changed): "
                "restore them, choose another --out, or begin anew by --overwrite"
            )
        self._journal.forget()
        if look(self.out) in (Place.UNFINISHED, Place.TORN):
            discard(self.out)
        self._journal.keep_plan(wanted)
        return plan_id

    def _lasting(
        self, plan: Plan, found: Mapping[str, Any], wanted: Mapping[str, Any]
    ) -> list[tuple[Shard, str]]:
        """Return finished shards of another plan that are this one's too, and their hashes."""
        alike = not differences(found["settings"], wanted["settings"])
        alike = alike and all(found[name] == wanted[name] for name in ("mode", "base"))
        if not alike or not isinstance(self.out, Path):  # at a URL others may be at work on it
            return []
        return self._journal.lasting(plan.shards, str(found["id"]))

    def _make(self, path: Where, header: schema.Header) -> None:
        """Make the store that shards are written to, empty, unless it is there."""
        if isinstance(path, Path):
            if path.exists():
                ZarrWriter.fit(path, header)
                return
            aside = self._journal.folder / "new.zarr"
            files.remove(aside)
            ZarrWriter.create(aside, header)
            files.move(aside, path)
            return
        if not files.exists(vectors_metadata(path)):  # what is put last
            discard(path)
            ZarrWriter.create(path, header)
        if read_header(path).uncommitted() != header.uncommitted():
            raise StoreError(
                f"{self.out} is being written with other settings or clips, by another machine: "
                "wait for it, or choose another --out"
            )

    def _target(self) -> Where:
        """Where the Zarr store is written."""
        in_place = self._mode == _FRESH and self.out.suffix in schema.ZARR_SUFFIXES
        return self.out if in_place else self._journal.staged

    def _link(self, shards: Iterable[Shard]) -> set[int]:
        """Share the files of shards that do not change; return which."""
        if self.base is None or not files.is_folder(self.base.path):
            return set()
        writer = ZarrWriter(self._target())
        unchanged = (shard for shard in shards if shard.unchanged)
        return {shard.index for shard in unchanged if writer.link(self.base.path, shard.start)}


@contextmanager
def open_job(out: Location, *, overwrite: bool) -> Iterator[Job]:
    """Lock a store's place and look at what is there.

    Args:
        out: `.zarr` or `.h5`, here or at a URL; missing folders above it are made.
        overwrite: replace a store that is there, and forget a half-done one with other settings.

    Raises:
        StoreError: another process writes there, or something else than a store is there.
    """
    out = check_target(out)
    look(out)  # before a work folder is made beside something that is not ours
    with Journal(out).locked() as journal:
        with files.store_errors(out):
            job = Job(journal, overwrite=overwrite)
        try:
            yield job
        finally:
            job.close()


def _shard_bytes(header: schema.Header) -> int:
    """Return the bytes of a shard's vectors as they are read, float32; at least 1."""
    return max(1, 4 * header.shard_clips * len(header.layers) * header.width)


def _few(told: list[str], limit: int = 3) -> str:
    more = f"; and {len(told) - limit} more" if len(told) > limit else ""
    return "; ".join(told[:limit]) + more
