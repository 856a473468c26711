"""Find audio files under a folder: in a stable order, each real folder once."""

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.paths import name_of, suffix_of
from gensr.features.corpora.sniff import look_into

LOSSLESS: frozenset[str] = frozenset(
    {".wav", ".flac", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64", ".sph"}
    | {".nist", ".voc", ".avr", ".htk", ".iff", ".svx", ".paf", ".pvf", ".sd2", ".sf", ".ircam"}
)
LOSSY: frozenset[str] = frozenset({".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mp1"})
CONTAINERS: frozenset[str] = frozenset(
    {".mp4", ".m4a", ".m4b", ".m4v", ".mov", ".3gp", ".3g2", ".mkv", ".mka", ".webm", ".avi"}
    | {".wma", ".wmv", ".asf", ".flv", ".f4v", ".aac", ".amr", ".awb", ".ac3", ".mpg", ".mpeg"}
    | {".m2ts", ".vob", ".ogv", ".spx", ".wv", ".ape", ".tta", ".rm", ".ra", ".dss", ".silk"}
)
"""Not read by libsndfile, most of them by FFmpeg; MELD, eNTERFACE and the audio-visual RAVDESS come
in such."""

AUDIO_SUFFIXES: frozenset[str] = LOSSLESS | LOSSY | CONTAINERS
"""Suffixes taken for audio, in lower case with the dot (case is ignored in file names): such a
file is a clip, or named, whatever it holds. Others are looked into (`sniff.py`).

libsndfile's formats, but for headerless data and two suffixes that mostly are something else:
`.raw` says neither rate nor width, `.mat` is any MATLAB file, `.mpc` is Musepack.
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """Every file under a folder, by its POSIX path relative to it: texts, as there may be many."""

    root: Path
    paths: tuple[str, ...]
    """Sorted."""
    links: frozenset[str]
    """Those of them that are symbolic links."""

    def files(self) -> list[Path]:
        """Return the files, in the same order."""
        return [self.root / path for path in self.paths]


def walk(root: Path) -> Tree:
    """Find every file under a folder.

    Folders whose name begins with a dot are not entered. Links to folders are followed, after
    all real folders, and no folder is entered twice: a link that loops ends there. A link to
    nothing counts as a file, so that it is reported and not passed over.

    Args:
        root: An existing folder.

    Raises:
        CorpusError: The root is no folder, or a folder cannot be read.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder")
    paths: list[str] = []
    linked: set[str] = set()
    seen: set[tuple[int, int]] = set()
    folders, links = deque([""]), deque[str]()
    while folders or links:
        inside = folders.popleft() if folders else links.popleft()
        folder = root / inside
        try:
            status = folder.stat()
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise CorpusError(f"{folder}: cannot be read ({error.strerror})") from error
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            path = f"{inside}/{entry.name}" if inside else entry.name
            if not _is_folder(entry):
                paths.append(path)
                if entry.is_symlink():
                    linked.add(path)
            elif not is_hidden(path):
                (links if entry.is_symlink() else folders).append(path)
    return Tree(root, tuple(sorted(paths)), frozenset(linked))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def is_hidden(path: str) -> bool:
    """Say whether a name begins with a dot, as the AppleDouble twins (`._clip.wav`) of Macs do."""
    return name_of(path).startswith(".")


def is_audio(path: str) -> bool:
    """Say whether a name ends as audio files do."""
    return suffix_of(path).lower() in AUDIO_SUFFIXES


def audio_files(root: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Find the visible audio files under a folder, recognised by suffix or content; see `walk`.

    Args:
        root: An existing folder.

    Returns:
        The files, and a note on each sort of what was left out or is not what its name says.

    Raises:
        CorpusError: The root is no folder, or a folder cannot be read.
    """
    paths = walk(root).paths
    visible = [path for path in paths if not is_hidden(path)]
    others = look_into(root / path for path in visible if not is_audio(path))
    audio = {*(root / path for path in visible if is_audio(path)), *others.audio}
    found = [file for path in visible if (file := root / path) in audio]
    return found, (*hidden_audio(paths), *others.notes())


def hidden_audio(paths: Iterable[str]) -> tuple[str, ...]:
    """Return a note on hidden files with a suffix of audio, if there are any."""
    hidden = sum(is_hidden(path) and is_audio(path) for path in paths)
    return (f"{hidden} hidden audio files (names with a leading dot) left out",) * bool(hidden)


def dead_link(file: Path) -> str:
    """Say what is wrong where a file is a link to one that is not there, or nothing."""
    if not file.is_symlink() or file.exists():
        return ""
    return annexed(file) or "a link to a file that is not there"


def annexed(file: Path) -> str:
    """Say what to do where a file is git-annex's link to content that is not here, or nothing."""
    if file.is_symlink() and ".git/annex/objects/" in file.readlink().as_posix():
        return "its content is not here: fetch it with `git annex get`"
    return ""


def tables_named(root: Path, name: str) -> list[Path]:
    """Return the files of exactly this name under a folder; where none is, one beside it.

    Corpora put their tables next to the audio folder, and either may be given as the root.

    Args:
        root: The folder that is scanned.
        name: File name, such as `train_sent_emo.csv`.
    """
    inside = [root / path for path in walk(root).paths if name_of(path) == name]
    beside = root.resolve().parent / name
    return inside or ([beside] if beside.is_file() else [])
