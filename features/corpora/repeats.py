"""The same utterance twice under one root: one file of it counts.

A corpus unpacked twice, nested in itself (as copies on Kaggle are), or kept in two formats would
count double and could stand on both sides of a split. Of files in several formats the best is
kept: lossless before lossy before video. Of files that are equal byte for byte the one that lies
highest is kept, and a note counts the others. Files of one name that differ are two recordings of
which only a person can say which is meant: refused. To use copies on purpose, list them in a
manifest.
"""

import filecmp
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gensr.features.corpora.adapter import Found
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import CONTAINERS, LOSSLESS, LOSSY
from gensr.features.corpora.paths import suffix_of


def once(root: Path, found: Found, name: str) -> Found:
    """Keep one file of each utterance.

    Args:
        root: The folder that was scanned.
        found: The clips of one corpus, as its adapter names them.
        name: The corpus.

    Raises:
        CorpusError: Two files have one utterance's name and differ, or cannot be compared.
    """
    kept: dict[tuple[object, ...], Clip] = {}
    copies: list[tuple[str, str]] = []
    formats = 0
    for clip in sorted(found.clips, key=lambda clip: (_rank(clip.path), *_height(clip.path))):
        first = kept.setdefault(_utterance(clip), clip)
        if first is clip:
            continue
        if _suffix(first.path) != _suffix(clip.path):
            formats += 1
        elif _equal(root, first.path, clip.path):
            copies.append((clip.path, first.path))
        else:
            raise CorpusError(
                f"{root}: {first.path} and {clip.path} have the name of one utterance of {name} "
                "and differ; keep one of them, or list the files that you mean in a manifest.csv"
            )
    notes = list(found.notes)
    if formats:
        notes.append(f"{name}: {formats} files left out that are here in another format too")
    if copies:
        notes.append(_copies_note(name, copies))
    return replace(found, clips=tuple(kept.values()), notes=tuple(notes))


def without_nested(root: Path, paths: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Leave out what a folder holds that is the tree around it once more: `copy/angry/a.wav`.

    Args:
        root: The folder that was scanned.
        paths: POSIX paths of files that no adapter knows.

    Returns:
        The paths that are kept, and a note on the others.

    Raises:
        CorpusError: Two files cannot be compared.
    """
    there = set(paths)
    copies: list[tuple[str, str]] = []
    for path in paths:
        parts = path.split("/")
        for cut in range(1, len(parts) - 1):  # a folder, at least, must be the same
            outer = "/".join(parts[cut:])
            if outer in there and _equal(root, outer, path):
                copies.append((path, outer))
                break
    gone = {path for path, _ in copies}
    note = (_copies_note(root.resolve().name, copies),) if copies else ()
    return [path for path in paths if path not in gone], note


def _copies_note(name: str, copies: Sequence[tuple[str, str]]) -> str:
    """Say how many files are copies, and where most of them lie."""
    tops = Counter(PurePosixPath(copy).parts[0] for copy, _ in copies)
    (where, _), *others = tops.most_common()
    first, original = copies[0]
    noun = "file is a copy" if len(copies) == 1 else "files are copies"
    folders = f"under {where}" + (f" and {len(others)} other folders" if others else "")
    return (
        f"{name}: {len(copies)} {noun}, byte for byte, of others here, and left out: {folders}, "
        f"first {first}, of {original}"
    )


def _equal(root: Path, one: str, other: str) -> bool:
    try:
        return filecmp.cmp(root / one, root / other, shallow=False)
    except OSError as error:
        raise CorpusError(
            f"{root}: {one} and {other} have one name and cannot be compared ({error.strerror}); "
            "keep one of them"
        ) from error


def _height(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _utterance(clip: Clip) -> tuple[object, ...]:
    """Return what tells one recording from another: everything but how the file is stored."""
    extra = tuple(sorted(item for item in clip.extra.items() if item[0] != "modality"))
    return clip.corpus, clip.speaker, clip.sentence, clip.dialogue, clip.emotion, clip.split, extra


def _suffix(path: str) -> str:
    return suffix_of(path).lower()


def _rank(path: str) -> int:
    kinds = enumerate((LOSSLESS, LOSSY, CONTAINERS))
    return next((rank for rank, kind in kinds if _suffix(path) in kind), 3)
