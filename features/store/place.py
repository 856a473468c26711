"""What stands where a store is to be written, and whether it may be replaced."""

from enum import Enum

from gensr.features.store import files, schema
from gensr.features.store.container import is_group, read_header
from gensr.features.store.errors import StoreError
from gensr.features.store.open import PLAN, work_folder
from gensr.features.store.where import Location, Where, locate

_HEADER = "zarr.json"


class Place(Enum):
    """What is at a store's path."""

    EMPTY = "nothing"
    UNFINISHED = "a store whose first extraction was not finished"
    TORN = "a store whose header is empty or torn, and no plan that it was made by"
    COMPLETE = "a store"


def check_target(path: Location) -> Where:
    """Return where a store is to be written, links resolved, if the suffix says which container.

    Raises:
        StoreError: the suffix is none of .zarr, .h5, .hdf5, or the place is within a store.
    """
    path = locate(path)
    known = (*schema.ZARR_SUFFIXES, *schema.HDF5_SUFFIXES)
    if path.suffix not in known:
        raise StoreError(f"{path}: the name of a store ends in one of {', '.join(known)}")
    if files.disk_of(path).exchanges:
        path = files.real(path) if path.is_symlink() else path
        if around := store_around(path):
            raise StoreError(
                f"{path} would be within the store {around}, which is exchanged as a whole when it "
                "is added to or replaced: write beside it"
            )
    return path


def store_around(path: Where) -> Where | None:
    """Return the folder above a path that is a store, links resolved, or None."""
    return next(
        (
            folder
            for folder in files.real(path).parents
            if folder.suffix in schema.ZARR_SUFFIXES and (folder / _HEADER).is_file()
        ),
        None,
    )


def check_replaceable(path: Where) -> None:
    """Refuse to change a finished store at a URL: there it could not be exchanged in one step.

    Raises:
        StoreError: it is at a URL.
    """
    if not files.disk_of(path).exchanges:
        raise StoreError(
            f"{path} is finished, and at a URL a finished store is neither added to nor replaced: "
            "extract what is new elsewhere and `gensr store merge` both into a third, or remove "
            "it first"
        )


def look(path: Where) -> Place:
    """Say what is at a store's path.

    Raises:
        StoreError: something that is no store of ours, or not in the container its name says, or
            that holds what is no part of it; it is never touched, whatever the flags.
    """
    place = _look(path)
    replaced = files.disk_of(path).exchanges and files.is_folder(path)
    if replaced and (strange := _strange(path)):
        raise StoreError(
            f"{path} holds {strange}, which is no part of a store and would be lost with the old "
            "one: move it first"
        )
    return place


def _strange(folder: Where) -> str:
    """Return the first thing in a store's folder that gensr did not put there, or nothing."""
    names = sorted(files.names(folder))
    own = (schema.CLIPS, schema.FAILED, schema.VECTORS)
    system = (".", _HEADER, "Thumbs.db", "desktop.ini")  # and halves of headers: zarr.json.new
    return next((name for name in names if name not in own and not name.startswith(system)), "")


def _look(path: Where) -> Place:
    """Say what is at a store's path by its header."""
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
    if is_group(path) != (path.suffix in schema.ZARR_SUFFIXES):
        raise StoreError(f"{path} is a store under the wrong suffix: rename it, or write elsewhere")
    return Place.COMPLETE if header.clips else Place.UNFINISHED
