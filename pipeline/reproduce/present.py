"""Which of the paper's corpora lie under a folder, and why the others do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gensr.estimator.errors import GensrError
from gensr.features.corpora import scan
from gensr.features.corpora.names import printable
from gensr.pipeline.reproduce import obtain
from gensr.pipeline.reproduce.errors import ReproduceError
from gensr.pipeline.reproduce.paper import CORPORA


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What there is of the paper's corpora."""

    folders: Mapping[str, Path]
    """Corpus to the folder to extract."""
    missing: Mapping[str, str]
    """Corpus to why it is missing, a few words."""


def look(root: Path) -> Present:
    """Scan every folder under `root`, or `root` itself where that is a corpus.

    A corpus is known by its official file names, or by a manifest that names it so.

    Raises:
        ReproduceError: there is no such folder, or two hold one corpus.
    """
    if not root.is_dir():
        raise ReproduceError(f"{root}: no such folder; --corpora takes the one that holds corpora")
    folders: dict[str, Path] = {}
    silent: dict[str, str] = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        try:
            found = {clip.corpus for clip in scan(folder, allow_outside=True).clips}
        except GensrError as error:
            silent[folder.name] = str(error)
            continue
        for name in found & {*CORPORA}:
            if name in folders:
                raise ReproduceError(
                    f"{folders[name]} and {folder} both hold {name}: keep one of them there"
                )
            folders[name] = folder
    if not folders:
        _itself(root, folders)
    missing = {name: _why(name, silent) for name in CORPORA if name not in folders}
    return Present(folders=folders, missing=missing)


def _itself(root: Path, folders: dict[str, Path]) -> None:
    try:
        found = {clip.corpus for clip in scan(root, allow_outside=True).clips}
    except GensrError:
        return
    folders.update(dict.fromkeys(found & {*CORPORA}, root))


def _why(name: str, silent: Mapping[str, str]) -> str:
    """In a few words; a folder of that name that holds no audio is named."""
    called = obtain.CORPORA[name].name.split(",")[0]
    for folder in silent:
        if folder.lower().replace("-", "").replace("_", "") == name:
            return f"{called} audio missing (the folder {printable(folder)} holds none)"
    return f"{called} audio missing"
