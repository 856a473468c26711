"""What stands where a store is to be written, and whether it may be replaced."""

from enum import Enum
from pathlib import Path

from gensr.estimator.errors import StoreError
from gensr.features.store import schema
from gensr.features.store.open import read_header


class Place(Enum):
    """What is at a store's path."""

    EMPTY = "nothing"
    UNFINISHED = "a store whose first extraction was not finished"
    COMPLETE = "a store"


def check_target(path: Path) -> Path:
    """Return where a store is to be written, links resolved, if the suffix says which container.

    Raises:
        StoreError: the suffix is none of .zarr, .h5, .hdf5.
    """
    known = (*schema.ZARR_SUFFIXES, *schema.HDF5_SUFFIXES)
    if path.suffix not in known:
        raise StoreError(f"{path}: the name of a store ends in one of {', '.join(known)}")
    return path.resolve() if path.is_symlink() else path


def look(path: Path) -> Place:
    """Say what is at a store's path.

    Raises:
        StoreError: something that is no store of ours, or not in the container its name says;
            it is never touched, whatever the flags.
    """
    if not path.exists():
        return Place.EMPTY
    try:
        header = read_header(path)
    except StoreError as error:
        raise StoreError(f"{error}. Nothing is replaced: move it, or write elsewhere") from None
    if path.is_dir() != (path.suffix in schema.ZARR_SUFFIXES):
        raise StoreError(f"{path} is a store under the wrong suffix: rename it, or write elsewhere")
    return Place.COMPLETE if header.clips else Place.UNFINISHED
