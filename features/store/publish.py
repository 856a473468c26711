"""How a store that was made in the work folder takes its place, killed or not.

Once the journal says `publish`, the store in the making is whole, and the steps below lead to
the same end from wherever they are begun: a killed publication is taken up by the next writer.
A folder cannot be exchanged for another in one step, so for the moment between two renames
there is no store at its place; readers then say that it is not finished. At a URL only an HDF5
file is made in the work folder: it is uploaded whole, again if need be.
"""

from gensr.features.store import files, schema
from gensr.features.store.journal import Journal
from gensr.features.store.open import Store
from gensr.features.store.transfer import Advance, ignore, write_hdf5
from gensr.features.store.zarr_store import ZarrReader


def publish(journal: Journal, advance: Advance = ignore) -> None:
    """Put `journal.staged`, a committed Zarr store, in the place of `journal.store`."""
    journal.keep_publishing()
    if not journal.whole:  # a killed run had renamed it, or began to forget it
        return
    if journal.store.suffix in schema.HDF5_SUFFIXES:
        _publish_hdf5(journal, advance)
    else:
        _publish_zarr(journal)


def _publish_zarr(journal: Journal) -> None:
    old = journal.folder / "old.zarr"
    if files.exists(journal.store):
        files.remove(old)
        files.move(journal.store, old)
    files.move(journal.staged, journal.store)


def _publish_hdf5(journal: Journal, advance: Advance) -> None:
    with files.whole_file(journal.store, journal.folder / "store.h5") as file:
        write_hdf5(Store(ZarrReader(journal.staged)), file, advance)
