"""RAVDESS, acted speech and song in North American English: 24 actors, 8 emotions in speech.

Livingstone and Russo, PLoS ONE 13(5), 2018; names from https://zenodo.org/records/1188976.
A name is seven two-digit codes, `03-01-06-01-02-01-12`: modality, vocal channel, emotion,
intensity, statement, repetition, actor; even actors are female. Neutral has no strong intensity.

The corpus `ravdess` is its 1440 clips of speech. Song (channel 02) is refused as a `Problem`:
it is no speech, and it is by the same actors, so as a corpus of its own it would carry speakers
across a split. Audio-visual files (modality 01) hold the sound of their audio-only twin (03):
`scan` keeps one of the two. Video-only files (02) have no sound.
"""

import re

from gensr.features.corpora.adapter import Adapter, by_name
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.labels import canonical

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
MODALITIES = {"01": "audio-visual", "03": "audio"}
INTENSITIES = {"01": "normal", "02": "strong"}
# 01: "Kids are talking by the door", 02: "Dogs are sitting by the door".
_NAME = re.compile(
    r"(?P<modality>0[123])-(?P<channel>0[12])-(?!01-02)(?P<emotion>0[1-8])-(?P<intensity>0[12])"
    r"-(?P<statement>0[12])-(?P<repetition>0[12])-(?P<actor>0[1-9]|1\d|2[0-4])",
    re.ASCII,
)


def _clip(path: str, match: re.Match[str]) -> Clip | Problem:
    if match["channel"] == "02":
        return Problem(path=path, reason="RAVDESS song (channel 02), not speech")
    if match["modality"] == "02":
        return Problem(path=path, reason="RAVDESS video without sound (modality 02)")
    emotion = EMOTIONS[match["emotion"]]
    return Clip(
        path=path,
        corpus="ravdess",
        speaker=match["actor"],
        gender="male" if int(match["actor"]) % 2 else "female",
        sentence=match["statement"],
        emotion=emotion,
        canonical=canonical(emotion),
        extra={
            "intensity": INTENSITIES[match["intensity"]],
            "repetition": match["repetition"],
            "modality": MODALITIES[match["modality"]],
        },
    )


read = by_name(_NAME, _clip)
ADAPTER = Adapter(name="ravdess", read=read, official=1440)
