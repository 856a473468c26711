"""How a store comes to stand in its place, whatever is killed on the way.

What lies in a store's place and in the work folder beside it is in one of five states, told by
the files alone. A writer goes from one to the next by the functions here, in steps that a file
system takes whole or not at all: a file that was written aside and flushed gets its name, a
folder gets another, something goes. So whoever is killed leaves one of the states, and the next
writer, of whatever kind, begins by the only `recover`.

    IDLE --begin--> PLANNED --the header, in place--> COMMITTED --forget--> IDLE
                    PLANNED --publish--> PUBLISHING --> PUBLISHED --forget--> IDLE
                    IDLE ---publish--/   (a rewrite, which has no plan)

Killed                                   What the next call finds, and does with it

IDLE, while a rewrite writes             a store in the making and no plan: `forget` removes it
IDLE, while an unfinished store goes     one that still says what it is: `begin` removes it
IDLE, before the plan has its name       half a file, *.partial: removed
IDLE, while the work folder goes         a folder aside, its lock in it: removed

PLANNED, while the empty store is made   half of it, aside: made anew
PLANNED, while a shard is written        half a file, *.partial: removed; the shard is encoded
PLANNED, before the shard's marker       a shard that nothing vouches for: encoded again
PLANNED, within `begin` for other clips  markers that name the old plan: those shards are encoded
PLANNED, while tables are written        a header without clips, all markers: the same commit again
PLANNED, before `publish` has its name   a store in the making, all markers: the same commit again

COMMITTED, while plan and markers go     a finished store under a plan to make it: forgotten

PUBLISHING, before the old store moves   both stores in full: goes on
PUBLISHING, between the two renames      nothing in its place: the new store is put there, or the
                                         old one put back where a disk has lost part of the new
PUBLISHING, while HDF5 is written        half a file in the work folder: written again
PUBLISHING, after the HDF5 file's rename the same file in its place: written again, byte for byte

PUBLISHED, while the rest goes           `publish` and no store in the making: the rest goes

The staged store is looked at before anything is renamed. A disk may have lost of it what was
whole when the publication began; the store that stands is not given for half of one. A folder
cannot be exchanged for another in one step, so for the moment between two renames there is no
store at its place; readers then say that it is not finished. At a URL only an HDF5 file is made
in the work folder: it is uploaded whole, again if need be.
"""

from collections.abc import Iterable
from enum import Enum

from gensr.estimator.errors import one_line
from gensr.features.store import files, schema
from gensr.features.store.errors import StoreError
from gensr.features.store.journal import DONE, PUBLISH, DamagedPlanError, Journal
from gensr.features.store.open import PLAN, Store
from gensr.features.store.place import Place, look
from gensr.features.store.plan import Mode, PlanNote, Shard
from gensr.features.store.transfer import Advance, ignore, write_hdf5
from gensr.features.store.zarr_layout import METADATA
from gensr.features.store.zarr_store import ZarrReader, discard


class State(Enum):
    """Where a store's place and its work folder stand; only `recover` asks."""

    IDLE = "idle"
    """Neither plan nor `publish`: what stands there stands, and nobody is at work on it."""
    PLANNED = "planned"
    """A plan, and shards of it, some of them finished: the same call goes on."""
    COMMITTED = "committed"
    """A plan to make a store in its place, and there it is, finished; only the plan is left."""
    PUBLISHING = "publishing"
    """`publish`, and a store in the making: whole, and decided to take its place."""
    PUBLISHED = "published"
    """`publish`, and none in the making: it has taken its place; only clearing up is left."""


class UnpublishableError(StoreError):
    """What was to take a store's place is damaged."""


def state(journal: Journal) -> State:
    """Return the state that the files are in.

    Raises:
        DamagedPlanError: there is a plan that cannot be read.
        StoreError: what stands in the store's place is none of gensr's.
    """
    if journal.publishing:
        return State.PUBLISHING if journal.whole else State.PUBLISHED
    plan = journal.plan()
    if plan is None:
        return State.IDLE
    finished = plan.mode is Mode.FRESH and look(journal.store) is Place.COMPLETE
    return State.COMMITTED if finished else State.PLANNED


def recover(journal: Journal, *, overwrite: bool) -> None:
    """Bring what a killed writer has left to `IDLE`, or to `PLANNED` where there is more to do.

    Args:
        journal: locked.
        overwrite: give up what cannot be read or carried out; what stands there stands.

    Raises:
        UnpublishableError: a publication cannot be carried out, and `overwrite` is not set.
        DamagedPlanError: a plan cannot be read, and `overwrite` is not set.
    """
    try:
        found = state(journal)
        if found in (State.PUBLISHING, State.PUBLISHED):
            publish(journal)
    except (UnpublishableError, DamagedPlanError):
        if not overwrite:
            raise
        found = None
    if found not in (State.IDLE, State.PLANNED):
        forget(journal)


def begin(journal: Journal, plan: PlanNote, lasting: Iterable[tuple[Shard, str]]) -> None:
    """Go to `PLANNED`, for this plan, from wherever another has got.

    Args:
        journal: locked.
        plan: what is to be done from now on.
        lasting: shards that were finished for another plan and are this one's too, with their
            hashes. Without any all that was done is given up, an unfinished store in its place
            too.
    """
    lasting = list(lasting)
    if not lasting:
        forget(journal)
        if look(journal.store) in (Place.UNFINISHED, Place.TORN):
            discard(journal.store)
    journal.keep_plan(plan)  # from here on writers of another one are refused
    for shard, sha256 in lasting:
        journal.mark(shard, plan.id, sha256)


def publish(journal: Journal, advance: Advance = ignore) -> None:
    """Put `journal.staged`, a committed Zarr store, in the place of `journal.store`.

    To `PUBLISHING` and on to `PUBLISHED`, from wherever it was begun.

    Raises:
        UnpublishableError: it cannot be read; what stood there stands.
    """
    if journal.publishing and not journal.whole:  # renamed already, or begun to be forgotten
        _restore(journal)
        return
    reader = _whole(journal)
    journal.keep_publishing()
    if journal.store.suffix not in schema.HDF5_SUFFIXES:
        _exchange(journal)
        return
    try:
        with files.whole_file(journal.store, journal.hdf5) as file:
            write_hdf5(Store(reader), file, advance)
    except StoreError as error:
        raise _unpublishable(journal, error) from error


def forget(journal: Journal) -> None:
    """Go to `IDLE`: remove plan, markers and the store in the making; lock and logs stay.

    Killed in between, it is begun again. After a publication `publish` says so and goes last:
    until then a plan that is left is one that was carried out. What was published already goes
    by its header first, so that half of it is not published once more.
    """
    if journal.publishing and journal.whole:
        files.remove(journal.staged / METADATA)
        files.sync(journal.staged)
    journal.remove(PLAN)  # before what was done for it
    journal.remove(DONE)
    journal.remove(*journal.left())
    journal.remove(PUBLISH)


def _whole(journal: Journal) -> ZarrReader:
    """Return the staged store, its tables read, every shard there: renaming would not notice.

    Raises:
        UnpublishableError: it is not so.
    """
    try:
        reader = ZarrReader(journal.staged)
        if not reader.header.clips:
            raise StoreError("it is not finished")
        reader.checked(slice(0, reader.header.clips))
        staged = Store(reader)
        _ = staged.table, staged.failed
    except (StoreError, OSError) as error:
        _restore(journal)
        raise _unpublishable(journal, error) from error
    return reader


def _unpublishable(journal: Journal, error: Exception) -> UnpublishableError:
    return UnpublishableError(
        f"{journal.staged} cannot become {journal.store} ({one_line(error)}); what "
        f"stood there stands. Begin anew by --overwrite, or remove {journal.folder} and call again"
    )


def _exchange(journal: Journal) -> None:
    if files.exists(journal.store):
        files.remove(journal.old)
        files.move(journal.store, journal.old)
    files.move(journal.staged, journal.store)


def _restore(journal: Journal) -> None:
    """Put the old store back where a publication was killed between its two renames."""
    if files.exists(journal.old) and not files.exists(journal.store):
        files.move(journal.old, journal.store)
