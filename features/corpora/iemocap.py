"""IEMOCAP, interactive emotional dyadic motion capture: 10039 turns, 10 actors, 5 sessions.

Busso et al., Language Resources and Evaluation 42(4), 2008; https://sail.usc.edu/iemocap/. A turn
is `sentences/wav/Ses01F_impro01/Ses01F_impro01_M026.wav`: session, whose motion was captured,
dialogue, who speaks, turn. The speaker is the last letter: in `Ses01F_impro01_M026` the man speaks,
though the recording is of the woman's side. Labels: `dialog/EmoEvaluation/Ses01F_impro01.txt`,
a line a turn; `xxx` there means that the annotators did not agree: no label.

The folder `dialog/wav` (and `avi`) holds whole dialogues, which are counted in one note.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gensr.features.corpora.adapter import Adapter, Found, stem
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import walk
from gensr.features.corpora.labels import canonical

EMOTIONS = {
    "ang": "anger",
    "dis": "disgust",
    "exc": "excitement",
    "fea": "fear",
    "fru": "frustration",
    "hap": "happiness",
    "neu": "neutral",
    "oth": "other",
    "sad": "sadness",
    "sur": "surprise",
    "xxx": "",
}
FOLDER = "EmoEvaluation"
ACTS = {"impro": "improvised", "script": "scripted"}
_DIALOGUE = r"Ses0(?P<session>[1-5])(?P<side>[FM])_(?P<act>impro|script)\d\d[a-z]?(?:_\d[a-z]?)?"
_NAME = re.compile(rf"(?P<dialogue>{_DIALOGUE})_(?P<speaker>[FM])(?P<turn>(?:XX)?\d+)", re.ASCII)
_WHOLE = re.compile(_DIALOGUE, re.ASCII)
_LINE = re.compile(
    r"\[(?P<start>[\d.]+) - (?P<end>[\d.]+)\]\s+(?P<turn>\S+)\s+(?P<emotion>[a-z]{3})"
    r"\s+\[(?P<valence>[\d.]+), (?P<activation>[\d.]+), (?P<dominance>[\d.]+)\]\s*"
)
_LEFTOVER = "IEMOCAP's whole dialogue, not a turn of it"
_DIMENSIONS = ("valence", "activation", "dominance")


def read(path: str, root: str = "") -> Clip | Problem | None:
    """Read a file name of IEMOCAP: who speaks in which dialogue; the label is in its table.

    Args:
        path: POSIX path relative to the root; the name without its suffix counts.
        root: not looked at.

    >>> read("Ses01F_impro01_M026.wav").speaker, read("Ses01F_impro01_M026.wav").gender
    ('1M', 'male')
    """
    name = stem(path)
    match = _NAME.fullmatch(name)
    if match is None:
        return Problem(path=path, reason=_LEFTOVER) if _WHOLE.fullmatch(name) else None
    return Clip(
        path=path,
        corpus="iemocap",
        speaker=f"{match['session']}{match['speaker']}",
        gender="female" if match["speaker"] == "F" else "male",
        dialogue=match["dialogue"],
        extra={"session": match["session"], "act": ACTS[match["act"]], "turn": name},
    )


def finish(root: Path, found: Found) -> Found:
    """Add the labels, and report turns that no table has.

    Args:
        root: The folder that was scanned: the corpus, a session of it, or the turns alone.
        found: Clips as read from their names.

    Raises:
        CorpusError: There is no `EmoEvaluation`, or a line of one cannot be read.
    """
    problems = [problem for problem in found.problems if problem.reason != _LEFTOVER]
    notes = list(found.notes)
    if whole := len(found.problems) - len(problems):
        notes.append(f"iemocap: {whole} whole dialogues left out (dialog/wav, dialog/avi)")
    if not found.clips:
        return Found(clips=(), problems=tuple(problems), notes=tuple(notes))
    tables = _tables(root, sorted({clip.dialogue for clip in found.clips}))
    labels = {dialogue: _read_labels(table) for dialogue, table in tables.items()}
    clips: list[Clip] = []
    for clip in found.clips:
        table = f"{FOLDER}/{clip.dialogue}.txt"
        if clip.dialogue not in labels:
            problems.append(Problem(path=clip.path, reason=f"there is no {table}"))
        elif (label := labels[clip.dialogue].get(clip.extra["turn"])) is None:
            problems.append(Problem(path=clip.path, reason=f"is not in {table}"))
        else:
            clips.append(_labelled(clip, label))
    if unsure := sum(not clip.emotion for clip in clips):
        notes.append(f"iemocap: {unsure} turns on which the annotators did not agree: no label")
    return Found(clips=tuple(clips), problems=tuple(problems), notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class _Label:
    emotion: str
    dimensions: Mapping[str, str]
    """Means over the annotators, 1 to 5, as written."""


def _tables(root: Path, dialogues: list[str]) -> dict[str, Path]:
    """The table of each dialogue: under the root, or in a `dialog` folder beside it or above."""
    names = {f"{dialogue}.txt": dialogue for dialogue in dialogues}
    inside = [Path(path) for path in walk(root).paths]
    found = {
        names[path.name]: root / path
        for path in inside
        if path.parent.name == FOLDER and path.name in names
    }
    for above in root.resolve().parents[:3]:
        folder = above / "dialog" / FOLDER
        for name, dialogue in names.items():
            if dialogue not in found and (folder / name).is_file():
                found[dialogue] = folder / name
    if root.name == FOLDER or found:
        return found
    raise CorpusError(
        f"{root}: holds turns of IEMOCAP, and no dialog/{FOLDER}/{dialogues[0]}.txt under it or "
        "beside it; give the corpus's own folder, or add its tables"
    )


def _read_labels(table: Path) -> dict[str, _Label]:
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{table}: cannot be read ({error})") from error
    found: dict[str, _Label] = {}
    for number, line in enumerate(lines, 1):
        if not line.startswith("["):  # the annotators' own answers, and empty lines
            continue
        match = _LINE.fullmatch(line)
        if match is None or match["emotion"] not in EMOTIONS:
            raise CorpusError(
                f"{table}, line {number}: expected [START - END], a turn, one of "
                f"{', '.join(EMOTIONS)}, and [valence, activation, dominance]"
            )
        if match["turn"] in found:
            raise CorpusError(f"{table}, line {number}: {match['turn']} is there twice")
        found[match["turn"]] = _Label(
            EMOTIONS[match["emotion"]], {name: match[name] for name in _DIMENSIONS}
        )
    return found


def _labelled(clip: Clip, label: _Label) -> Clip:
    return replace(
        clip,
        emotion=label.emotion,
        canonical=canonical(label.emotion),
        extra={**clip.extra, **label.dimensions},
    )


ADAPTER = Adapter(name="iemocap", read=read, finish=finish, official=10_039)
