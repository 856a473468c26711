"""What the columns of a manifest mean, whatever their corpus calls them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.official import TRAIN, part_of
from gensr.features.corpora.tables import Row

ALIASES: Mapping[str, tuple[str, ...]] = {
    "file": (
        *("path", "filename", "filepath", "audio", "audio path", "audio file", "audio filepath"),
        *("wav", "wav path", "wav file"),
    ),
    "speaker": (
        *("speaker id", "spk", "spk id", "spkr", "spkr id", "actor", "actor id", "subject id"),
        *("participant id", "speaker name"),
    ),
    "gender": ("sex", "speaker gender"),
    "emotion": (
        *("label", "class", "emotion label", "emotion class", "emotion name", "emo", "emo class"),
        *("emo label", "emotions", "labels", "class label", "class name"),
    ),
    "canonical": (),
    "split": ("subset", "partition", "split set", "data split"),
    "sentence": ("sentence id",),
    "dialogue": ("dialog", "dialogue id", "dialog id"),
    "corpus": ("dataset", "database"),
}
"""Column by what it means, and other names for it; case, space, `_` and `-` do not matter."""


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


_FIELDS = {_plain(alias): field for field, names in ALIASES.items() for alias in (field, *names)}


def field_of(name: str) -> str | None:
    """Return what a column of that name means, or None: it is one of the corpus's own."""
    return _FIELDS.get(_plain(name))


def names_files(columns: Sequence[str]) -> bool:
    """Say whether a header is a manifest's: one of its columns names files.

    >>> names_files(["File Name", "label"]), names_files(["ActorID", "Sex"])
    (True, False)
    """
    return any(field_of(name) == "file" for name in columns)


def columns_of(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the manifest's column for each field it has; the rest are extra.

    Args:
        path: The manifest, for the message.
        names: Its columns.

    Raises:
        CorpusError: Two columns mean the same, or none names files.
    """
    columns: dict[str, str] = {}
    for name in names:
        field = field_of(name)
        if field is None:
            continue
        if field in columns:
            raise CorpusError(
                f"{path}, line 1: columns {columns[field]!r} and {name!r} both mean the {field};"
                " keep one, or rename the other"
            )
        columns[field] = name
    if "file" not in columns:
        found = ", ".join(names) or "none"
        raise CorpusError(
            f"{path}, line 1: no column for the file; name one file or path or filename "
            f"(found: {found})"
        )
    return columns


def with_split(
    path: Path, columns: Mapping[str, str], names: Sequence[str], rows: Sequence[Row]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Add the column that tells the split by its cells, where none does by its name.

    Such are `set`, `usage`, `phase`: every cell that has a value is a split's word, `train` among
    others. A `dataset` of that kind is no corpus.

    Args:
        path: The manifest, for messages.
        columns: As `columns_of` gives them.
        names: All columns.
        rows: All rows.

    Returns:
        The columns, and a note where one was added.

    Raises:
        CorpusError: Two columns read like the split.
    """
    if "split" in columns:
        return dict(columns), ()
    taken = {name for field, name in columns.items() if field != "corpus"}
    found = [name for name in names if name and name not in taken and _tells_splits(name, rows)]
    if len(found) > 1:
        raise CorpusError(
            f"{path}, line 1: columns {found[0]!r} and {found[1]!r} both read like the split; "
            "name one of them split"
        )
    if not found:
        return dict(columns), ()
    kept = {field: name for field, name in columns.items() if name != found[0]}
    return kept | {"split": found[0]}, (f"{path.name}: {found[0]!r} is taken for the split",)


def _tells_splits(name: str, rows: Sequence[Row]) -> bool:
    parts: set[str] = set()
    for cell in {row.cells[name] for row in rows} - {""}:
        if not (part := part_of(cell)):
            return False
        parts.add(part)
    return len(parts) > 1 and TRAIN in parts
