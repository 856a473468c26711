"""Writing a whole store at once, from what is stored already: converting and merging.

The target appears whole or not at all, held against other writers meanwhile; what stood in its
place stands until then.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.journal import Journal
from gensr.features.store.place import Place, check_target, look
from gensr.features.store.publish import publish
from gensr.features.store.transfer import Advance, Source, write_hdf5, write_zarr


def rewrite(
    sources: Iterable[Path],
    opened: Callable[[], AbstractContextManager[Source]],
    target: Path,
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
    if target.resolve() in {source.resolve() for source in sources}:
        raise StoreError(f"{target}: source and target are the same store")
    with files.store_errors(target), opened() as source, Journal(target).locked() as journal:
        if journal.plan() is not None:
            raise StoreError(f"{target} is being extracted: finish that first, or write elsewhere")
        if look(target) is not Place.EMPTY and not overwrite:
            raise StoreError(f"{target} exists: pass --overwrite to replace it")
        journal.forget()
        if target.suffix in schema.HDF5_SUFFIXES:
            aside = journal.folder / "store.h5"
            write_hdf5(source, aside, advance)
            aside.replace(target)
            files.sync(target.parent)
        else:
            write_zarr(source, journal.staged, advance)
            publish(journal)
