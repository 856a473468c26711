"""A manifest: a table that names the files and says what they are, for any corpus.

    file,speaker,gender,emotion,split,sentence,dialogue,corpus
    wav/a.wav,anna,female,angry,train,s1,,mine

`file` and `emotion` are required, though a cell of `emotion` may be empty; other columns go to
`Clip.extra`. Paths are relative to the manifest's folder and stay inside it, links included: a
corpus that is moved, or packed and sent on, still fits its manifest, and a manifest from
elsewhere cannot reach for other files of the machine. Whoever trusts it may allow more.
"""

import os
import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from gensr.estimator.errors import CorpusError
from gensr.features.corpora.adapter import Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.files import annexed
from gensr.features.corpora.labels import CANONICAL, canonical
from gensr.features.corpora.tables import TABLE_SUFFIXES, Row, read_table

NAMES: tuple[str, ...] = tuple(f"manifest{suffix}" for suffix in TABLE_SUFFIXES)

ALIASES: Mapping[str, tuple[str, ...]] = {
    "file": ("path", "filename", "file_name", "filepath", "file_path", "audio", "wav"),
    "speaker": ("speaker_id", "spk", "actor"),
    "gender": ("sex",),
    "emotion": ("label", "class"),
    "canonical": (),
    "split": ("subset", "partition"),
    "sentence": ("sentence_id",),
    "dialogue": ("dialog", "dialogue_id", "dialog_id"),
    "corpus": ("dataset", "database"),
}
"""Column by what it means, and other names for it; case does not matter."""

_FIELDS = {alias: field for field, names in ALIASES.items() for alias in (field, *names)}
_GENDERS = {"f": "female", "female": "female", "w": "female", "woman": "female"}
_GENDERS |= {"m": "male", "male": "male", "man": "male"}
_SPLITS = {"": "", "train": "train", "training": "train", "test": "test", "testing": "test"}
_SPLITS |= dict.fromkeys(("dev", "val", "valid", "validation", "development"), "dev")


def manifest_in(folder: Path) -> Path | None:
    """Return the manifest that lies in a folder, or None.

    Args:
        folder: An existing folder; those below it are not searched.

    Raises:
        CorpusError: There is more than one.
    """
    there = [folder / name for name in NAMES if (folder / name).is_file()]
    if len(there) > 1:
        both = " and ".join(path.name for path in there)
        raise CorpusError(f"{folder}: holds {both}; keep one, or give its path")
    return there[0] if there else None


def read_manifest(path: Path, *, allow_outside: bool = False) -> Found:
    """Read a manifest into clips.

    Args:
        path: A `.csv`, `.tsv` or `.jsonl` file; paths in it are relative to its folder.
        allow_outside: Take files outside that folder too. Their `Clip.path` is as written, in
            its shortest form: with `..`, or absolute.

    Returns:
        The clips; problems are rows whose file is missing, and rows that name a file again.

    Raises:
        CorpusError: The table is broken, a column is missing or there twice, a path leaves the
            folder, or a split or canonical label is none; naming the file and the line.
    """
    table = read_table(path)
    columns = _columns(path, table.columns)
    corpus = path.resolve().parent.name
    clips: dict[str, tuple[int, Clip]] = {}
    problems: list[Problem] = []
    fence = _Fence(path.parent, allow_outside)
    for row in table.rows:
        clip = _clip(path, row, columns, corpus, fence)
        if clip.path in clips:
            line, first = clips[clip.path]
            same = first == clip and first.extra == clip.extra
            reason = f"line {row.line} {'repeats' if same else 'contradicts'} line {line}"
            problems.append(Problem(path=clip.path, reason=f"{reason}, which is kept"))
        elif reason := _unusable(path.parent / clip.path):
            problems.append(Problem(path=clip.path, reason=f"line {row.line}: {reason}"))
        else:
            clips[clip.path] = (row.line, clip)
    return Found(
        clips=tuple(clip for _, clip in clips.values()),
        problems=tuple(problems),
        notes=_notes(path.name, table.rows, columns),
    )


def _columns(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the manifest's column for each field it has; the rest are extra."""
    columns: dict[str, str] = {}
    for name in names:
        field = _FIELDS.get(name.lower())
        if field is None:
            continue
        if field in columns:
            raise CorpusError(
                f"{path}, line 1: columns {columns[field]!r} and {name!r} both mean the {field};"
                " keep one, or rename the other"
            )
        columns[field] = name
    for field in ("file", "emotion"):
        if field not in columns:
            found = ", ".join(names) or "none"
            accepted = " or ".join((field, *ALIASES[field][:2]))
            raise CorpusError(
                f"{path}, line 1: no column for the {field}; name one {accepted} (found: {found})"
            )
    return columns


def _clip(path: Path, row: Row, columns: Mapping[str, str], corpus: str, fence: "_Fence") -> Clip:
    known = {field: row.cells[name] for field, name in columns.items()}
    emotion, split, shared = (known.get(field, "") for field in ("emotion", "split", "canonical"))
    where = f"{path}, line {row.line}"
    if split.lower() not in _SPLITS:
        raise CorpusError(f"{where}: split {split!r}; expected train, dev, test or nothing")
    if shared and shared not in CANONICAL:
        raise CorpusError(f"{where}: canonical {shared!r}; expected one of {', '.join(CANONICAL)}")
    used = set(columns.values())
    return Clip(
        path=fence.inside(where, known["file"]),
        corpus=known.get("corpus", "") or corpus,
        speaker=known.get("speaker", ""),
        gender=_GENDERS.get(known.get("gender", "").lower(), ""),
        sentence=known.get("sentence", ""),
        dialogue=known.get("dialogue", ""),
        emotion=emotion,
        canonical=shared or canonical(emotion),
        split=_SPLITS[split.lower()],
        extra={name: cell for name, cell in row.cells.items() if name and name not in used},
    )


class _Fence:
    """Keeps a manifest's paths inside its folder."""

    def __init__(self, folder: Path, allow_outside: bool) -> None:
        self._folder, self._open = folder, allow_outside
        self._real = os.path.realpath(folder)
        self._inside: dict[str, bool] = {}
        """Whether a folder named by a path is, all links followed, in the manifest's."""

    def inside(self, where: str, file: str) -> str:
        """Return a manifest's path in its shortest POSIX form, or refuse it by name."""
        posix = file.replace("\\", "/")  # as Windows writes it
        if not posix or "\0" in posix:
            raise CorpusError(f"{where}: names no file")
        short = posixpath.normpath(posix)
        if self._open:
            return short
        if posix.startswith("/") or re.match(r"[A-Za-z]:/", posix):
            raise CorpusError(
                f"{where}: {file} is absolute; give it relative to the manifest's folder, or "
                "trust the manifest with --allow-outside"
            )
        if short == ".." or short.startswith("../"):
            raise CorpusError(
                f"{where}: {file} leaves the manifest's folder; move the manifest up, or trust it "
                "with --allow-outside"
            )
        if self._leads_outside(short):
            raise CorpusError(
                f"{where}: {file} leaves the manifest's folder by a symbolic link; put the file "
                "there itself, or trust the manifest with --allow-outside"
            )
        return short

    def _leads_outside(self, short: str) -> bool:
        """Whether links take a path out; each folder is looked up once, as clips share them."""
        parent = posixpath.dirname(short)
        if parent not in self._inside:
            self._inside[parent] = self._holds(self._folder / parent)
        file = self._folder / short
        try:
            return not self._inside[parent] or (file.is_symlink() and not self._holds(file))
        except OSError:  # a name too long, a folder that may not be searched: no file of ours
            return False

    def _holds(self, path: Path) -> bool:
        real = os.path.realpath(path)
        return real == self._real or real.startswith(self._real.rstrip("/") + "/")


def _unusable(file: Path) -> str:
    """Return why a file cannot be a clip, or nothing."""
    try:
        if file.is_dir():
            return "is a folder"
        return "" if file.exists() else annexed(file) or "no such file"
    except OSError as error:  # a name too long, a folder that may not be searched
        return f"cannot be looked up ({error.strerror})"


def _notes(name: str, rows: tuple[Row, ...], columns: Mapping[str, str]) -> tuple[str, ...]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts["without an emotion"] += not row.cells[columns["emotion"]]
        gender = row.cells.get(columns.get("gender", ""), "").lower()
        counts["with a gender other than female and male, left empty"] += bool(
            "gender" in columns and gender and gender not in _GENDERS
        )
        counts["with cells in a column that has no name, left out"] += bool(row.cells.get(""))
    return tuple(
        f"{name}: {count} row{'s' if count > 1 else ''} {what}"
        for what, count in counts.items()
        if count
    )
