"""What a row of a table says of its clip, once its columns are known by what they mean."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from gensr.features.corpora.clip import Clip
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.labels import CANONICAL, canonical
from gensr.features.corpora.official import meanings, part_of
from gensr.features.corpora.roles import GENDERS
from gensr.features.corpora.tables import Row


def clip_of(
    where: str, path: str, known: Mapping[str, str], corpus: str, extra: Mapping[str, str]
) -> Clip:
    """Return the clip of a row.

    Args:
        where: The row, for messages.
        path: The clip's.
        known: Cells by field (`columns.py`), the split among them as train, dev, test or nothing.
        corpus: Its corpus, where no cell says it.
        extra: Cells of the corpus's own columns.

    Raises:
        CorpusError: The canonical label is none; naming the row.
    """
    emotion, shared = known.get("emotion", ""), known.get("canonical", "")
    if shared and shared not in CANONICAL:
        raise CorpusError(f"{where}: canonical {shared!r}; expected one of {', '.join(CANONICAL)}")
    return Clip(
        path=path,
        corpus=known.get("corpus", "") or corpus,
        speaker=known.get("speaker", ""),
        gender=GENDERS.get(known.get("gender", "").casefold(), ""),
        sentence=known.get("sentence", ""),
        dialogue=known.get("dialogue", ""),
        emotion=emotion,
        canonical=shared or canonical(emotion),
        split=known.get("split", ""),
        extra=extra,
    )


def splits_of(path: Path, rows: Iterable[Row], column: str | None) -> Mapping[str, str]:
    """Return what each cell of the split's column means: train, dev, test or nothing.

    Args:
        path: Of the table, for messages.
        rows: All of it.
        column: The split's; None where there is none.

    Raises:
        CorpusError: A cell is no split; naming the line.
    """
    parts = {"": ""}
    for row in rows if column else ():
        cell = row.cells[str(column)]
        if cell in parts:
            continue
        parts[cell] = part_of(cell)
        if not parts[cell]:
            raise CorpusError(
                f"{path}, line {row.line}: split {cell!r}; expected train, dev, test or nothing "
                "(a column of another name is kept as it is)"
            )
    try:
        known = meanings(parts.values())
    except ValueError as error:
        raise CorpusError(f"{path}: {error}") from None
    return {cell: known[part] for cell, part in parts.items()}
