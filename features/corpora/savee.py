"""SAVEE, Surrey audio-visual expressed emotion: 480 clips, 4 men, 7 emotions, British English.

Haq and Jackson, "Speaker-dependent audio-visual emotion recognition", AVSP 2009; names from
http://kahlan.eps.surrey.ac.uk/savee/. The official archive has `DC/a01.wav`: a folder for each
speaker, the emotion's letters, the sentence's number (15 for each emotion, 30 for neutral).
Copies in one folder write `DC_a01.wav`. A bare `a01` is not enough: the folder right above it
must name the speaker.

Sentences: each emotion has 3 that all emotions share, taken to be 01 to 03, and 12 of its own.
Neutral repeats those 3 and others among its 30, in an order the corpus does not document: its
sentences carry names of their own, so an overlap of text with neutral cannot be seen from here.
"""

import re

from gensr.features.corpora.adapter import Adapter, folders_above, stem
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.labels import canonical

EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
SPEAKERS = ("DC", "JE", "JK", "KL")
_NAME = re.compile(
    rf"(?:(?P<speaker>{'|'.join(SPEAKERS)})_)?"
    r"(?:(?P<emotion>a|d|f|h|sa|su)(?P<number>0[1-9]|1[0-5])|n(?P<neutral>0[1-9]|[12]\d|30))",
    re.ASCII,
)


def read(path: str, root: str = "") -> Clip | None:
    """Read a file name of SAVEE.

    Args:
        path: POSIX path; the name without its suffix, and the folder right above, count.
        root: Name of the folder that was scanned: it may be the speaker's.

    >>> read("AudioData/KL/su07.wav").speaker
    'KL'
    """
    match = _NAME.fullmatch(stem(path))
    if match is None:
        return None
    speaker = match["speaker"] or next(iter(folders_above(path, root)), "")
    if speaker not in SPEAKERS:
        return None
    code, number = match["emotion"] or "n", match["number"] or match["neutral"]
    common = code != "n" and int(number) <= 3
    emotion = EMOTIONS[code]
    return Clip(
        path=path,
        corpus="savee",
        speaker=speaker,
        gender="male",
        sentence=f"common{number}" if common else f"{code}{number}",
        emotion=emotion,
        canonical=canonical(emotion),
    )


ADAPTER = Adapter(name="savee", read=read, official=480)
