"""From a folder, or a manifest, to labelled clips: which reader gets which file.

The order of decision, from the most explicit to the least:

1. A manifest, given itself or lying in the root, decides alone.
2. Otherwise each file goes to the one adapter that knows its name; several corpora may lie under
   one root. A file no adapter knows is then a `Problem`: it would be labelled by guess.
3. Where no adapter knows any file, the folders under the root are the classes.

The same utterance twice under one root (a corpus unpacked twice, or kept in two formats) would
count double and could stand on both sides of a split: one file is kept, lossless before lossy
before video. To use such copies on purpose, list them in a manifest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gensr.estimator.errors import CorpusError
from gensr.features.corpora import cremad, emodb, meld, ravdess, savee, tess
from gensr.features.corpora.adapter import Adapter, Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.files import (
    CONTAINERS,
    LOSSLESS,
    LOSSY,
    dead_link,
    is_audio,
    is_hidden,
    walk,
)
from gensr.features.corpora.folders import read_folders
from gensr.features.corpora.manifest import NAMES, manifest_in, read_manifest
from gensr.features.corpora.sniff import Others, look_into
from gensr.features.corpora.tables import TABLE_SUFFIXES

ADAPTERS: tuple[Adapter, ...] = (
    emodb.ADAPTER,
    ravdess.ADAPTER,
    tess.ADAPTER,
    savee.ADAPTER,
    cremad.ADAPTER,
    meld.ADAPTER,
)
"""No name is known to two of them (a test holds this), so their order means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What lies under a root: every audio file is a clip, a problem, or counted in a note."""

    root: Path
    """The folder that all paths are relative to: a manifest's own, where one was given."""
    clips: tuple[Clip, ...]
    """Sorted by path, each path once."""
    problems: tuple[Problem, ...]
    """Sorted by path: files that cannot be labelled, rows without a file, repetitions."""
    notes: tuple[str, ...]
    """One line each, worth showing."""


def scan(root: Path, *, allow_outside: bool = False) -> Scan:
    """Find the clips under a folder, or in a manifest, and what their corpus says of them.

    Args:
        root: A folder, or a manifest (`.csv`, `.tsv`, `.jsonl`).
        allow_outside: Whether a manifest may name files outside its folder.

    Raises:
        CorpusError: There is nothing to use, a table is broken, or a manifest reaches outside.
    """
    if root.is_file():
        if root.suffix.lower() not in TABLE_SUFFIXES:
            raise CorpusError(
                f"{root}: is a file; give the folder it is in, or a manifest"
                f" ({', '.join(TABLE_SUFFIXES)})"
            )
        return _scan(root.parent, read_manifest(root, allow_outside=allow_outside), root)
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder or manifest")
    manifest = manifest_in(root)
    if manifest is not None:
        return _scan(root, read_manifest(manifest, allow_outside=allow_outside), manifest)
    files = walk(root)
    audio = [file for file in files if is_audio(file)]
    others = _others(files)
    seen = [file for file in files if not is_hidden(file) and is_audio(file)]
    visible = [file.relative_to(root).as_posix() for file in sorted({*seen, *others.audio})]
    renamed = others.notes(seen)
    if not visible:
        raise CorpusError(
            f"{root}: holds no audio file; expected a corpus's own files, a folder for each"
            f" class, or one of {', '.join(NAMES)}" + "".join(f"; {note}" for note in renamed)
        )
    reasons = {path: _unusable(root / path) for path in visible}
    found = _read(root, [path for path, reason in reasons.items() if not reason])
    broken = [Problem(path=_shown(path), reason=why) for path, why in reasons.items() if why]
    hidden = len(audio) - len(seen)
    notes = (f"{hidden} hidden audio files (names with a leading dot) left out",) if hidden else ()
    rest = Found(clips=(), problems=tuple(broken), notes=notes + renamed)
    return _scan(root, _joined(found, rest), root)


def _others(files: Sequence[Path]) -> Others:
    """Look into the files that a suffix does not tell."""
    return look_into(
        file
        for file in files
        if not is_audio(file) and not is_hidden(file) and file.suffix.lower() not in TABLE_SUFFIXES
    )


def _scan(root: Path, found: Found, source: Path) -> Scan:
    """Put what was found in order."""
    problems = sorted(found.problems, key=lambda problem: (problem.path, problem.reason))
    if not found.clips:
        first = f"; the first, {problems[0].path}: {problems[0].reason}" if problems else ""
        raise CorpusError(f"{source}: no file can be used{first}")
    clips = sorted(found.clips, key=lambda clip: clip.path)
    foreign = sorted({clip.emotion for clip in clips if clip.emotion and not clip.canonical})
    shown = ", ".join(foreign[:12]) + (", ..." if len(foreign) > 12 else "")
    notes = (f"labels that other corpora do not share: {shown}",) if foreign else ()
    return Scan(
        root=root,
        clips=tuple(clips),
        problems=tuple(problems),
        notes=(*found.notes, *notes),
    )


def _read(root: Path, paths: Sequence[str]) -> Found:
    """Offer each file to the adapters; where none knows any, the folders are the classes."""
    name = root.resolve().name
    known: dict[str, list[Clip | Problem]] = {adapter.name: [] for adapter in ADAPTERS}
    strangers: list[str] = []
    for path in paths:
        for adapter in ADAPTERS:
            item = adapter.read(path, name)
            if item is not None:
                known[adapter.name].append(item)
                break
        else:
            strangers.append(path)
    corpora = [adapter for adapter in ADAPTERS if known[adapter.name]]
    if not corpora:
        return read_folders(strangers, root)
    result = Found(clips=())
    for adapter in corpora:
        items = known[adapter.name]
        own = Found(
            clips=tuple(item for item in items if isinstance(item, Clip)),
            problems=tuple(item for item in items if isinstance(item, Problem)),
        )
        result = _joined(result, _counted(adapter, _once(adapter.finish(root, own), adapter.name)))
    names = ", ".join(adapter.name for adapter in corpora)
    reason = f"no adapter knows this name (others here are {names}); list it in a manifest"
    unknown = tuple(Problem(path=path, reason=reason) for path in strangers)
    return _joined(result, Found(clips=(), problems=unknown))


def _once(found: Found, name: str) -> Found:
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


def _counted(adapter: Adapter, found: Found) -> Found:
    """Note how much of the corpus is there."""
    if not adapter.official or len(found.clips) == adapter.official:
        return found
    note = f"{adapter.name}: {len(found.clips)} of the corpus's {adapter.official} clips"
    return _joined(found, Found(clips=(), notes=(note,)))


def _joined(one: Found, other: Found) -> Found:
    return Found(
        clips=one.clips + other.clips,
        problems=one.problems + other.problems,
        notes=one.notes + other.notes,
    )


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _rank(path: str) -> int:
    kinds = enumerate((LOSSLESS, LOSSY, CONTAINERS))
    return next((i for i, kind in kinds if _suffix(path) in kind), 3)


def _unusable(file: Path) -> str:
    """Return why a file cannot be a clip whatever its name means, or nothing."""
    if reason := dead_link(file):
        return reason
    if _shown(str(file)) != str(file):
        return "a name that is not UTF-8; rename the file"
    return ""


def _shown(path: str) -> str:
    """Return a path that can be printed and stored: bytes that are no UTF-8 as escapes."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
