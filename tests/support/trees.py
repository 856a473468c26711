"""What lies on the disk, to be compared byte for byte."""

from pathlib import Path


def tree(path: Path) -> dict[str, bytes]:
    """Every byte of a folder's files, by name from there; of a file, under no name."""
    if path.is_file():
        return {"": path.read_bytes()}
    files = (file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}
