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
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from gensr.estimator.errors import StoreError
from gensr.features.store import files
from gensr.features.store.open import work_folder

_LOCK, _SURVEY, _PLAN, _DONE, _PUBLISH = "lock", "survey.jsonl", "plan.json", "done", "publish"
_STAGED = "store.zarr"


class Journal:
    """The work folder of one store; use it under `locked`.

    Args:
        store: the store it belongs to, which may not exist yet.
    """

    def __init__(self, store: Path) -> None:
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
            if self.folder.is_dir() and not self._is_ours():
                raise StoreError(f"{self.folder} is in the way, and not gensr's: move it")
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / _LOCK, timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise StoreError(
                    f"{self.store} is being written by another process: wait for it, "
                    "or choose another --out"
                ) from None
        try:
            with files.store_errors(self.store):
                _remove(self._aside)
            yield self
        finally:
            if not (self.surveying or (self.folder / _PLAN).exists()):
                with suppress(OSError):
                    self._vanish()
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
        return (self.folder / _PUBLISH).is_file()

    def keep_publishing(self) -> None:
        """Decide that the store in the making takes its place, whatever happens next."""
        files.write_atomic(self.folder / _PUBLISH, b"")

    def forget(self) -> None:
        """Remove plan, markers and the store in the making; the lock and the survey stay."""
        for name in (_PUBLISH, _PLAN, _DONE):  # the plan before what was done for it
            _remove(self.folder / name)
        for path in self.folder.iterdir():
            if path.name not in (_LOCK, _SURVEY):
                _remove(path)

    def _vanish(self) -> None:
        """Remove the folder in one step; what is then left of it is removed by the next call."""
        _remove(self._aside)
        files.move(self.folder, self._aside)
        _remove(self._aside)

    @property
    def _aside(self) -> Path:
        return self.folder.with_name(self.folder.name + ".done")

    def _is_ours(self) -> bool:
        names = {path.name for path in self.folder.iterdir()}
        return not names or _LOCK in names


def with_id(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan with a hash of its content, by which writers elsewhere know it."""
    return {"id": hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest(), **plan}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
