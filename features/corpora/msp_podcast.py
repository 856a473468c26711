"""MSP-Podcast, segments of podcasts annotated by a crowd: over 100,000, by release.

Lotfian and Busso, IEEE Transactions on Affective Computing 10(4), 2019;
https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html. A name is
`MSP-PODCAST_0001_0008.wav`: podcast and segment. Labels, speakers and partitions are in
`Labels/labels_consensus.csv` (FileName, EmoClass, SpkrID, Gender, Split_Set), `Audios/` beside it.

`X` means no agreement: no label. A speaker `Unknown` is empty. The partition keeps its own word in
the column `partition` (train, dev, test1, test2, test3); the official split is Test1's.
"""

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gensr.features.corpora.adapter import Adapter, Found, by_name
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import tables_named
from gensr.features.corpora.labels import canonical
from gensr.features.corpora.tables import Row, read_table

EMOTIONS = {
    "A": "anger",
    "C": "contempt",
    "D": "disgust",
    "F": "fear",
    "H": "happiness",
    "N": "neutral",
    "O": "other",
    "S": "sadness",
    "U": "surprise",
    "X": "",
}
TABLE = "labels_consensus.csv"
COLUMNS = ("FileName", "EmoClass", "SpkrID", "Gender", "Split_Set")
DIMENSIONS = {"EmoVal": "valence", "EmoAct": "activation", "EmoDom": "dominance"}
PARTITIONS = {
    "Train": "train",
    "Development": "dev",
    "Validation": "dev",
    "Test1": "test1",
    "Test2": "test2",
    "Test3": "test3",
}
SPLITS = {"train": "train", "dev": "dev", "test1": "test"}
_NAME = re.compile(r"MSP-PODCAST_(?P<podcast>\d{4})_(?P<segment>\d+(?:_\d+)*)", re.ASCII)


def _clip(path: str, match: re.Match[str]) -> Clip:
    return Clip(
        path=path,
        corpus="msp_podcast",
        dialogue=match["podcast"],
        extra={"segment": match["segment"]},
    )


read = by_name(_NAME, _clip)


def finish(root: Path, found: Found) -> Found:
    """Add label, speaker, gender and partition, and report what only one side has.

    Args:
        root: The folder that was scanned: the corpus, or its `Audios`.
        found: Clips as read from their names.

    Raises:
        CorpusError: The table is missing, there twice and different, or broken.
    """
    rows = _rows(_table(root))
    clips: list[Clip] = []
    problems = list(found.problems)
    for clip in found.clips:
        row = rows.pop(PurePosixPath(clip.path).stem, None)
        if row is None:
            problems.append(Problem(path=clip.path, reason=f"is not in {TABLE}"))
        else:
            clips.append(_labelled(clip, row))
    folder = PurePosixPath(found.clips[0].path).parent if found.clips else PurePosixPath()
    problems += [
        Problem(path=str(folder / f"{name}.wav"), reason=f"is in {TABLE}, but no such file")
        for name in rows
    ]
    notes = list(found.notes)
    if unsure := sum(not clip.emotion for clip in clips):
        notes.append(f"msp_podcast: {unsure} segments without agreement (X): no label")
    return Found(clips=tuple(clips), problems=tuple(problems), notes=tuple(notes))


def _table(root: Path) -> Path:
    beside = root.resolve().parent / "Labels" / TABLE
    tables = tables_named(root, TABLE) or ([beside] if beside.is_file() else [])
    if not tables:
        raise CorpusError(
            f"{root}: holds segments of MSP-Podcast, and no Labels/{TABLE} under it or beside it; "
            "give the corpus's own folder, or add its table"
        )
    other = next((t for t in tables[1:] if t.read_bytes() != tables[0].read_bytes()), None)
    if other is not None:
        raise CorpusError(f"{tables[0]} and {other} differ; keep one of them")
    return tables[0]


def _rows(path: Path) -> dict[str, Row]:
    """Rows by the file's name without its suffix, each checked."""
    table = read_table(path, fits=set(COLUMNS).issubset)
    if lacking := [column for column in COLUMNS if column not in table.columns]:
        raise CorpusError(f"{path}, line 1: expected the columns {', '.join(lacking)}")
    rows: dict[str, Row] = {}
    for row in table.rows:
        name = PurePosixPath(row.cells["FileName"]).stem
        if name in rows:
            raise CorpusError(f"{path}, line {row.line}: repeats line {rows[name].line}")
        for column, known in (("EmoClass", EMOTIONS), ("Split_Set", PARTITIONS)):
            if row.cells[column] not in known:
                raise CorpusError(
                    f"{path}, line {row.line}: {column} {row.cells[column]!r}; expected one of "
                    f"{', '.join(known)}"
                )
        rows[name] = row
    return rows


def _labelled(clip: Clip, row: Row) -> Clip:
    cells = row.cells
    emotion, part = EMOTIONS[cells["EmoClass"]], PARTITIONS[cells["Split_Set"]]
    gender = cells["Gender"].lower()
    return replace(
        clip,
        speaker="" if cells["SpkrID"].lower() in ("unknown", "") else cells["SpkrID"],
        gender=gender if gender in ("female", "male") else "",
        emotion=emotion,
        canonical=canonical(emotion),
        split=SPLITS.get(part, ""),
        extra={
            **clip.extra,
            "partition": part,
            **{name: cells[column] for column, name in DIMENSIONS.items() if column in cells},
        },
    )


ADAPTER = Adapter(name="msp_podcast", read=read, finish=finish)
