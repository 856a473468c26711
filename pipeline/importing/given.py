"""What an import is given: vectors by name, and what is said of the utterances they are of.

Shapes: K+1 layers, x1 last, L width.
"""

import hashlib
import posixpath
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.features.audio.segments import file_of
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.files import AUDIO_SUFFIXES

Vectors = NDArray[np.float32]
IMPORTED = "imported"
"""Family of the encoder, as the store's header has it: no speech can be encoded so here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Vectors of one kind, each read when it is asked for."""

    names: tuple[str, ...]
    """What each is called: a file's relative POSIX path without `.npy`, or as a row has it."""
    read: Callable[[str], Vectors]
    """The vectors (K+1, L) of a name; a `ValueError` says in a few words why there are none."""
    layers: tuple[str, ...]
    width: int
    identity: Mapping[str, Any]
    """What tells them from vectors of another kind, beside their name."""
    clips: tuple[Clip, ...] | None = None
    """What the source itself says of them, one a name; None: nothing."""
    seconds: Mapping[str, float]
    """How long the utterance lasts, where that is known."""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def sound(found: NDArray[Any], layers: int, width: int) -> Vectors:
    """Vectors as a store takes them.

    Args:
        found: (K+1, L), or (L,) of one layer.
        layers: K+1 that there must be.
        width: L that there must be.

    Raises:
        ValueError: they are of another shape or type, or not finite.
    """
    if found.dtype.kind not in "fiu":
        raise ValueError(f"holds {found.dtype}, not numbers")
    block = found[None] if found.ndim == 1 else found
    if block.shape != (layers, width):
        raise ValueError(f"is of shape {found.shape}, others are ({layers}, {width})")
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(block, dtype=np.float32)
    if not np.isfinite(narrow).all():
        raise ValueError("holds a value that is not finite, or beyond float32")
    return narrow


def hash_of(vectors: Vectors) -> str:
    """What two utterances with the same vectors have in common."""
    return hashlib.sha256(vectors.astype("<f4").tobytes()).hexdigest()


def matched(
    names: Sequence[str], clips: Sequence[Clip]
) -> tuple[dict[str, Clip], tuple[Problem, ...]]:
    """Find the clip of each vector: by the whole path, with or without suffix, else by the name.

    `anna/a.wav` is `anna/a.wav`, `anna/a`, or, where no other clip and no other vector is called
    so, `a.wav` or `a` in any folder.

    Returns:
        The clip of each name, and a problem for each name and each clip that is left alone.
    """
    by_path, by_stem = _index(names, str), _index(names, _bare)
    by_file = _index(names, posixpath.basename)
    by_name = _index(names, lambda name: posixpath.basename(_bare(name)))
    called = _index([clip.path for clip in clips], _name)
    of: dict[str, Clip] = {}
    problems: list[Problem] = []
    for clip in clips:
        path, alone = clip.path, len(called[_name(clip.path)]) == 1
        bare = _stem(path)
        found = by_path.get(path) or by_path.get(bare) or by_stem.get(bare, [])
        if not found and alone:
            name = posixpath.basename(bare)
            named = by_file.get(posixpath.basename(path)) or by_file.get(name)
            found = named or by_name.get(name, [])
        if len(found) != 1:
            reason = f"{len(found)} have its name: {', '.join(found[:2])}" if found else "none"
            problems.append(Problem(path=path, reason=f"no vectors of it: {reason}"))
        elif other := of.get(found[0]):
            reason = f"the vectors {found[0]} are taken for those of {other.path}"
            problems.append(Problem(path=path, reason=reason))
        else:
            of[found[0]] = clip
    asked = {problem.path for problem in problems}
    problems += [
        Problem(path=name, reason="vectors of no utterance that the corpus names")
        for name in names
        if name not in of and name not in asked
    ]
    return of, tuple(problems)


def matched_parts(
    names: Sequence[str], clips: Sequence[Clip], asked: Set[str]
) -> tuple[dict[str, Clip], tuple[Problem, ...]]:
    """The same, where what is said of a whole file holds for those of its parts that have vectors.

    A file's only part goes by the file's own name, as the clip does elsewhere.

    Args:
        names: of vectors; a part of a file is `talk.wav#t=1.5,4`.
        clips: files and parts, more perhaps than there are vectors of.
        asked: paths of those whose lack of vectors is a problem.

    Returns:
        As `matched`.
    """
    of, problems = matched(names, clips)
    parts: dict[str, list[str]] = {}
    for name in names:
        if name not in of and (file := file_of(name)) != name:
            parts.setdefault(file, []).append(name)
    whole, _ = matched(tuple(parts), [clip for clip in clips if file_of(clip.path) == clip.path])
    used = {clip.path for clip in of.values()}
    for file, clip in whole.items():
        alone = len(parts[file]) == 1 and clip.path not in used
        for name in parts[file]:
            called = clip.path if alone else clip.path + name.removeprefix(file)
            of[name] = replace(clip, path=called)
        used.add(clip.path)
    lacking, strangers = asked - used, {*names} - {*of}
    return of, tuple(
        problem for problem in problems if problem.path in lacking or problem.path in strangers
    )


def _index(paths: Sequence[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(key(path), []).append(path)
    return found


def _stem(path: str) -> str:
    """A path without its file's suffix; what names a part of a file (`#t=1,2`) stays."""
    file, mark, part = path.partition("#")
    return posixpath.splitext(file)[0] + mark + part


def _bare(name: str) -> str:
    """A name of vectors without the suffix of the audio that they are of: `a.wav.npy` is a file's.

    A dot alone is no suffix: `a.1` and `a.2` are two.
    """
    file, mark, part = name.partition("#")
    stem, suffix = posixpath.splitext(file)
    return (stem if suffix.lower() in AUDIO_SUFFIXES else file) + mark + part


def _name(path: str) -> str:
    return posixpath.basename(_stem(path))
