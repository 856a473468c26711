"""File names: which can be a clip's, and how any can be shown."""

from pathlib import Path


def unusable(file: Path) -> str:
    """Return why a file cannot be a clip whatever its name means, or nothing."""
    if file.is_symlink() and not file.exists():
        return "a link to a file that is not there"
    if shown(str(file)) != str(file):
        return "a name that is not UTF-8; rename the file"
    return ""


def shown(path: str) -> str:
    """Return a path that can be printed and stored: bytes that are no UTF-8 as escapes."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
