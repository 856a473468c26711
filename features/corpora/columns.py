"""What the columns of a manifest mean, whatever their corpus calls them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from gensr.estimator.errors import CorpusError

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


def names_files(columns: Sequence[str]) -> bool:
    """Say whether a header is a manifest's: one of its columns names files.

    >>> names_files(["File Name", "label"]), names_files(["ActorID", "Sex"])
    (True, False)
    """
    return any(_FIELDS.get(_plain(name)) == "file" for name in columns)


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
        field = _FIELDS.get(_plain(name))
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
