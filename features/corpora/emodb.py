"""EmoDB, the Berlin database of emotional speech: 535 clips, 10 speakers, 7 emotions, German.

Burkhardt et al., "A database of German emotional speech", Interspeech 2005; codes and speakers
from the corpus page, http://emodb.bilderbar.info/docu/. A name is `03a01Fa`: speaker 03, text
a01, emotion F (Freude), version a. Ten texts, spoken by all.
"""

import re

from gensr.features.corpora.adapter import Adapter, by_name
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.labels import canonical

# The letters are those of the German words: Wut (or Ärger), Langeweile, Ekel, Angst, Freude,
# Trauer, neutral.
EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
GENDERS = {
    "03": "male",
    "08": "female",
    "09": "female",
    "10": "male",
    "11": "male",
    "12": "male",
    "13": "female",
    "14": "female",
    "15": "male",
    "16": "female",
}
_NAME = re.compile(
    rf"(?P<speaker>{'|'.join(GENDERS)})"
    r"(?P<text>a0[12457]|b0[1239]|b10)"
    rf"(?P<emotion>[{''.join(EMOTIONS)}])"
    r"(?P<version>[a-z])"
)


def _clip(path: str, match: re.Match[str]) -> Clip:
    emotion = EMOTIONS[match["emotion"]]
    return Clip(
        path=path,
        corpus="emodb",
        speaker=match["speaker"],
        gender=GENDERS[match["speaker"]],
        sentence=match["text"],
        emotion=emotion,
        canonical=canonical(emotion),
        extra={"version": match["version"]},
    )


read = by_name(_NAME, _clip)
ADAPTER = Adapter(name="emodb", read=read, official=535)
