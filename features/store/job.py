"""One extraction into one store: what is there, what is to do, what is done, the commit.

Three ways lead to a finished store:

- fresh, `.zarr`: made in its place; the header's count stays 0 until the commit.
- fresh, `.h5`: made as Zarr in the work folder, written as HDF5 by one writer, renamed.
- adding to a store, or replacing one: made in the work folder and exchanged for the old
  one at the end, so that the old one can be read all the time and outlives every accident.
  Files of shards that do not change are shared by hard links, so adding costs what is new.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.journal import Journal
from gensr.features.store.open import Store, open_store
from gensr.features.store.place import Place, check_target, look
from gensr.features.store.plan import Plan, Shard, differences
from gensr.features.store.publish import publish
from gensr.features.store.table import same
from gensr.features.store.transfer import Advance, ignore
from gensr.features.store.zarr_store import ZarrReader, ZarrWriter
from gensr.features.survey import Verdict

_FRESH, _ADD, _REPLACE = "fresh", "add", "replace"


class Job:
    """A store under the hands of its one writer; made by `open_job`."""

    def __init__(self, journal: Journal, *, overwrite: bool) -> None:
        self.out = journal.store
        self.pending: tuple[Shard, ...] = ()
        """Shards still to be written, after `start`."""
        self.finished: tuple[Shard, ...] = ()
        """Shards that an interrupted run had finished."""
        self.base: Store | None = None
        """The store that is added to."""
        self._journal, self._overwrite = journal, overwrite
        self._broken = False
        if journal.publishing:  # killed on the last steps
            publish(journal)
            journal.forget()
        place = look(self.out)
        self._mode = _FRESH
        if place is Place.COMPLETE:
            if (journal.plan() or {}).get("mode") == _FRESH:  # killed right after its commit
                journal.forget()
            self._mode = _REPLACE if overwrite else _ADD
            self.base = None if overwrite else open_store(self.out)

    def close(self) -> None:
        """Release what is held open."""
        if self.base is not None:
            self.base.close()

    def agree(self, settings: Mapping[str, Any]) -> None:
        """Refuse settings other than those of the store, or of the run to be resumed.

        Called before any clip is heard: a wrong flag costs no time.

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
        found = self._journal.plan()
        if found is None or self._overwrite:
            return
        told = differences(found["settings"], settings)
        if found["mode"] == _REPLACE:
            told.insert(0, "--overwrite there, not here")
        if told:
            raise StoreError(
                f"{self.out} is half done with other settings ({_few(told)}): use those to "
                "resume it, choose another --out, or begin anew by --overwrite"
            )

    def verdicts(self, preprocessing: Mapping[str, Any]) -> dict[str, Verdict]:
        """Return what is known of files by their bytes: from an interrupted run, from the store."""
        known = self._journal.verdicts(preprocessing)
        if self.base is not None:
            names = ("file_sha256", "samples", "audio_sha256")
            columns = (self.base.table[name].tolist() for name in names)
            for file_sha, samples, audio_sha in zip(*columns, strict=True):
                known[file_sha] = Verdict(samples=samples, audio_sha256=audio_sha)
        return known

    def keep_verdicts(
        self, verdicts: Mapping[str, Verdict], preprocessing: Mapping[str, Any]
    ) -> None:
        """Keep a survey for the case that this run is interrupted."""
        with files.store_errors(self.out):
            self._journal.keep_verdicts(verdicts, preprocessing)

    def is_done(self, plan: Plan) -> bool:
        """Whether the store already is what is planned, table and all."""
        if self.base is None or not same(plan.columns, self.base.table):
            return False
        return same(plan.failed, self.base.failed)

    def drop(self) -> None:
        """Forget what an interrupted run had planned: the store is as it is to be."""
        with files.store_errors(self.out):
            self._journal.forget()

    def start(self, plan: Plan) -> None:
        """Begin, or take up what an interrupted run left; sets `pending` and `finished`.

        Raises:
            StoreError: the interrupted run had other clips, or the disk refuses.
        """
        with files.store_errors(self.out):
            self._settle(plan)
            path = self._target()
            if not path.exists():
                aside = self._journal.folder / "new.zarr"
                shutil.rmtree(aside, ignore_errors=True)
                ZarrWriter.create(aside, plan.header.clips, plan.header)
                files.move(aside, path)
            files.remove_partial(path)
            self._plan, self._writer = plan, ZarrWriter(path)
            reader = ZarrReader(path)
            reader.header = plan.header  # rows are read back before they are committed
            self._own = Store(reader)
            linked = {shard.index for shard in plan.shards if self._link(shard)}
            left = [shard for shard in plan.shards if shard.index not in linked]
            self.finished = tuple(shard for shard in left if self._is_finished(shard))
            done = {shard.index for shard in self.finished}
            self.pending = tuple(shard for shard in left if shard.index not in done)

    def write(self, shard: Shard, encoded: Mapping[int, NDArray[np.float32]]) -> None:
        """Write one shard and mark it as finished.

        Earlier shards must be written before, as a shard may copy from them; so once one
        fails, no later one is written.

        Args:
            shard: one of `pending`.
            encoded: for each row of `shard.encode` its vectors, float32 (layers, width).
        """
        if self._broken:
            raise StoreError(f"{self.out}: an earlier shard could not be written")
        self._broken = True
        header = self._plan.header
        size = (shard.stop - shard.start, len(header.layers), header.width)
        vectors = np.empty(size, dtype=np.float32)
        for row in shard.encode:
            vectors[row - shard.start] = encoded[row]
        _fill(vectors, shard.start, shard.base, self.base)
        earlier = {row: source for row, source in shard.copies.items() if source < shard.start}
        _fill(vectors, shard.start, earlier, self._own)
        for row, source in shard.copies.items():
            if source >= shard.start:
                vectors[row - shard.start] = vectors[source - shard.start]
        with files.store_errors(self.out):
            self._writer.write(shard.start, vectors)
            self._journal.mark(shard.index, _hash(vectors))
        self._broken = False

    def commit(self, advance: Advance = ignore) -> None:
        """Write tables and header, and put the store in its place.

        Args:
            advance: called with the number of clips written again, as HDF5.
        """
        with files.store_errors(self.out):
            self._writer.commit(self._plan.header, self._plan.columns, self._plan.failed)
            if self._target() != self.out:
                self.close()
                publish(self._journal, advance)
            self._journal.forget()

    def _settle(self, plan: Plan) -> None:
        """Make the journal's plan this one, or refuse."""
        wanted = {
            "mode": self._mode,
            "settings": dict(plan.settings),
            "base": "" if self.base is None else self.base.fingerprint(),
            "clips": plan.header.clips,
            "clips_hash": plan.clips_hash,
        }
        found = self._journal.plan()
        if found is not None and not differences(found, wanted):
            return
        if found is not None and not self._overwrite:
            raise StoreError(
                f"{self.out} is half done for other clips ({found['clips']} then, "
                f"{wanted['clips']} now, or their audio or what they are added to has changed): "
                "restore them, choose another --out, or begin anew by --overwrite"
            )
        self._journal.forget()
        if look(self.out) is Place.UNFINISHED:
            shutil.rmtree(self.out)
        self._journal.keep_plan(wanted)

    def _target(self) -> Path:
        """Where the Zarr store is written."""
        in_place = self._mode == _FRESH and self.out.suffix in schema.ZARR_SUFFIXES
        return self.out if in_place else self._journal.staged

    def _link(self, shard: Shard) -> bool:
        if self.base is None or not self.base.path.is_dir() or not shard.unchanged:
            return False
        return self._writer.link(self.base.path, shard.start)

    def _is_finished(self, shard: Shard) -> bool:
        marker = self._journal.done(shard.index)
        if marker is None:
            return False
        try:
            return _hash(self._own.vectors(slice(shard.start, shard.stop))) == marker
        except StoreError:  # lost or damaged since: written again
            return False


@contextmanager
def open_job(out: Path, *, overwrite: bool) -> Iterator[Job]:
    """Lock a store's place and look at what is there.

    Args:
        out: `.zarr` or `.h5`; missing folders above it are made.
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


def plan_header(template: schema.Header, columns: Mapping[str, NDArray[Any]]) -> schema.Header:
    """Return the header with what the clip table decides: the counts and the columns."""
    return replace(
        template,
        clips=len(columns["path"]),
        audios=len(set(columns["audio_sha256"].tolist())),
        columns=tuple(columns),
    )


def _fill(
    vectors: NDArray[np.float32], start: int, rows: Mapping[int, int], store: Store | None
) -> None:
    if rows and store is not None:
        where = np.fromiter(rows.keys(), dtype=np.int64) - start
        vectors[where] = store.vectors(np.fromiter(rows.values(), dtype=np.int64))


def _hash(vectors: NDArray[np.float32]) -> str:
    return hashlib.sha256(np.ascontiguousarray(vectors).data).hexdigest()


def _few(told: list[str], limit: int = 3) -> str:
    more = f"; and {len(told) - limit} more" if len(told) > limit else ""
    return "; ".join(told[:limit]) + more
