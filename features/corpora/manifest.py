"""A manifest: a table that names the files and says what they are, for any corpus.

    file,speaker,gender,emotion,split,sentence,dialogue,corpus
    wav/a.wav,anna,female,angry,train,s1,,mine

`file` and `emotion` are required, though a cell of `emotion` may be empty; other columns go to
`Clip.extra`. Paths are relative to the manifest's folder and stay inside it, links included: a
corpus that is moved, or packed and sent on, still fits its manifest, and a manifest from
elsewhere cannot reach for other files of the machine. Whoever trusts it may allow more.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from gensr.estimator.errors import CorpusError
from gensr.features.corpora.adapter import Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.columns import columns_of
from gensr.features.corpora.fence import Fence
from gensr.features.corpora.labels import CANONICAL, canonical
from gensr.features.corpora.tables import TABLE_SUFFIXES, Row, read_table

NAMES: tuple[str, ...] = tuple(f"manifest{suffix}" for suffix in TABLE_SUFFIXES)

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
    columns = columns_of(path, table.columns)
    corpus = path.resolve().parent.name
    clips: dict[str, tuple[int, Clip]] = {}
    problems: list[Problem] = []
    fence = Fence(path.parent, allow_outside)
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


def _clip(path: Path, row: Row, columns: Mapping[str, str], corpus: str, fence: Fence) -> Clip:
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


def _unusable(file: Path) -> str:
    """Return why a file cannot be a clip, or nothing."""
    try:
        if file.is_dir():
            return "is a folder"
        return "" if file.exists() else "no such file"
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
