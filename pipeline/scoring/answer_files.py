"""Tables of another system's answers: CSV with any separator, TSV, or JSON lines.

A table names a clip and what was answered of it. Columns are found by their names: the clip in
`path`, `file`, `filename`, `name`, `wav`, `audio` or `key`; the answer in `predicted`,
`prediction`, `answer`, `text`, `response` or `output`; and `p_CLASS` for every class, where there
are probabilities. The first name of a list that is there counts.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensr.estimator.files import read_whole
from gensr.features.shown import from_cell
from gensr.pipeline.runs.files import MOST
from gensr.pipeline.scoring.errors import AnswersError

CLIP = ("path", "file", "filename", "file_name", "name", "wav", "audio", "key")
"""Columns that may name a clip, the likeliest first."""
ANSWER = ("predicted", "prediction", "pred", "answer", "text", "response", "output")
"""Columns that may hold its answer."""
_SEPARATORS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of a table."""

    line: int
    """Of the file, from 1."""
    clip: str
    """What it calls the clip."""
    text: str
    """What was answered; empty where nothing was."""
    probabilities: tuple[float, ...] = ()
    """One per class, summing to one; empty where there are none."""


def read_answers(path: Path, classes: Sequence[str]) -> list[Answer]:
    """Read a table.

    Args:
        path: of it. JSON lines are told by `.jsonl`, or by a first line that begins with `{`.
        classes: of the protocol, for probabilities.

    Raises:
        AnswersError: it cannot be read, lacks a column, or holds a row that is none.
    """
    try:
        data = read_whole(path, MOST)
    except OSError as error:
        raise AnswersError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnswersError(
            f"{path} is no UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from error
    if path.suffix in (".jsonl", ".ndjson") or text.lstrip().startswith("{"):
        rows = _json_rows(path, text)
    else:
        rows = _csv_rows(path, text)
    if not rows:
        raise AnswersError(f"{path} holds no answers")
    return _answers(path, rows, classes)


def _csv_rows(path: Path, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        head = [name.strip() for name in next(reader, [])]
        rows: list[tuple[int, Mapping[str, Any]]] = []
        for row in reader:
            if not row:
                continue
            if len(row) != len(head):
                raise AnswersError(
                    f"{path}, line {reader.line_num}: {len(row)} columns, the first line has "
                    f"{len(head)}; quote answers that hold {separator!r}"
                )
            rows.append((reader.line_num, dict(zip(head, row, strict=True))))
    except csv.Error as error:
        raise AnswersError(f"{path}, line {reader.line_num}: {error}") from error
    return rows


def _json_rows(path: Path, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise AnswersError(f"{path}, line {number}: no JSON ({error})") from error
        if not isinstance(row, dict):
            raise AnswersError(f"{path}, line {number}: no JSON object; write one a line")
        rows.append((number, row))
    return rows


def _answers(
    path: Path, rows: Sequence[tuple[int, Mapping[str, Any]]], classes: Sequence[str]
) -> list[Answer]:
    names = dict.fromkeys(name for _, row in rows for name in row)
    by_plain = {name.casefold(): name for name in reversed(names)}
    clip = next((by_plain[name] for name in CLIP if name in by_plain), None)
    answer = next((by_plain[name] for name in ANSWER if name in by_plain), None)
    shares = [f"p_{name}" for name in classes]
    given = all(share in names for share in shares)
    if clip is None or (answer is None and not given):
        what = f"clips ({', '.join(CLIP)})" if clip is None else f"answers ({', '.join(ANSWER)})"
        found = ", ".join(list(names)[:8])
        raise AnswersError(f"{path} has no column of {what}; its columns are {found}")
    ours = list(names)[:4] == ["path", "fold", "label", "predicted"]  # as gensr writes them
    answers = []
    for line, row in rows:
        name, text = (_text(row.get(column)) if column else "" for column in (clip, answer))
        if not name:
            raise AnswersError(f"{path}, line {line}: it names no clip")
        if ours:
            name, text = from_cell(name), from_cell(text)
        p = _probabilities(path, line, [row.get(share) for share in shares]) if given else ()
        if answer is None and p:
            text = classes[max(range(len(p)), key=p.__getitem__)]
        answers.append(Answer(line, name, text.strip(), p))
    return answers


def _text(value: Any) -> str:
    """A cell as text; what is missing is empty."""
    return "" if value is None else str(value)


def _probabilities(path: Path, line: int, cells: Sequence[Any]) -> tuple[float, ...]:
    """Of one row; empty where every cell is."""
    if all(cell in (None, "") for cell in cells):
        return ()
    try:
        p = tuple(float(cell) for cell in cells)
    except (TypeError, ValueError):
        p = (-1.0,)
    if not all(0 <= share <= 1.001 for share in p) or not 0.98 <= sum(p) <= 1.02:
        raise AnswersError(
            f"{path}, line {line}: the probabilities are no numbers in [0, 1] that sum to one"
        )
    return tuple(share / sum(p) for share in p)
