"""MELD, utterances of the TV series Friends: 9989 / 1109 / 2610 clips, 7 emotions, by dialogue.

Poria et al., ACL 2019, https://github.com/declare-lab/MELD. A name is `dia12_utt3`; labels and
speakers are in `train_sent_emo.csv`, `dev_sent_emo.csv`, `test_sent_emo.csv`. Numbers begin
anew in each split (1740 of the 2610 names of test occur in train as well), so the folder tells
the split: `train_splits`, `dev_splits_complete`, `output_repeats_splits_test`, or plain names.

Known flaws of the official archive: dev lacks dia110_utt7 (issues 22 and 27 there), train's
dia125_utt3 cannot be decoded (issue 39), dev and test hold a few clips that no table lists, and
test holds many named `final_videos_test...`, which are counted in one note.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from gensr.features.corpora.adapter import Adapter, Found, folders_above, stem
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import tables_named
from gensr.features.corpora.labels import canonical
from gensr.features.corpora.tables import Row, read_table

SPLITS = ("train", "dev", "test")
COLUMNS = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID")
_NAME = re.compile(
    r"(?P<leftover>final_videos_test)?dia(?P<dialogue>\d+)_utt(?P<utterance>\d+)", re.ASCII
)
_FOLDER = re.compile(
    r"(?:output_repeats_splits_)?(?P<split>train|dev|valid|val|test)"
    r"(?:_splits)?(?:_complete)?(?:_(?:wav|wavs|audio|flac|mp4))?"
)
_LEFTOVER = "MELD's leftover, in no table"


def split_of(path: str, root: str = "") -> str:
    """Return the split that the folders above a file name, the nearest first, or nothing.

    Args:
        path: POSIX path relative to the root.
        root: The root's own name.

    >>> split_of("output_repeats_splits_test/dia0_utt0.mp4")
    'test'
    """
    for folder in folders_above(path, root):
        if match := _FOLDER.fullmatch(folder.lower()):
            return "dev" if match["split"].startswith("val") else match["split"]
    return ""


def read(path: str, root: str = "") -> Clip | Problem | None:
    """Read a file name of MELD: split, dialogue and utterance; the rest is in the tables.

    Args:
        path: POSIX path relative to the root.
        root: The root's own name: it may name the split.

    >>> read("test/dia12_utt3.wav").dialogue
    'test-12'
    """
    match = _NAME.fullmatch(stem(path))
    if match is None:
        return None
    if match["leftover"]:
        return Problem(path=path, reason=_LEFTOVER)
    split = split_of(path, root)
    if not split:
        return Problem(path=path, reason="MELD clip in no folder named train, dev or test")
    return Clip(
        path=path,
        corpus="meld",
        dialogue=f"{split}-{int(match['dialogue'])}",
        split=split,
        extra={"utterance": str(int(match["utterance"]))},
    )


@dataclass(frozen=True, slots=True)
class _Labels:
    """One split's table: rows by (dialogue, utterance), as `Clip` has them."""

    name: str
    rows: Mapping[tuple[str, str], Row]


def finish(root: Path, found: Found) -> Found:
    """Add speaker and emotion from the tables, and report what only one side has.

    Args:
        root: The folder that was scanned: tables lie anywhere under it, or beside it.
        found: Clips as read from their names.

    Raises:
        CorpusError: A split's table is missing, ambiguous or broken.
    """
    clips: list[Clip] = []
    problems = [problem for problem in found.problems if problem.reason != _LEFTOVER]
    notes = list(found.notes)
    if leftovers := len(found.problems) - len(problems):
        notes.append(f"meld: {leftovers} unlabelled files (final_videos_test...) left out")
    for split in SPLITS:
        mine = [clip for clip in found.clips if clip.split == split]
        if not mine:
            continue
        labels = _read_labels(root, split)
        for clip in mine:
            row = labels.rows.get((clip.dialogue, clip.extra["utterance"]))
            if row is None:
                problems.append(Problem(path=clip.path, reason=f"is not in {labels.name}"))
            else:
                clips.append(_labelled(clip, row))
        present = {(clip.dialogue, clip.extra["utterance"]) for clip in mine}
        problems += [
            Problem(path=_would_be(mine[0], row), reason=f"is in {labels.name}, but no such file")
            for key, row in labels.rows.items()
            if key not in present
        ]
    return Found(clips=tuple(clips), problems=tuple(problems), notes=tuple(notes))


def _read_labels(root: Path, split: str) -> _Labels:
    name = f"{split}_sent_emo.csv"
    tables = tables_named(root, name)
    if not tables:
        raise CorpusError(
            f"{root}: holds clips of MELD's {split} split, and no {name} under it or beside it;"
            " add MELD's table"
        )
    other = next((t for t in tables[1:] if t.read_bytes() != tables[0].read_bytes()), None)
    if other is not None:
        raise CorpusError(f"{tables[0]} and {other} differ; keep one of them")
    table = read_table(tables[0], fits=set(COLUMNS).issubset)
    if lacking := [column for column in COLUMNS if column not in table.columns]:
        raise CorpusError(f"{tables[0]}, line 1: expected the columns {', '.join(lacking)}")
    rows: dict[tuple[str, str], Row] = {}
    for row in table.rows:
        key = (f"{split}-{row.cells['Dialogue_ID']}", row.cells["Utterance_ID"])
        if key in rows:
            raise CorpusError(f"{tables[0]}, line {row.line}: repeats line {rows[key].line}")
        rows[key] = row
    return _Labels(name, rows)


def _labelled(clip: Clip, row: Row) -> Clip:
    return replace(
        clip,
        speaker=row.cells["Speaker"],
        emotion=row.cells["Emotion"],
        canonical=canonical(row.cells["Emotion"]),
        extra={
            **clip.extra,
            "sentiment": row.cells["Sentiment"],
            "text": row.cells["Utterance"],
        },
    )


def _would_be(neighbour: Clip, row: Row) -> str:
    """Return the path a row's file would have beside another clip of its split."""
    path = PurePosixPath(neighbour.path)
    name = f"dia{row.cells['Dialogue_ID']}_utt{row.cells['Utterance_ID']}{path.suffix}"
    return (path.parent / name).as_posix()


ADAPTER = Adapter(name="meld", read=read, finish=finish)
