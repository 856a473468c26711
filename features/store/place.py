"""What stands where a store is to be written, and whether it may be replaced."""

from enum import Enum
from pathlib import Path

from gensr.estimator.errors import StoreError
from gensr.features.store import files, schema
from gensr.features.store.container import read_header
from gensr.features.store.open import PLAN, work_folder
from gensr.features.store.where import Where, locate


class Place(Enum):
    """What is at a store's path."""

    EMPTY = "nothing"
    UNFINISHED = "a store whose first extraction was not finished"
    TORN = "a store whose header is empty or torn, and no plan that it was made by"
    COMPLETE = "a store"


def check_target(path: Where | str) -> Where:
    """Return where a store is to be written, links resolved, if the suffix says which container.

    Raises:
        StoreError: the suffix is none of .zarr, .h5, .hdf5.
    """
    path = locate(path)
    known = (*schema.ZARR_SUFFIXES, *schema.HDF5_SUFFIXES)
    if path.suffix not in known:
        raise StoreError(f"{path}: the name of a store ends in one of {', '.join(known)}")
    return path.resolve() if isinstance(path, Path) and path.is_symlink() else path


def check_replaceable(path: Where) -> None:
    """Refuse to change a finished store at a URL: there it could not be exchanged in one step.

    Raises:
        StoreError: it is at a URL.
    """
    if not isinstance(path, Path):
        raise StoreError(
            f"{path} is finished, and at a URL a finished store is neither added to nor replaced: "
            "extract what is new elsewhere and `gensr store merge` both into a third, or remove "
            "it first"
        )


def look(path: Where) -> Place:
    """Say what is at a store's path.

    Raises:
        StoreError: something that is no store of ours, or not in the container its name says;
            it is never touched, whatever the flags.
    """
    with files.reached(path):
        if not files.exists(path):
            return Place.EMPTY
    try:
        header = read_header(path)
    except schema.TornError:
        with files.reached(path):
            planned = files.exists(work_folder(path) / PLAN)
        return Place.UNFINISHED if planned else Place.TORN
    except StoreError as error:
        raise StoreError(f"{error}. Nothing is replaced: move it, or write elsewhere") from None
    if isinstance(path, Path) and path.is_dir() != (path.suffix in schema.ZARR_SUFFIXES):
        raise StoreError(f"{path} is a store under the wrong suffix: rename it, or write elsewhere")
    return Place.COMPLETE if header.clips else Place.UNFINISHED
