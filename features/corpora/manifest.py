"""A manifest: a table that names the files and says what they are, for any corpus.

    file,speaker,gender,emotion,split,sentence,dialogue,corpus
    wav/a.wav,anna,female,angry,train,s1,,mine

`file` alone is required; what stands under another usual name is understood (`columns.py`),
`start`, `end` and `channel` name a part of the file (`cuts.py`), and other columns go to
`Clip.extra`. Cells that say "missing" are empty (`missing.py`), a split is
understood in its usual spellings (`official.py`). Paths are relative to the manifest's folder and
stay inside it, links included (`fence.py`).
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gensr.features.audio.errors import AudioError
from gensr.features.audio.segments import name_of
from gensr.features.corpora.adapter import Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.columns import columns_of, names_files, with_split
from gensr.features.corpora.cuts import Cuts
from gensr.features.corpora.fence import Fence
from gensr.features.corpora.files import annexed
from gensr.features.corpora.missing import told, without_missing
from gensr.features.corpora.names import corpus_name, odd, printable
from gensr.features.corpora.roles import GENDERS
from gensr.features.corpora.rows import clip_of, splits_of
from gensr.features.corpora.tables import Row, read_table

_GONE = "no such file"


def read_manifest(path: Path, *, allow_outside: bool = False, labelled: bool = True) -> Found:
    """Read a manifest into clips.

    Args:
        path: A `.csv`, `.tsv` or `.jsonl` file; paths in it are relative to its folder.
        allow_outside: Take files outside that folder too. Their `Clip.path` is as written, in
            its shortest form: with `..`, or absolute.
        labelled: Whether labels are of interest, so that a lack of them is worth a note.

    Returns:
        The clips; problems are rows whose file is missing, and rows that name a file again.

    Raises:
        CorpusError: The table is broken, a column is missing or there twice, a path leaves the
            folder, a row names no file, or a split or canonical label is none; naming the file
            and the line.
    """
    table = read_table(path, fits=names_files)
    columns = columns_of(path, table.columns)
    cells, missing = without_missing(table.columns, [row.cells for row in table.rows])
    rows = [Row(row.line, known) for row, known in zip(table.rows, cells, strict=True)]
    columns, guessed = with_split(path, columns, table.columns, rows)
    splits = splits_of(path, rows, columns.get("split"))
    cuts = Cuts(path, table.columns, rows, columns.values())
    corpora = columns.get("corpus", "")
    corpus = "" if all(row.cells.get(corpora) for row in rows) else corpus_name(path.parent)
    clips: dict[str, tuple[int, Clip]] = {}
    problems: list[Problem] = []
    fence = Fence(path.parent, allow_outside)
    # A column that is taken for the split stays what it is called, too: for `column:NAME`.
    used = frozenset({*columns.values(), *cuts.used} - ({columns["split"]} if guessed else set()))
    for row in rows:
        where, cell = f"{path}, line {row.line}", row.cells[columns["file"]]
        try:
            file, cut = cuts.of(row, cell)
        except AudioError as error:
            asked = printable(fence.inside(where, cell))
            problems.append(Problem(path=asked, reason=f"line {row.line}: {error}"))
            continue
        file = _as_stored(path.parent, fence.inside(where, file))
        known = {field: row.cells[name] for field, name in columns.items()}
        known["split"] = splits[known.get("split", "")]
        extra = {name: cell for name, cell in row.cells.items() if name and name not in used}
        clip = clip_of(where, name_of(file, cut.segment), known, corpus, extra)
        clip = replace(clip, length=cut.length)
        if why := odd(clip.path):
            reason = f"line {row.line}: a name that is {why}; rename the file"
            problems.append(Problem(path=printable(clip.path), reason=reason))
        elif clip.path in clips:
            line, first = clips[clip.path]
            same = first == clip and first.extra == clip.extra
            reason = f"line {row.line} {'repeats' if same else 'contradicts'} line {line}"
            problems.append(Problem(path=clip.path, reason=f"{reason}, which is kept"))
        elif reason := _ambiguous(path.parent, file, cell) or _unusable(path.parent / file):
            problems.append(Problem(path=clip.path, reason=f"line {row.line}: {reason}"))
        else:
            clips[clip.path] = (row.line, clip)
    return Found(
        clips=tuple(clip for _, clip in clips.values()),
        problems=tuple(problems),
        notes=(*guessed, *_notes(path.name, rows, columns, missing, labelled), *cuts.notes),
    )


def _ambiguous(folder: Path, file: str, cell: str) -> str:
    """Return why a cell may mean two files, or nothing: one may be named as a part of another."""
    if "#" in cell and not file.endswith(cell) and os.path.lexists(folder / cell):
        return f"{cell} reads like a part of {file}, and is a file itself: rename the file"
    return ""


def _unusable(file: Path) -> str:
    """Return why a file cannot be a clip, or nothing."""
    try:
        if file.is_dir():
            return "is a folder"
        return "" if file.exists() else annexed(file) or _GONE
    except OSError as error:  # a name too long, a folder that may not be searched
        return f"cannot be looked up ({error.strerror})"


def _as_stored(folder: Path, file: str) -> str:
    """Return a path in the Unicode form that the disk has it in: Macs write decomposed names."""
    if file.isascii() or _unusable(folder / file) != _GONE:
        return file
    forms = (unicodedata.normalize(form, file) for form in ("NFC", "NFD"))
    return next((form for form in forms if not _unusable(folder / form)), file)


def _notes(
    name: str,
    rows: Sequence[Row],
    columns: Mapping[str, str],
    missing: Mapping[tuple[str, str], int],
    labelled: bool,
) -> tuple[str, ...]:
    counts: Counter[str] = Counter()
    for row in rows:
        without = "emotion" in columns and not row.cells[columns["emotion"]]
        counts["without an emotion"] += labelled and without
        gender = row.cells.get(columns.get("gender", ""), "").lower()
        counts["with a gender other than female and male, left empty"] += bool(
            "gender" in columns and gender and gender not in GENDERS
        )
        counts["with cells in a column that has no name, left out"] += bool(row.cells.get(""))
    said = [
        f"{name}: {count} row{'s' if count > 1 else ''} {what}"
        for what, count in counts.items()
        if count
    ]
    said += told(name, missing)
    if labelled and "emotion" not in columns:
        has = ", ".join(_names(rows))
        said.append(f"{name}: no column for the emotion, so no clip has one (columns: {has})")
    return tuple(said)


def _names(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(name for name in rows[0].cells if name) if rows else ()
