"""One store as the other container, without loss; or as the same one, in today's format."""

from gensr.features.store.open import open_store
from gensr.features.store.rewrite import rewrite
from gensr.features.store.transfer import Advance, ignore
from gensr.features.store.where import Location, locate


def convert(
    source: Location,
    target: Location,
    *,
    overwrite: bool = False,
    advance: Advance = ignore,
) -> None:
    """Write the store `source` as `target`: Zarr or HDF5, by the suffix.

    The target appears whole or not at all; memory holds one shard.

    Raises:
        StoreError: the target exists, either cannot be read or written, or the source is damaged
            or was exchanged meanwhile.
    """
    place = locate(source)
    rewrite([place], lambda: open_store(place), target, overwrite=overwrite, advance=advance)
