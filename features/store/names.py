r"""What a column of a corpus's own may be called: what every layer below keeps as it is.

A column is a folder of a file system, a part of an object's name, a group of Zarr, a link of
HDF5. Each of them gives some characters a meaning of its own: Zarr takes a backslash for a slash,
so a column `a\b` would be written as `b` within `a`, and found by nobody. What may stand in a
name is therefore said here by a positive rule, and a name beyond it is refused before a file is
read. Two names are one where a file system ignores case or tells no Unicode forms apart.
"""

import string
import unicodedata
from collections.abc import Iterable

from gensr.estimator.errors import StoreError
from gensr.features.store.schema import COLUMN_DTYPES

MARKS = "!#$%&'()+,-.;=@[]^_`{}~"
"""What may stand in a name beside letters, digits and spaces; of other scripts, all that can be
seen. Not these, of which each has a meaning to some file system, or to Zarr: / \\ < > : " | ? *"""
MOST_BYTES = 200
"""UTF-8, in either Unicode form: file systems take 255, encrypted ones fewer."""

_KEPT = frozenset(string.ascii_letters + string.digits + " " + MARKS)
_TAKEN = frozenset({"c", "zarr.json"})
"""What Zarr calls files and folders of its own."""


def check_names(names: Iterable[str], kept: Iterable[str] = ()) -> None:
    """Refuse columns that could not be arrays of those names beside each other and the store's.

    Args:
        names: a corpus's own columns.
        kept: columns of the store that is added to, or merged; those are there already.

    Raises:
        StoreError: a name is taken, or another of them but for its case or Unicode form; it is
            empty or too long; or it holds what not every layer below keeps.
    """
    own, held = [], frozenset(kept)
    for name in names:
        if name in COLUMN_DTYPES:
            raise StoreError(
                f"the column {name!r} has the name of one of the store's own: rename it"
            )
        if name in held:
            continue
        wrong = _wrong(name)
        if wrong:
            raise StoreError(f"the column {name!r} cannot be the name of an array: {wrong}")
        own.append(name)
    check_apart(own, (*COLUMN_DTYPES, *held))
    first: dict[str, str] = {}
    for name in own:
        check_apart([name], [first.setdefault(_folded(name), name)])


def check_apart(names: Iterable[str], others: Iterable[str]) -> None:
    """Refuse columns that are others but for case or Unicode form: some disks keep one of them.

    Raises:
        StoreError: naming both.
    """
    there = {_folded(other): other for other in others}
    for name in names:
        other = there.get(_folded(name), name)
        if other != name:
            raise StoreError(
                f"the columns {other!r} and {name!r} would be one where case, or how an accent is "
                "written, does not count: rename one"
            )


def _wrong(name: str) -> str:
    """Return what is wrong with a name, and what to do; nothing where it is kept everywhere."""
    strange = [mark for mark in name if not _is_kept(mark)]
    if strange:
        return f"{strange[0]!r} is not kept by every container and file system; rename it"
    if not name.strip():
        return "it is empty; name it"
    if name != name.strip() or name.startswith((".", "__")):
        return "it begins with a space, a dot or two underscores, or ends with a space; rename it"
    if name.lower() in _TAKEN:
        return "Zarr has a file of that name; rename it"
    forms = (unicodedata.normalize(form, name).encode() for form in ("NFC", "NFD"))
    if max(map(len, forms)) > MOST_BYTES:
        return f"it takes more than {MOST_BYTES} bytes; shorten it"
    return ""


def _is_kept(mark: str) -> bool:
    return mark in _KEPT if mark.isascii() else mark.isprintable()


def _folded(name: str) -> str:
    """Return what file systems may go by: without case, accents in one form, no dots at the end."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    return unicodedata.normalize("NFC", plain).rstrip(".")
