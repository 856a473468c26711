"""The work folder beside a store: who is writing it, what is planned, what is done.

    feats.zarr.work/
      lock          held by the one process that writes; the kernel lets go when it dies
      survey.json   verdicts on every file, once all were heard
      plan.json     what is to be written, and the settings that decide it
      done/<shard>  one marker a shard, written after its data were on the disk
      store.zarr    the store in the making, where it is not made in its place
      publish       the store in the making is whole; only renaming is left

Every file appears whole (written aside, flushed, renamed). A marker holds the hash of the data
it vouches for, and is believed only where the data still have it.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from gensr.estimator.errors import StoreError
from gensr.features.store import files
from gensr.features.store.open import work_folder
from gensr.features.survey import Verdict

_LOCK, _SURVEY, _PLAN, _DONE, _PUBLISH = "lock", "survey.json", "plan.json", "done", "publish"
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

    @contextmanager
    def locked(self) -> Iterator["Journal"]:
        """Hold the store against every other writer.

        On leaving, the folder goes too, unless it holds a plan that is still to be carried out.

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
            if not (self.folder / _PLAN).exists():
                with suppress(OSError):
                    self._vanish()
            lock.release()

    def verdicts(self, preprocessing: Mapping[str, Any]) -> dict[str, Verdict]:
        """Return what an interrupted run heard, if it heard with the same preprocessing."""
        found = self._read(_SURVEY)
        if found is None or found["preprocessing"] != dict(preprocessing):
            return {}
        return {sha: Verdict(*verdict) for sha, verdict in found["verdicts"].items()}

    def keep_verdicts(
        self, verdicts: Mapping[str, Verdict], preprocessing: Mapping[str, Any]
    ) -> None:
        """Keep what was heard, so that a resumed run only hashes the files."""
        rows = {sha: (v.samples, v.audio_sha256, v.reason) for sha, v in verdicts.items()}
        self._write(_SURVEY, {"preprocessing": dict(preprocessing), "verdicts": rows})

    def plan(self) -> dict[str, Any] | None:
        """Return the plan of an interrupted run, or None."""
        return self._read(_PLAN)

    def keep_plan(self, plan: Mapping[str, Any]) -> None:
        """Write the plan, before anything is done for it."""
        self._write(_PLAN, plan)

    def done(self, shard: int) -> str | None:
        """Return the hash of a finished shard's data, or None where it is not finished."""
        marker = self.folder / _DONE / str(shard)
        return marker.read_text() if marker.is_file() else None

    def mark(self, shard: int, sha256: str) -> None:
        """Mark a shard as finished; its data are on the disk."""
        folder = self.folder / _DONE
        folder.mkdir(exist_ok=True)
        files.write_atomic(folder / str(shard), sha256.encode())

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

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        files.write_atomic(self.folder / name, json.dumps(value).encode())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
