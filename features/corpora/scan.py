"""From a folder, or a manifest, to labelled clips: which reader gets which file.

The order of decision, from the most explicit to the least:

1. A manifest, given itself or lying in the root, decides alone (`listed.py`).
2. A manifest in a folder below decides for that folder.
3. Otherwise each file goes to the one adapter that knows its name; several corpora may lie under
   one root. A file no adapter knows is then a `Problem`: it would be labelled by guess.
4. Where neither knows any file, the folders tell the classes (`folders.py`).

One file of an utterance counts (`repeats.py`), and one spelling of a label (`spelling.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gensr.features.audio.segments import file_of
from gensr.features.corpora.adapter import Adapter, Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import Tree, hidden_audio, is_audio, is_hidden, walk
from gensr.features.corpora.folders import read_folders
from gensr.features.corpora.listed import (
    NAMES,
    Listed,
    likely_manifests,
    manifest_in,
    manifests_below,
    read_manifests,
    unlisted,
)
from gensr.features.corpora.names import printable, unusable
from gensr.features.corpora.paths import suffix_of
from gensr.features.corpora.registry import CORPORA
from gensr.features.corpora.repeats import once, without_nested
from gensr.features.corpora.sniff import Others, look_into
from gensr.features.corpora.spelling import joined
from gensr.features.corpora.tables import TABLE_SUFFIXES


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What lies under a root: every audio file is a clip, a problem, or counted in a note."""

    root: Path
    """The folder that all paths are relative to: a manifest's own, where one was given."""
    clips: tuple[Clip, ...]
    """Sorted by path, each path once."""
    problems: tuple[Problem, ...]
    """Sorted by path: files that cannot be labelled, rows without a file."""
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
        listed = read_manifests(root.parent, [root], allow_outside=allow_outside)
        return _scan(root.parent, listed.found, root)
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder or manifest")
    manifest = manifest_in(root)
    if manifest is not None:
        return _by_manifest(root, manifest, allow_outside)
    tree = walk(root)
    visible, unknown = _visible(tree)
    renamed = unknown.notes()
    if not visible:
        raise CorpusError(
            f"{root}: holds no audio file; expected a corpus's own files, a folder for each"
            f" class, or one of {', '.join(NAMES)}" + "".join(f"; {note}" for note in renamed)
        )
    listed = read_manifests(root, manifests_below(tree), allow_outside=allow_outside)
    mine, others = _parted(visible, listed)
    reasons = {path: unusable(tree, path) for path in others}
    usable = [path for path, reason in reasons.items() if not reason]
    alone = not listed.folders
    likely = likely_manifests(tree) if alone else ()
    try:
        found = _read(root, usable, alone=alone) if usable else Found(clips=())
    except CorpusError as error:
        raise CorpusError("; ".join((str(error), *likely))) from error
    broken = [Problem(path=printable(path), reason=why) for path, why in reasons.items() if why]
    notes = (
        *hidden_audio(tree.paths),
        *unlisted(root, mine, listed.found, "the manifest of their folder"),
        *(() if _known(found) else likely),
        *renamed,
    )
    rest = Found(clips=(), problems=tuple(broken), notes=notes)
    return _scan(root, _joined(listed.found, _joined(found, rest)), root)


def _known(found: Found) -> bool:
    return any(corpus in CORPORA for corpus in {clip.corpus for clip in found.clips})


def _by_manifest(root: Path, manifest: Path, allow_outside: bool) -> Scan:
    """Read the manifest in the root, and say what lies there beside."""
    found = read_manifests(root, [manifest], allow_outside=allow_outside).found
    try:
        tree = walk(root)
    except CorpusError as error:  # what is not named need not be readable
        return _scan(root, _joined(found, Found(clips=(), notes=(str(error),))), manifest)
    paths, _ = _visible(tree)
    others = ", ".join(m.relative_to(root).as_posix() for m in manifests_below(tree))
    notes = unlisted(root, paths, found, manifest.name)
    if others:
        notes += (f"{manifest.name} decides alone; not read: {others}",)
    return _scan(root, _joined(found, Found(clips=(), notes=notes)), manifest)


def _parted(paths: Sequence[str], listed: Listed) -> tuple[list[str], list[str]]:
    """Part files into those in a manifest's folder and the others."""
    named = {file_of(clip.path) for clip in listed.found.clips}
    folders = tuple(f"{folder}/" for folder in listed.folders)
    mine = [path for path in paths if path.startswith(folders)]
    return mine, [path for path in paths if not path.startswith(folders) and path not in named]


def _by_parts(path: str) -> str:
    """Return what sorts as a path's parts do one after the other: no name holds a NUL."""
    return path.replace("/", "\0")


def _visible(tree: Tree) -> tuple[list[str], Others]:
    """Return the audio files, hidden ones left out, and what those are that no suffix tells."""
    audio: list[str] = []
    rest: list[Path] = []
    for path in tree.paths:
        if is_hidden(path):
            continue
        if is_audio(path):
            audio.append(path)
        elif suffix_of(path).lower() not in TABLE_SUFFIXES:
            rest.append(tree.root / path)
    others = look_into(rest)
    audio += [file.relative_to(tree.root).as_posix() for file in others.audio]
    return sorted(audio, key=_by_parts), others


def _scan(root: Path, found: Found, source: Path) -> Scan:
    """Put what was found in order."""
    problems = sorted(found.problems, key=lambda problem: (problem.path, problem.reason))
    if not found.clips:
        first = f"; the first, {problems[0].path}: {problems[0].reason}" if problems else ""
        told = "".join(f"; {note}" for note in found.notes)
        raise CorpusError(f"{source}: no file can be used{first}{told}")
    clips, spelt = joined(sorted(found.clips, key=lambda clip: clip.path))
    foreign = sorted({clip.emotion for clip in clips if clip.emotion and not clip.canonical})
    listed = ", ".join(foreign[:12]) + (", ..." if len(foreign) > 12 else "")
    notes = (f"labels that other corpora do not share: {listed}",) if foreign else ()
    return Scan(
        root=root,
        clips=clips,
        problems=tuple(problems),
        notes=(*found.notes, *spelt, *notes),
    )


def _read(root: Path, paths: Sequence[str], *, alone: bool) -> Found:
    """Offer each file to the adapters; where none knows any, the folders tell the classes.

    Args:
        root: The folder that was scanned.
        paths: POSIX paths relative to it.
        alone: Whether no manifest knows any file either.
    """
    name = root.resolve().name
    adapters = [CORPORA[known] for known in CORPORA]
    known, strangers, claimed = _offered(paths, name, adapters)
    corpora = [adapter for adapter in adapters if known[adapter.name]]
    if not corpora and not claimed and alone:
        strangers, notes = without_nested(root, strangers)
        return _joined(read_folders(strangers, root), Found(clips=(), notes=notes))
    result = Found(clips=())
    for adapter in corpora:
        items = known[adapter.name]
        own = Found(
            clips=tuple(item for item in items if isinstance(item, Clip)),
            problems=tuple(item for item in items if isinstance(item, Problem)),
        )
        kept = once(root, adapter.finish(root, own), adapter.name)
        result = _joined(result, _counted(adapter, kept))
    names = ", ".join(adapter.name for adapter in corpora)
    here = names or ("known to two adapters" if claimed else "in manifests")
    reason = f"no adapter knows this name (others here are {here}); list it in a manifest"
    unknown = tuple(Problem(path=path, reason=reason) for path in strangers)
    return _joined(result, Found(clips=(), problems=(*unknown, *claimed)))


def _offered(
    paths: Sequence[str], root: str, adapters: Sequence[Adapter]
) -> tuple[dict[str, list[Clip | Problem]], list[str], list[Problem]]:
    """What each adapter reads, the files that none knows, and those that two do.

    No name is known to two of our own (a test holds it): only what other packages bring can
    claim a file beside another.
    """
    known: dict[str, list[Clip | Problem]] = {adapter.name: [] for adapter in adapters}
    strangers: list[str] = []
    claimed: list[Problem] = []
    foreign = set(CORPORA.foreign())
    readers = [(adapter.name, adapter.read, adapter.name in foreign) for adapter in adapters]
    for path in paths:
        items: dict[str, Clip | Problem] = {}
        for name, read, brought in readers:
            if items and not brought:
                continue
            item = read(path, root)
            if item is not None:
                items[name] = item
        if not items:
            strangers.append(path)
        elif len(items) > 1:
            reason = f"{' and '.join(items)} both know this name; list it in a manifest"
            claimed.append(Problem(path=path, reason=reason))
        else:
            ((name, item),) = items.items()
            known[name].append(item)
    return known, strangers, claimed


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
