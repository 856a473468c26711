"""The same utterance twice under one root: one file of it counts.

A corpus unpacked twice, or kept in two formats, would count double and could stand on both sides
of a split. To use such copies on purpose, list them in a manifest.
"""

from pathlib import PurePosixPath

from gensr.features.corpora.adapter import Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.files import CONTAINERS, LOSSLESS, LOSSY


def once(found: Found, name: str) -> Found:
    """Keep one file of each utterance, lossless before lossy before video."""
    kept: dict[tuple[object, ...], Clip] = {}
    problems: list[Problem] = []
    formats = 0
    for clip in sorted(found.clips, key=lambda clip: (_rank(clip.path), clip.path)):
        first = kept.setdefault(_utterance(clip), clip)
        if first is clip:
            continue
        if _suffix(first.path) == _suffix(clip.path):
            problems.append(Problem(path=clip.path, reason=f"repeats {first.path}, which is kept"))
        else:
            formats += 1
    note = f"{name}: {formats} files left out that are here in another format too"
    return Found(
        clips=tuple(kept.values()),
        problems=(*found.problems, *problems),
        notes=(*found.notes, note) if formats else found.notes,
    )


def _utterance(clip: Clip) -> tuple[object, ...]:
    """Return what tells one recording from another: everything but how the file is stored."""
    extra = tuple(sorted(item for item in clip.extra.items() if item[0] != "modality"))
    return clip.corpus, clip.speaker, clip.sentence, clip.dialogue, clip.emotion, clip.split, extra


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _rank(path: str) -> int:
    return next(i for i, kind in enumerate((LOSSLESS, LOSSY, CONTAINERS)) if _suffix(path) in kind)
