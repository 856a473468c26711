"""TESS, the Toronto emotional speech set: 2800 clips, 2 actresses, 7 emotions, 200 words.

Pichora-Fuller and Dupuis 2010, https://doi.org/10.5683/SP2/E8H2MF. A name is `OAF_back_angry`:
actress (older or younger adult female), the word in "Say the word ...", emotion, where `ps` is
pleasant surprise. One official file lost a letter, `OA_bite_neutral`: it is OAF's.
"""

import re

from gensr.features.corpora.adapter import Adapter, by_name
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.labels import canonical

EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "pleasant surprise",
    "sad": "sad",
}
_MISNAMED = {"OA_bite_neutral": "OAF_bite_neutral"}
_NAME = re.compile(rf"(?P<speaker>OAF|YAF)_(?P<word>[a-z]+)_(?P<emotion>{'|'.join(EMOTIONS)})")


def _clip(path: str, match: re.Match[str]) -> Clip:
    emotion = EMOTIONS[match["emotion"]]
    return Clip(
        path=path,
        corpus="tess",
        speaker=match["speaker"],
        gender="female",
        sentence=match["word"],
        emotion=emotion,
        canonical=canonical(emotion),
    )


read = by_name(_NAME, _clip, _MISNAMED)
ADAPTER = Adapter(name="tess", read=read, official=2800)
