"""What `predict` is given: files, parts of files, folders, manifests and samples, as clips to hear.

A folder means every audio file under it, whatever manifest lies there: a manifest is meant by its
own path. What a manifest says of labels is of no interest here.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

from gensr.features.audio.errors import AudioError
from gensr.features.audio.segments import name_of, take_apart
from gensr.features.corpora import Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import audio_files
from gensr.features.corpora.manifest import read_manifest
from gensr.features.corpora.names import printable
from gensr.features.corpora.tables import TABLE_SUFFIXES
from gensr.features.hearing.arrays import write_array
from gensr.features.store.where import Location, each, local

Samples: TypeAlias = tuple[Any, int]
"""((n,) or (n, channels) array, rate in Hz)."""
Sound: TypeAlias = Location | Samples
"""One thing to hear, or a folder of them."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Clips to answer, and what has no clip."""

    clips: tuple[Path, ...]
    """Files, and names of parts of files; each once, in the order given."""
    lengths: Mapping[Path, tuple[float, float]]
    """`Clip.length` of those that have one."""
    problems: tuple[Problem, ...]
    """Rows of manifests that cannot be used."""
    notes: tuple[str, ...]
    """One line each, worth showing."""
    arrays: Mapping[Path, str]
    """What the files are called that hold a caller's samples."""

    def name(self, path: Path) -> str:
        """What a clip is called in the answers."""
        return self.arrays.get(path) or printable(str(path))


def inputs_of(given: Sound | Iterable[Sound], *, allow_outside: bool, room: Path) -> Inputs:
    """Find the clips that are meant.

    Args:
        given: files, names of parts (`talk.wav#t=1.5,4`), folders, manifests, (samples, rate);
            one or several.
        allow_outside: whether a manifest may name files outside its folder.
        room: an empty folder, for samples.

    Raises:
        CorpusError: one does not exist, is a broken manifest, or there is no audio.
    """
    clips: list[Path] = []
    lengths: dict[Path, tuple[float, float]] = {}
    problems: list[Problem] = []
    notes: list[str] = []
    arrays: dict[Path, str] = {}
    for one in (given,) if _is_samples(given) else each(given):
        if _is_samples(one):
            name = f"array {len(arrays)}"
            clips.append(room / f"{len(arrays)}.wav")
            arrays[clips[-1]] = name
            try:
                write_array(clips[-1], *one)
            except AudioError as error:
                raise CorpusError(f"{name}: {error}") from error
            continue
        path = local(one)
        if path.is_dir():
            found, told = audio_files(path)
            if not found:
                raise CorpusError("; ".join((f"{printable(str(path))} holds no audio file", *told)))
            clips += found
            notes += (f"{printable(str(path))}: {note}" for note in told)
        elif path.suffix.lower() in TABLE_SUFFIXES and path.is_file():
            read = read_manifest(path, allow_outside=allow_outside, labelled=False)
            for clip in read.clips:
                clips.append(path.parent / clip.path)
                if clip.length is not None:
                    lengths[clips[-1]] = clip.length
            problems += [
                Problem(path=printable(str(path.parent / problem.path)), reason=problem.reason)
                for problem in read.problems
            ]
            notes += read.notes
        else:
            clips.append(path if os.path.lexists(path) else _part(path))
    once = tuple(dict.fromkeys(clips))
    return Inputs(once, lengths, tuple(problems), tuple(dict.fromkeys(notes)), arrays)


def _is_samples(given: object) -> TypeGuard[Samples]:
    """Whether this is (samples, rate), and not two places."""
    return isinstance(given, tuple) and len(given) == 2 and hasattr(given[0], "__array__")


def _part(path: Path) -> Path:
    """Return the one name of a part of a file.

    Raises:
        CorpusError: there is no such file, or no file has such a part.
    """
    try:
        file, segment = take_apart(str(path))
    except AudioError as error:
        raise CorpusError(f"{printable(str(path))} {error}") from error
    if segment is not None and os.path.lexists(file):
        return Path(name_of(file, segment))
    if Path(file).exists():  # the whole of it, by another name
        return Path(file)
    before = str(path).rpartition("#")[0]
    hint = ""
    if segment is None and before and Path(before).exists():
        hint = f"; a part of {printable(before)} is named as #t=1.5,4 (seconds) or #channel=0"
    raise CorpusError(f"{printable(str(path))} does not exist{hint}")
