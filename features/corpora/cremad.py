"""CREMA-D, crowd-sourced emotional multimodal actors: 7442 clips, 91 actors, 6 emotions.

Cao et al., IEEE Transactions on Affective Computing 5(4), 2014; names and the actors' table from
https://github.com/CheyneyComputerScience/CREMA-D. A name is `1001_IEO_ANG_HI`: actor, sentence
(12, spoken by all), emotion, level (low, medium, high; XX where none was asked for). The label
is the emotion the actor was asked for, not the crowd's vote.
"""

import re
from dataclasses import replace
from pathlib import Path

from gensr.features.corpora.adapter import Adapter, Found, by_name
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import tables_named
from gensr.features.corpora.labels import canonical
from gensr.features.corpora.tables import read_table

EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
SENTENCES = ("IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
DEMOGRAPHICS = "VideoDemographics.csv"
# Some copies hold one file with its last letter lost.
_MISNAMED = {"1040_ITH_SAD_X": "1040_ITH_SAD_XX"}
_NAME = re.compile(
    r"(?P<actor>10(?!00)[0-8]\d|109[01])"
    rf"_(?P<sentence>{'|'.join(SENTENCES)})"
    rf"_(?P<emotion>{'|'.join(EMOTIONS)})"
    rf"_(?P<level>{'|'.join(LEVELS)})",
    re.ASCII,
)


def _clip(path: str, match: re.Match[str]) -> Clip:
    emotion = EMOTIONS[match["emotion"]]
    return Clip(
        path=path,
        corpus="cremad",
        speaker=match["actor"],
        sentence=match["sentence"],
        emotion=emotion,
        canonical=canonical(emotion),
        extra={"level": LEVELS[match["level"]]},
    )


read = by_name(_NAME, _clip, _MISNAMED)


def finish(root: Path, found: Found) -> Found:
    """Add the actors' genders from `VideoDemographics.csv`, under the root or beside it.

    Args:
        root: The folder that was scanned.
        found: Clips as read from their names.

    Raises:
        CorpusError: The table is there and cannot be read.
    """
    tables = tables_named(root, DEMOGRAPHICS)
    if not tables:
        note = f"cremad: no {DEMOGRAPHICS} under the root or beside it, so no genders"
        return replace(found, notes=(*found.notes, note))
    table = read_table(tables[0], fits={"ActorID", "Sex"}.issubset)
    for column in ("ActorID", "Sex"):
        if column not in table.columns:
            raise CorpusError(f"{tables[0]}, line 1: expected the column {column}")
    genders = {row.cells["ActorID"]: row.cells["Sex"].lower() for row in table.rows}
    clips = [replace(clip, gender=genders.get(clip.speaker, "")) for clip in found.clips]
    return replace(found, clips=tuple(clips))


ADAPTER = Adapter(name="cremad", read=read, finish=finish, official=7442)
