"""TESS, the Toronto emotional speech set: 2800 clips, 2 actresses, 7 emotions, 200 words.

Pichora-Fuller and Dupuis 2010, https://doi.org/10.5683/SP2/E8H2MF. A name is `OAF_back_angry`:
actress (older or younger adult female), the word in "Say the word ...", emotion, where `ps` is
pleasant surprise. One official file lost a letter, `OA_bite_neutral`: it is OAF's.
"""

import re

from gensr.features.corpora.adapter import Adapter, stem
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


def read(path: str, root: str = "") -> Clip | None:
    """Read a file name of TESS.

    Args:
        path: POSIX path; only the name without its suffix counts.
        root: Not needed here.

    >>> read("YAF_pleasant_surprised/YAF_back_ps.wav").canonical
    'surprise'
    """
    name = stem(path)
    match = _NAME.fullmatch(_MISNAMED.get(name, name))
    if match is None:
        return None
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


ADAPTER = Adapter(name="tess", read=read, official=2800)
