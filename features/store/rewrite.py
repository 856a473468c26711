"""Writing a whole store at once, from what is stored already: converting and merging.

The target appears whole or not at all, held against other writers meanwhile; what stood in its
place stands until then. At a URL a Zarr store is written in its place, where nothing can be read
before its header is written, last.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from gensr.features.store import files, schema
from gensr.features.store.commit import forget, publish, recover
from gensr.features.store.errors import StoreError
from gensr.features.store.journal import Journal
from gensr.features.store.place import Place, check_replaceable, check_target, look
from gensr.features.store.transfer import Advance, Source, write_hdf5, write_zarr
from gensr.features.store.where import Location, Where
from gensr.features.store.zarr_store import discard


def rewrite(
    sources: Iterable[Where],
    opened: Callable[[], AbstractContextManager[Source]],
    target: Location,
    *,
    overwrite: bool,
    advance: Advance,
) -> None:
    """Write what `opened` gives as the store `target`: Zarr or HDF5, by the suffix.

    Args:
        sources: the stores that are read; the target must be none of them.
        opened: opens them.
        target: where to write.
        overwrite: replace a store that is there.
        advance: called with the number of clips just written.

    Raises:
        StoreError: the target exists, or something cannot be read or written.
    """
    target = check_target(target)
    if files.real(target) in {files.real(source) for source in sources}:
        raise StoreError(f"{target}: source and target are the same store")
    with files.store_errors(target), opened() as source, Journal(target).locked() as journal:
        recover(journal, overwrite=overwrite)
        if journal.plan() is not None:
            raise StoreError(f"{target} is being extracted: finish that first, or write elsewhere")
        found = look(target)
        if found is not Place.EMPTY and not overwrite:
            raise StoreError(f"{target} exists: pass --overwrite to replace it")
        if found is Place.COMPLETE:
            check_replaceable(target)
        forget(journal)
        if target.suffix in schema.HDF5_SUFFIXES:
            with files.whole_file(target, journal.hdf5) as file:
                write_hdf5(source, file, advance)
        elif files.disk_of(target).exchanges:
            write_zarr(source, journal.staged, advance)
            publish(journal)
            forget(journal)
        else:
            discard(target)
            write_zarr(source, target, advance)
        journal.keeps_logs = False  # what was begun here was for another store
