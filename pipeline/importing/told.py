"""What is said of utterances: by a corpus, by a table, or by the rows that hold the vectors.

A table need not stand beside the audio: its files are names here, and are not looked for.
"""

from collections.abc import Sequence
from pathlib import Path

from gensr.features.corpora import scan
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.columns import columns_of, names_files, with_split
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.listed import manifest_in
from gensr.features.corpora.missing import told, without_missing
from gensr.features.corpora.names import corpus_name, odd, printable
from gensr.features.corpora.rows import clip_of, splits_of
from gensr.features.corpora.tables import TABLE_SUFFIXES, Row, read_table

Told = tuple[tuple[Clip, ...], tuple[Problem, ...], tuple[str, ...]]


def told_by(place: Path) -> Told:
    """Clips, problems and notes of a corpus's folder, or of a table of files and labels.

    Raises:
        CorpusError: there is nothing to use, or a table is broken.
    """
    if place.is_dir():
        found = scan(place)
        return found.clips, found.problems, found.notes
    if not place.is_file():
        raise CorpusError(f"{place}: no such corpus, folder or table")
    if place.suffix.lower() not in TABLE_SUFFIXES:
        raise CorpusError(f"{place}: expected a corpus's folder, or {', '.join(TABLE_SUFFIXES)}")
    table = read_table(place, fits=names_files)
    return clips_of(place, table.columns, table.rows)


def told_beside(folder: Path) -> Told:
    """The same of the manifest that lies among the vectors.

    Raises:
        CorpusError: there is none.
    """
    manifest = manifest_in(folder)
    if manifest is None:
        raise CorpusError(
            f"{folder}: nothing says what these vectors are of; pass --corpus (the corpus's "
            "folder, or a table with file, emotion, speaker, ...), or put such a manifest.csv there"
        )
    return told_by(manifest)


def clips_of(path: Path, names: Sequence[str], given: Sequence[Row]) -> Told:
    """The clips that rows name; what stands under no usual name goes to `Clip.extra`.

    Args:
        path: of the table, for messages.
        names: its columns, those of features left out.
        given: its rows.

    Raises:
        CorpusError: a column is missing or there twice, a row names no file, or a split or
            canonical label is none; naming the file and the line.
    """
    columns = columns_of(path, names)
    cells, missing = without_missing(names, [row.cells for row in given])
    rows = [Row(row.line, known) for row, known in zip(given, cells, strict=True)]
    columns, notes = with_split(path, columns, names, rows)
    splits = splits_of(path, rows, columns.get("split"))
    fallback = ""
    if not all(row.cells.get(columns.get("corpus", "")) for row in rows):
        fallback = corpus_name(path.parent)
    used = {*columns.values()}
    clips: dict[str, Clip] = {}
    problems: list[Problem] = []
    for row in rows:
        known = {field: row.cells[name] for field, name in columns.items()}
        known["split"] = splits[known.get("split", "")]
        where = f"{path}, line {row.line}"
        if not known["file"]:
            raise CorpusError(f"{where}: names no file")
        extra = {name: row.cells[name] for name in row.cells if name not in used}
        clip = clip_of(where, known["file"], known, fallback, extra)
        if why := odd(clip.path):
            reason = f"line {row.line}: a name that is {why}"
            problems.append(Problem(path=printable(clip.path), reason=reason))
        elif clip.path in clips:
            reason = f"line {row.line} names it again; the first row is kept"
            problems.append(Problem(path=clip.path, reason=reason))
        else:
            clips[clip.path] = clip
    return tuple(clips.values()), tuple(problems), (*notes, *told(path.name, missing))
