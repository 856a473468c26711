"""How a store that was made in the work folder takes its place, killed or not.

Once the journal says `publish`, the store in the making is whole, and the steps below lead to
the same end from wherever they are begun: a killed publication is taken up by the next writer.
A folder cannot be exchanged for another in one step, so for the moment between two renames
there is no store at its place; readers then say that it is not finished. At a URL only an HDF5
file is made in the work folder: it is uploaded whole, again if need be.

The staged store is looked at before anything is renamed. A disk may have lost of it what was
whole when the publication began; the store that stands is not given for half of one.
"""

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.journal import Journal
from gensr.features.store.open import Store
from gensr.features.store.transfer import Advance, ignore, write_hdf5
from gensr.features.store.zarr_store import ZarrReader

_OLD = "old.zarr"


class UnpublishableError(StoreError):
    """What was to take a store's place is damaged."""


def publish(journal: Journal, advance: Advance = ignore) -> None:
    """Put `journal.staged`, a committed Zarr store, in the place of `journal.store`.

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
        with files.whole_file(journal.store, journal.folder / "store.h5") as file:
            write_hdf5(Store(reader), file, advance)
    except StoreError as error:
        raise _unpublishable(journal, error) from error


def resume(journal: Journal, *, overwrite: bool) -> None:
    """Take up a publication that was killed, if there is one.

    Args:
        journal: locked.
        overwrite: give a publication up that cannot be carried out; what stands there stands.

    Raises:
        UnpublishableError: it cannot be carried out, and `overwrite` is not set.
    """
    if not journal.publishing:
        return
    try:
        publish(journal)
    except UnpublishableError:
        if not overwrite:
            raise
    journal.forget()


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
        f"{journal.staged} cannot become {journal.store} ({' '.join(str(error).split())}); what "
        f"stood there stands. Begin anew by --overwrite, or remove {journal.folder} and call again"
    )


def _exchange(journal: Journal) -> None:
    old = journal.folder / _OLD
    if files.exists(journal.store):
        files.remove(old)
        files.move(journal.store, old)
    files.move(journal.staged, journal.store)


def _restore(journal: Journal) -> None:
    """Put the old store back where a publication was killed between its two renames."""
    old = journal.folder / _OLD
    if files.exists(old) and not files.exists(journal.store):
        files.move(old, journal.store)
