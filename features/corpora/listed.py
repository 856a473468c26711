"""Which tables under a root are manifests, and what several say together.

A manifest is named `manifest.csv`, `.tsv` or `.jsonl`, in any case of letters; so is
`metadata.csv` (Hugging Face's audio folder), if one of its columns names files. One that lies in
the root decides alone. Others decide for their own folder, beside corpora that are known by their
names; what they do not name there is counted, never labelled otherwise.
"""

import os
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from gensr.features.audio.segments import file_of
from gensr.features.corpora.adapter import Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.columns import names_files
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import Tree, dead_link, is_audio
from gensr.features.corpora.manifest import read_manifest
from gensr.features.corpora.names import printable
from gensr.features.corpora.official import meanings, part_of
from gensr.features.corpora.paths import name_of, suffix_of
from gensr.features.corpora.tables import TABLE_SUFFIXES, read_header
from gensr.features.media.magic import HEAD, placeholder

NAMES: tuple[str, ...] = tuple(f"manifest{suffix}" for suffix in TABLE_SUFFIXES)
_METADATA = tuple(f"metadata{suffix}" for suffix in TABLE_SUFFIXES)
_NAMED = frozenset((*NAMES, *_METADATA))
_STEM = re.compile(
    r"(manifest|metadata|labels?|annotations?)"
    r"[.](json|ndjson|txt|xml|ya?ml|xlsx?|ods|parquet|feather|arrow|pkl)([.](gz|bz2|xz|zst|zip))?"
    r"|(manifest|metadata|labels?|annotations?)[.](csv|tsv|jsonl)[.](gz|bz2|xz|zst|zip)"
)
"""Names of tables in formats that are not read."""
_SHOWN = 6
_COMPARED = ("emotion", "canonical", "speaker", "gender", "split", "sentence", "dialogue")


def manifest_in(folder: Path) -> Path | None:
    """Return the manifest that lies in a folder, or None.

    Args:
        folder: An existing folder; those below it are not searched.

    Raises:
        CorpusError: There is more than one, or the folder cannot be read.
    """
    try:
        tables = sorted(
            file for file in folder.iterdir() if _is_named(file.name) and not file.is_dir()
        )
    except OSError as error:
        raise CorpusError(f"{folder}: cannot be read ({error.strerror})") from error
    for file in tables:  # what a manifest would have said is not known: nothing else decides
        if why := _unreadable(file):
            raise CorpusError(f"{file}: {why}, or move it away")
    there = [file for file in tables if file.name.lower() in NAMES or _names_files(file)]
    if len(there) > 1:
        both = " and ".join(path.name for path in there)
        raise CorpusError(f"{folder}: holds {both}; keep one, or give its path")
    return there[0] if there else None


def manifests_below(tree: Tree) -> list[Path]:
    """Return the manifests in the folders under a root, its own left out.

    Raises:
        CorpusError: A folder holds more than one.
    """
    named = {tree.root / path for path in tree.paths if _is_named(path)}
    folders = sorted({file.parent for file in named} - {tree.root})
    return [found for folder in folders if (found := manifest_in(folder)) is not None]


def likely_manifests(tree: Tree) -> tuple[str, ...]:
    """Return notes on tables that may label the files here, where no manifest was found.

    Args:
        tree: All files under the root.
    """
    naming: list[str] = []
    silent: list[str] = []
    foreign: list[str] = []
    for path in tree.paths:
        if is_audio(path):
            continue
        if suffix_of(path).lower() in TABLE_SUFFIXES:
            if _is_named(path):
                silent.append(path)
            elif _names_files(tree.root / path):
                naming.append(path)
            elif why := _unreadable(tree.root / path):
                foreign.append(f"{path} ({why})")
        elif _STEM.fullmatch(name_of(path).lower()):
            foreign.append(path)
    said = (
        (naming, ", though it names files", "give a table's path to use it"),
        (silent, ", as none of its columns names files", "name that column file"),
        (foreign, "", f"a manifest is one of {', '.join(NAMES)}"),
    )
    return tuple(f"not read{why}: {_few(names)}; {way}" for names, why, way in said if names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the manifests under a root say."""

    found: Found
    folders: tuple[str, ...]
    """Theirs, POSIX paths relative to the root: what lies there is for nobody else."""


def read_manifests(root: Path, manifests: Sequence[Path], *, allow_outside: bool) -> Listed:
    """Read manifests into clips whose paths are relative to the root.

    Args:
        root: The folder that was scanned.
        manifests: Files in it or below it.
        allow_outside: As in `read_manifest`.

    Raises:
        CorpusError: One cannot be used, or two say different things of one file.
    """
    clips: dict[str, tuple[Path, Clip]] = {}
    problems: list[Problem] = []
    notes: list[str] = []
    folders: list[str] = []
    for manifest in manifests:
        folder = manifest.parent.relative_to(root).as_posix()
        folders.append(folder)
        found = read_manifest(manifest, allow_outside=allow_outside)
        own = [replace(clip, path=_joined(folder, clip.path)) for clip in found.clips]
        if manifest.name.lower() in _METADATA:
            own, said = _split_by_folders(root, manifest, own)
            notes += said
        for clip in own:
            other, first = clips.setdefault(clip.path, (manifest, clip))
            if first is not clip and (field := _differ(first, clip)):
                raise CorpusError(
                    f"{other} and {manifest} both name {clip.path}, with {field} "
                    f"{getattr(first, field)!r} and {getattr(clip, field)!r}; keep one of the rows"
                )
        problems += [replace(p, path=_joined(folder, p.path)) for p in found.problems]
        notes += [_named(folder, note) for note in found.notes]
    return Listed(
        found=Found(
            clips=tuple(clip for _, clip in clips.values()),
            problems=tuple(problems),
            notes=tuple(notes),
        ),
        folders=tuple(folders),
    )


def unlisted(root: Path, audio: Sequence[str], found: Found, source: str) -> tuple[str, ...]:
    """Return a note on audio files that a manifest could have named and does not.

    Args:
        root: The folder that was scanned.
        audio: POSIX paths of the audio files there, relative to the root.
        found: What the manifest says.
        source: The manifest, for the note.
    """
    named = {file_of(clip.path) for clip in found.clips}
    named |= {file_of(problem.path) for problem in found.problems}
    rest = [path for path in audio if path not in named and printable(path) not in named]
    if rest and (linked := named.difference(audio)):  # by links, or from outside
        real = {os.path.realpath(root / path) for path in linked}
        rest = [path for path in rest if os.path.realpath(root / path) not in real]
    if not rest:
        return ()
    noun = "audio file is" if len(rest) == 1 else "audio files are"
    return (f"{len(rest)} {noun} not in {source}, left out: first {printable(rest[0])}",)


def _is_named(path: str) -> bool:
    return name_of(path).lower() in _NAMED


def _names_files(file: Path) -> bool:
    return file.is_file() and names_files(read_header(file, fits=names_files))


def _unreadable(file: Path) -> str:
    """Return why a table's content is not here, or nothing."""
    if reason := dead_link(file):
        return reason if ":" in reason else f"{reason}: mend it"
    if not file.is_file():  # a named pipe would be waited for
        return "not a regular file: put a table there"
    try:
        with file.open("rb") as opened:
            return placeholder(opened.read(HEAD))
    except OSError as error:
        return f"cannot be read ({error.strerror}): see to its permissions"


def _few(names: Sequence[str]) -> str:
    more = f", ... ({len(names)})" if len(names) > _SHOWN else ""
    return ", ".join(map(printable, names[:_SHOWN])) + more


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path)) if folder != "." else path


def _named(folder: str, note: str) -> str:
    return note if folder == "." else f"{folder}/{note}"


def _differ(one: Clip, other: Clip) -> str:
    """Return the first field that two rows fill differently, or nothing."""
    pairs = ((field, getattr(one, field), getattr(other, field)) for field in _COMPARED)
    return next((field for field, a, b in pairs if a and b and a != b), "")


def _split_by_folders(
    root: Path, manifest: Path, clips: Sequence[Clip]
) -> tuple[list[Clip], list[str]]:
    """Take folders for splits, as Hugging Face does, where the table has no split."""
    if any(clip.split for clip in clips):
        return list(clips), []
    folders = [PurePosixPath(clip.path).parts[-2::-1] for clip in clips]
    parts = [next(filter(None, map(part_of, names)), "") for names in folders]
    if not any(parts):
        return list(clips), []
    try:
        known = meanings(parts)
    except ValueError as error:
        raise CorpusError(f"{manifest}: {error}") from None
    split = [replace(clip, split=known[part]) for clip, part in zip(clips, parts, strict=True)]
    counts = Counter(clip.split or "no split" for clip in split)
    told = ", ".join(f"{part} {count}" for part, count in sorted(counts.items()))
    name = manifest.relative_to(root).as_posix()
    return split, [f"{name}: the split by the files' folders: {told}"]
