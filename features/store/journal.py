"""The work folder beside a store: who is writing it, what is planned, what is done.

    feats.zarr.work/
      lock          held by the one process that writes; the kernel lets go when it dies
      survey.jsonl  verdicts on every file, one a line, as they are heard
      plan.json     what is to be written, the settings that decide it, and a hash of all that
      done/<shard>  one marker a shard, written after its data were on the disk
      store.zarr    the store in the making, where it is not made in its place
      publish       the store in the making is whole; only renaming is left

Every file but the survey appears whole (written aside, flushed, renamed). A marker holds the
plan it was made for and the hash of the data it vouches for, and is believed only where both
still hold. Workers elsewhere read the plan and write markers; all else is the lock's holder's.
At a URL these are objects, `lock` an empty one (lock.py), and the survey is in pieces.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import Timeout

from gensr.estimator.errors import StoreError
from gensr.features.store import files
from gensr.features.store.lock import LOCK, lock_of
from gensr.features.store.open import work_folder
from gensr.features.store.where import Where

_SURVEY, _PLAN, _DONE, _PUBLISH = "survey.jsonl", "plan.json", "done", "publish"
_STAGED = "store.zarr"


class Journal:
    """The work folder of one store; use it under `locked`.

    Args:
        store: the store it belongs to, which may not exist yet.
    """

    def __init__(self, store: Where) -> None:
        self.store = store
        self.folder = work_folder(store)
        self.staged = self.folder / _STAGED
        """Where a store is made that takes its place by renaming."""
        self.survey = self.folder / _SURVEY
        """The log of a survey; see survey_log.py."""
        self.surveying = False
        """Whether a survey was begun and not ended: its log is worth keeping."""

    @contextmanager
    def locked(self) -> Iterator["Journal"]:
        """Hold the store against every other writer.

        On leaving, the folder goes too, unless it holds a plan that is still to be carried out,
        or a survey that broke off.

        Raises:
            StoreError: another process writes it, or the folder is someone else's.
        """
        with files.store_errors(self.store):
            if files.is_folder(self.folder) and not self._is_ours():
                raise StoreError(f"{self.folder} is in the way, and not gensr's: move it")
            lock = lock_of(self.folder)
            try:
                lock.acquire()
            except Timeout:
                raise StoreError(
                    f"{self.store} is being written by another process: wait for it, "
                    "or choose another --out"
                ) from None
        try:
            with files.store_errors(self.store):
                if isinstance(self.folder, Path):
                    files.remove(self._aside)
                else:
                    files.write_atomic(self.folder / LOCK, b"")
            yield self
        finally:
            try:
                with suppress(StoreError), files.store_errors(self.store):
                    if not (self.surveying or files.exists(self.folder / _PLAN)):
                        self._vanish()
            finally:
                lock.release()

    def plan(self) -> dict[str, Any] | None:
        """Return the plan of an interrupted run, or None."""
        path = self.folder / _PLAN
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        return found

    def keep_plan(self, plan: Mapping[str, Any]) -> None:
        """Write the plan, before anything is done for it."""
        files.write_atomic(self.folder / _PLAN, json.dumps(plan).encode())

    def done(self, shard: int, plan_id: str) -> str | None:
        """Return the hash of a shard's data, or None where it is not finished for that plan."""
        try:
            found = (self.folder / _DONE / str(shard)).read_text().split()
        except FileNotFoundError:
            return None
        return found[1] if found[:1] == [plan_id] and len(found) == 2 else None

    def mark(self, shard: int, plan_id: str, sha256: str, check: Callable[[], None]) -> None:
        """Mark a shard as finished; its data are on the disk.

        Args:
            shard: its number.
            plan_id: the plan that the data are for.
            sha256: hash of the data.
            check: called when only the renaming is left; what it raises, stops it.
        """
        folder = self.folder / _DONE
        files.make_folders(folder, self.folder)
        files.write_atomic(folder / str(shard), f"{plan_id} {sha256}\n".encode(), check)

    @property
    def publishing(self) -> bool:
        """Whether the store in the making is whole and waits to take its place."""
        return files.exists(self.folder / _PUBLISH)

    def keep_publishing(self) -> None:
        """Decide that the store in the making takes its place, whatever happens next."""
        files.write_atomic(self.folder / _PUBLISH, b"")

    def forget(self) -> None:
        """Remove plan, markers and the store in the making; the lock and the survey stay."""
        for name in (_PUBLISH, _PLAN, _DONE):  # the plan before what was done for it
            files.remove(self.folder / name)
        for name in files.names(self.folder) - {LOCK, _SURVEY}:
            files.remove(self.folder / name)

    def _vanish(self) -> None:
        """Remove the folder; what a kill leaves of it, is removed by the next call.

        A local one goes in one step. At a URL, the object that says it is ours goes last.
        """
        if isinstance(self.folder, Path):
            files.remove(self._aside)
            files.move(self.folder, self._aside)
            files.remove(self._aside)
            return
        for name in files.names(self.folder) - {LOCK}:
            files.remove(self.folder / name)
        files.remove(self.folder)

    @property
    def _aside(self) -> Where:
        return self.folder.with_name(self.folder.name + ".done")

    def _is_ours(self) -> bool:
        names = files.names(self.folder)
        return not names or not names.isdisjoint((LOCK, _PLAN))


def with_id(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan with a hash of its content, by which writers elsewhere know it."""
    return {"id": hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest(), **plan}
