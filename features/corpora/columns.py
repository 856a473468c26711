"""What the columns of a manifest mean, whatever their corpus calls them."""

from collections.abc import Mapping
from pathlib import Path

from gensr.estimator.errors import CorpusError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "file": ("path", "filename", "file_name", "filepath", "file_path", "audio", "wav"),
    "speaker": ("speaker_id", "spk", "actor"),
    "gender": ("sex",),
    "emotion": ("label", "class"),
    "canonical": (),
    "split": ("subset", "partition"),
    "sentence": ("sentence_id",),
    "dialogue": ("dialog", "dialogue_id", "dialog_id"),
    "corpus": ("dataset", "database"),
}
"""Column by what it means, and other names for it; case does not matter."""

_FIELDS = {alias: field for field, names in ALIASES.items() for alias in (field, *names)}


def columns_of(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the manifest's column for each field it has; the rest are extra.

    Args:
        path: The manifest, for the message.
        names: Its columns.

    Raises:
        CorpusError: Two columns mean the same, or one that is needed is missing.
    """
    columns: dict[str, str] = {}
    for name in names:
        field = _FIELDS.get(name.lower())
        if field is None:
            continue
        if field in columns:
            raise CorpusError(
                f"{path}, line 1: columns {columns[field]!r} and {name!r} both mean the {field};"
                " keep one, or rename the other"
            )
        columns[field] = name
    for field in ("file", "emotion"):
        if field not in columns:
            found = ", ".join(names) or "none"
            accepted = " or ".join((field, *ALIASES[field][:2]))
            raise CorpusError(
                f"{path}, line 1: no column for the {field}; name one {accepted} (found: {found})"
            )
    return columns
