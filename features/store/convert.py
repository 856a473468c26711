"""One store as the other container, without loss."""

from pathlib import Path

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.journal import Journal
from gensr.features.store.open import open_store
from gensr.features.store.place import Place, check_target, look
from gensr.features.store.publish import publish
from gensr.features.store.transfer import Advance, ignore, write_hdf5, write_zarr


def convert(
    source: Path, target: Path, *, overwrite: bool = False, advance: Advance = ignore
) -> None:
    """Write the store `source` as `target`: Zarr or HDF5, by the suffix.

    The target appears whole or not at all; memory holds one shard.

    Raises:
        StoreError: the target exists, or either cannot be read or written.
    """
    target = check_target(target)
    if source.resolve() == target.resolve():
        raise StoreError(f"{target}: source and target are the same store")
    with (
        files.store_errors(target),
        open_store(source) as store,
        Journal(target).locked() as journal,
    ):
        if journal.plan() is not None:
            raise StoreError(f"{target} is being extracted: finish that first, or write elsewhere")
        if look(target) is not Place.EMPTY and not overwrite:
            raise StoreError(f"{target} exists: pass --overwrite to replace it")
        journal.forget()
        if target.suffix in schema.HDF5_SUFFIXES:
            aside = journal.folder / "store.h5"
            write_hdf5(store, aside, advance)
            aside.replace(target)
            files.sync(target.parent)
        else:
            write_zarr(store, journal.staged, advance)
            publish(journal)
