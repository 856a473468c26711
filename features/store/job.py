"""A store's place, held for one extraction: what is there, and what may come of it.

Three ways lead to a finished store:

- fresh, `.zarr`: made in its place; the header's count stays 0 until the commit.
- fresh, `.h5`: made as Zarr in the work folder, written as HDF5 by one writer, renamed.
- adding to a store, or replacing one: made in the work folder and exchanged for the old
  one at the end, so that the old one can be read all the time and outlives every accident.
  Files of shards that do not change are shared by hard links, so adding costs what is new.
  Not at a URL, where nothing can be exchanged.

A job is opened, asked whether the settings agree with what is there, and started with a plan: what
then writes and commits is another object (writing.py).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TypeVar

from gensr.features.same_encoder import differences
from gensr.features.store import files
from gensr.features.store.commit import begin, forget, recover
from gensr.features.store.errors import StoreError
from gensr.features.store.journal import Journal
from gensr.features.store.open import Store, open_store
from gensr.features.store.place import Place, check_replaceable, check_target, look
from gensr.features.store.plan import Mode, Plan, PlanNote, Shard
from gensr.features.store.settings import Settings
from gensr.features.store.table import same
from gensr.features.store.where import Location, Where
from gensr.features.store.writing import Writing

S = TypeVar("S", bound=Settings)


class Job:
    """The place of a store, locked; made by `open_job`."""

    def __init__(self, journal: Journal, closing: ExitStack, *, overwrite: bool) -> None:
        self.out = journal.store
        self.folder = journal.folder
        """The work folder beside the store, which all who write shards must see."""
        self.overwrite = overwrite
        """Whether what is there is replaced."""
        self.base: Store | None = None
        """The store that is added to."""
        self._journal, self._closing = journal, closing
        recover(journal, overwrite=overwrite)
        place = look(self.out)
        if place is Place.TORN and not overwrite:
            raise StoreError(
                f"{self.out}: its header is empty or torn, and no plan by which it was made is "
                "left: replace it by --overwrite, or move it"
            )
        self._mode = Mode.FRESH
        if place is Place.COMPLETE and overwrite:
            check_replaceable(self.out)
            self._mode = Mode.REPLACE
        elif place is Place.COMPLETE:
            self._mode = Mode.ADD
            self.base = closing.enter_context(open_store(self.out))
            self.base.confirm()  # its rows become rows of the new store

    @property
    def interrupted(self) -> bool:
        """Whether there is a plan that an interrupted run has left to be carried out."""
        return self._journal.plan() is not None

    @property
    def shard_clips(self) -> int | None:
        """Rows of one shard in what is to be gone on with; None where all begins anew."""
        found = self._journal.plan()
        if found is not None and not self.overwrite:
            given = found.settings.get("shard_clips")
            return given if isinstance(given, int) else None
        return None if self.base is None else self.base.header.shard_clips

    def agree(self, settings: S) -> S:
        """Refuse settings other than those of the store, or of the run to be resumed.

        Called before any other work: a wrong flag costs no time.

        Returns:
            The settings to go on with: those of what is there, where the encoder is the same one
            by another name.

        Raises:
            StoreError: naming both sides.
        """
        if self.base is not None:
            about = Settings.of(self.base.header).as_plain()
            own = settings.as_plain()
            told = differences(about, {name: own[name] for name in about})
            if told:
                raise StoreError(
                    f"{self.out} was made with other settings ({_few(told)}): use those, "
                    "choose another --out, or replace it by --overwrite"
                )
            settings = replace(settings, encoder=self.base.header.encoder)
        found = self._journal.plan()
        if found is None or self.overwrite:
            return settings
        told = differences(found.settings, settings.as_plain())
        if found.mode is Mode.REPLACE:
            told.insert(0, "--overwrite there, not here")
        if told:
            raise StoreError(
                f"{self.out} is half done with other settings ({_few(told)}): use those to "
                "resume it, choose another --out, or begin anew by --overwrite"
            )
        return type(settings).from_plain(found.settings)

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
            forget(self._journal)
        self.forget_side_logs()

    def start(self, plan: Plan) -> Writing:
        """Begin what is planned, or take up what an interrupted run left of it.

        Raises:
            StoreError: the interrupted run had other clips, the disk refuses, or the store is
                finished and at a URL.
        """
        if self.base is not None:
            check_replaceable(self.out)
        with files.store_errors(self.out):
            note = self._settle(plan)
            self.forget_side_logs()
            writing = Writing(self._journal, plan, note, self.base)
            self._closing.callback(writing.close)
        return writing

    def _settle(self, plan: Plan) -> PlanNote:
        """Make the journal's plan this one, or refuse; return its note.

        Where clips have come, gone or changed since the interrupted run, the shards that it
        finished and that are the same now are kept, if there are any.
        """
        wanted = PlanNote.of(plan, self._mode, "" if self.base is None else self.base.fingerprint())
        found = self._journal.plan()
        if found is not None and found.id == wanted.id:
            return wanted
        lasting: list[tuple[Shard, str]] = []
        if found is not None and not self.overwrite:
            lasting = self._lasting(plan, found, wanted)
            if not lasting:
                raise StoreError(
                    f"{self.out} is half done for other clips ({found.clips} then, "
                    f"{wanted.clips} now, or their audio or what they are added to has changed): "
                    "restore them, choose another --out, or begin anew by --overwrite"
                )
        begin(self._journal, wanted, lasting)
        return wanted

    def _lasting(self, plan: Plan, found: PlanNote, wanted: PlanNote) -> list[tuple[Shard, str]]:
        """Return finished shards of another plan that are this one's too, and their hashes."""
        alike = not differences(found.settings, wanted.settings)
        alike = alike and (found.mode, found.base) == (wanted.mode, wanted.base)
        if not alike or not files.disk_of(self.out).locks:  # others may be at work on it
            return []
        return self._journal.lasting(plan.shards, found.id)


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
    with Journal(out).locked() as journal, ExitStack() as closing:
        with files.store_errors(out):
            job = Job(journal, closing, overwrite=overwrite)
        yield job


def _few(told: list[str], limit: int = 3) -> str:
    more = f"; and {len(told) - limit} more" if len(told) > limit else ""
    return "; ".join(told[:limit]) + more
