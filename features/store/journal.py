"""The work folder beside a store: who is writing it, what is planned, what is done.

    feats.zarr.work/
      lock          held by the one process that writes; the kernel lets go when it dies
      *.jsonl       logs of whoever plans, which begin before there is a plan (side_log.py)
      plan.json     what is to be written, the settings that decide it, and a hash of all that
      done/<shard>  one marker a shard, written after its data were on the disk
      store.zarr    the store in the making, where it is not made in its place
      publish       the store in the making is whole; only renaming is left
      new.zarr, store.h5, old.zarr
                    stores on their way into it, into their place, and out of it

Every file but a log appears whole (written aside, flushed, renamed). A marker holds the
plan it was made for, the hash of the data it vouches for, and the shard's key in the plan; it
is believed only where plan and data still hold. Workers elsewhere read the plan and write
markers; all else is the lock's holder's. At a URL these are objects, `lock` an empty one
(lock.py), and a log is in pieces. When what is written, renamed and removed: commit.py.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

from gensr.features.store import files
from gensr.features.store.errors import StoreError
from gensr.features.store.lock import LOCK, hold
from gensr.features.store.open import PLAN, work_folder
from gensr.features.store.plan import PlanNote, Shard
from gensr.features.store.where import Where
from gensr.features.store.zarr_layout import METADATA

DONE, PUBLISH = "done", "publish"
"""Names in the work folder, beside `PLAN` and `LOCK`."""
_LOG = ".jsonl"
_AT_ONCE = 8
"""Shards or markers that are read at a time."""

_Asked = TypeVar("_Asked")
_Told = TypeVar("_Told")


class DamagedPlanError(StoreError):
    """A plan was written down, and cannot be read."""


class Journal:
    """The work folder of one store; use it under `locked`.

    Args:
        store: the store it belongs to, which may not exist yet.
    """

    def __init__(self, store: Where) -> None:
        self.store = store
        self.folder = work_folder(store)
        self.staged = self.folder / "store.zarr"
        """Where a store is made that takes its place by renaming, or is written as HDF5."""
        self.empty = self.folder / "new.zarr"
        """Where an empty store is made."""
        self.hdf5 = self.folder / "store.h5"
        """Where an HDF5 file is written."""
        self.old = self.folder / "old.zarr"
        """Where the store is that was replaced."""
        self.keeps_logs = True
        """Whether side logs outlive this call; not where plan or store hold what they held."""

    @contextmanager
    def locked(self) -> Iterator["Journal"]:
        """Hold the store against every other writer.

        On leaving, the folder goes too, unless it holds a plan that is still to be carried out,
        a whole store that is still to take its place, or a log that no plan was made of.

        Raises:
            StoreError: another process writes it, the folder is someone else's, or its file
                system has no locks.
        """
        with files.store_errors(self.store):
            beside = (self.folder, self._aside) if self._exchanges else (self.folder,)
            for folder in beside:
                if files.exists(folder) and not _is_ours(folder):
                    raise StoreError(f"{folder} is in the way, and not gensr's: move it")
            lock = hold(self.store, self.folder)
        try:
            with files.store_errors(self.store):
                if self._exchanges:
                    _clear(self._aside)
                else:
                    files.write_atomic(self.folder / LOCK, b"")
            yield self
        finally:
            try:
                with suppress(StoreError), files.store_errors(self.store):
                    if not self._needed():
                        self._vanish()
            finally:
                lock.release()

    def side_log(self, name: str) -> Where:
        """Return the place of a log; see side_log.py."""
        return self.folder / f"{name}{_LOG}"

    def plan(self) -> PlanNote | None:
        """Return the plan of an interrupted run, or None.

        Raises:
            DamagedPlanError: the file holds none.
        """
        path = self.folder / PLAN
        try:
            return PlanNote.from_plain(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError):
            raise DamagedPlanError(
                f"{path} is damaged: begin anew by --overwrite, or remove {self.folder}, then "
                "call again; what was finished for that plan is made anew"
            ) from None

    def keep_plan(self, plan: PlanNote) -> None:
        """Write the plan, before anything is done for it."""
        files.write_atomic(self.folder / PLAN, json.dumps(plan.as_plain()).encode())

    def marked(self) -> set[int]:
        """Return the shards that have a marker, of this plan or another: asked for at once."""
        try:
            found = files.names(self.folder / DONE)
        except FileNotFoundError:
            return set()
        return {int(name) for name in found if name.isdecimal()}

    def done(self, shard: int, plan_id: str) -> str | None:
        """Return the hash of a shard's data, or None where it is not finished for that plan."""
        found = self._marker(shard)
        return found[1] if found is not None and found[0] == plan_id else None

    def mark(
        self, shard: Shard, plan_id: str, sha256: str, check: Callable[[], None] | None = None
    ) -> None:
        """Mark a shard as finished; its data are on the disk.

        Args:
            shard: which one.
            plan_id: the plan that the data are for.
            sha256: hash of the data.
            check: called when only the renaming is left; what it raises, stops it.
        """
        folder = self.folder / DONE
        files.make_folders(folder, self.folder)
        line = f"{plan_id} {sha256} {shard.key}\n".encode()
        files.write_atomic(folder / str(shard.index), line, check)

    def lasting(self, shards: Iterable[Shard], plan_id: str) -> list[tuple[Shard, str]]:
        """Return the shards that were finished for a plan and are the same now: (shard, hash)."""
        marked = self.marked()
        named = [shard for shard in shards if shard.index in marked]
        found = zip(named, at_once(self._marker, [s.index for s in named]), strict=True)
        return [
            (shard, marker[1])
            for shard, marker in found
            if marker is not None and (marker[0], marker[2]) == (plan_id, shard.key)
        ]

    def _marker(self, shard: int) -> tuple[str, str, str] | None:
        """Return a marker's plan, hash and key; None where there is none, or not a whole one."""
        try:
            plan_id, sha256, key = (self.folder / DONE / str(shard)).read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return plan_id, sha256, key

    @property
    def publishing(self) -> bool:
        """Whether the store in the making is whole and waits to take its place."""
        return files.exists(self.folder / PUBLISH)

    def keep_publishing(self) -> None:
        """Decide that the store in the making takes its place, whatever happens next."""
        files.write_atomic(self.folder / PUBLISH, b"")

    @property
    def whole(self) -> bool:
        """Whether there is a store in the making that could take its place."""
        return files.exists(self.staged / METADATA)

    def left(self) -> set[str]:
        """Return the names that are there beside the lock, the logs and the decision to publish."""
        found = files.names(self.folder) - {LOCK, PUBLISH}
        return {name for name in found if not name.endswith(_LOG)}

    def remove(self, *names: str) -> None:
        """Remove some of what is there, and make that last."""
        for name in names:
            files.remove(self.folder / name)
        files.sync(self.folder)

    def _needed(self) -> bool:
        """Whether the next call needs the folder; it may hold the only whole store."""
        if self.publishing or files.exists(self.folder / PLAN):
            return True
        return self.keeps_logs and any(name.endswith(_LOG) for name in files.names(self.folder))

    def _vanish(self) -> None:
        """Remove the folder; what a kill leaves of it, is removed by the next call.

        A local one leaves its place in one step.
        """
        if self._exchanges:
            _clear(self._aside)
            files.move(self.folder, self._aside)
            _clear(self._aside)
        else:
            _clear(self.folder)

    @property
    def _exchanges(self) -> bool:
        return files.disk_of(self.folder).exchanges

    @property
    def _aside(self) -> Where:
        return self.folder.with_name(self.folder.name + ".done")


def _is_ours(folder: Where) -> bool:
    if not files.is_folder(folder):
        return False
    try:
        names = files.names(folder)
    except FileNotFoundError:  # its owner has just removed it
        return True
    return not names or not names.isdisjoint((LOCK, PLAN))


def _clear(folder: Where) -> None:
    """Remove a work folder; what says that it is ours goes last."""
    if files.is_folder(folder):
        with suppress(FileNotFoundError):  # another process removes it as well
            for name in files.names(folder) - {LOCK}:
                files.remove(folder / name)
            files.remove(folder)


def at_once(
    ask: Callable[[_Asked], _Told], items: Sequence[_Asked], most: int = _AT_ONCE
) -> Iterator[_Told]:
    """Yield `ask` of every item, in order, some at a time: files far away answer slowly."""
    with ThreadPoolExecutor(max(1, min(most, _AT_ONCE)), "ask") as pool:
        yield from pool.map(ask, items)
