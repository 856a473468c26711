"""What is published of the corpora: how many clips there are of what, and which are known bad.

Counts by label are in the corpus's own words, as its adapter has them, and by part of the official
split where there is one. Where each comes from stands beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gensr.features.corpora.checksums import EMODB

WHOLE = ""
"""The part that a corpus without an official split is."""
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One corpus, as it was published."""

    source: str
    """Where the counts are from."""
    labels: Mapping[str, Mapping[str, int]]
    """Part of the official split, or `WHOLE`, to label to clips."""
    checksums: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """File name without suffix to the first 8 hex digits of the SHA-256 of its WAV file."""
    bad: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """File name without suffix, after its part and `/` where there are parts, to what is wrong with
    it and who says so."""

    def clips(self, part: str = WHOLE) -> int:
        """Clips of a part."""
        return sum(self.labels[part].values())

    @property
    def test(self) -> int:
        """Clips of the official test part; 0 where there is none."""
        return self.clips("test") if "test" in self.labels else 0


def _meld(
    neutral: int, joy: int, surprise: int, anger: int, sadness: int, *rare: int
) -> dict[str, int]:
    disgust, fear = rare
    return {
        "neutral": neutral,
        "joy": joy,
        "surprise": surprise,
        "anger": anger,
        "sadness": sadness,
        "disgust": disgust,
        "fear": fear,
    }


_RAVDESS_TWICE = "has the audio of {}, sample for sample (our own hashes of a copy at 16 kHz)"
_MELD_LONG = "is cut wrongly and lasts minutes (declare-lab/MELD issue 20)"

PUBLISHED: Mapping[str, Published] = {
    "emodb": Published(
        source="Burkhardt et al., Interspeech 2005; letters of the 535 file names",
        labels={
            WHOLE: {
                "anger": 127,
                "boredom": 81,
                "neutral": 79,
                "happiness": 71,
                "fear": 69,
                "sadness": 62,
                "disgust": 46,
            }
        },
        checksums=EMODB,
    ),
    "ravdess": Published(
        source="Livingstone and Russo, PLoS ONE 13(5), 2018: 24 actors, 60 clips of speech each",
        labels={
            WHOLE: {
                "neutral": 96,
                **dict.fromkeys(
                    ("calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"), 192
                ),
            }
        },
        bad={
            "03-01-03-01-02-01-07": _RAVDESS_TWICE.format("03-01-03-01-02-02-07"),
            "03-01-03-01-02-02-07": _RAVDESS_TWICE.format("03-01-03-01-02-01-07"),
        },
    ),
    "tess": Published(
        source="https://doi.org/10.5683/SP2/E8H2MF: 200 words by 2 actresses in 7 emotions",
        labels={
            WHOLE: dict.fromkeys(
                ("angry", "disgust", "fear", "happy", "neutral", "pleasant surprise", "sad"), 400
            )
        },
    ),
    "savee": Published(
        source="http://kahlan.eps.surrey.ac.uk/savee/: 15 sentences of each emotion, 30 of neutral",
        labels={
            WHOLE: {
                "neutral": 120,
                **dict.fromkeys(
                    ("anger", "disgust", "fear", "happiness", "sadness", "surprise"), 60
                ),
            }
        },
    ),
    "cremad": Published(
        source="the 7442 names of AudioWAV, https://github.com/CheyneyComputerScience/CREMA-D",
        labels={
            WHOLE: {
                "neutral": 1087,
                **dict.fromkeys(("anger", "disgust", "fear", "happy", "sadness"), 1271),
            }
        },
        bad={
            "1076_MTI_SAD_XX": "has no audio (users of the corpus leave it out)",
        },
    ),
    "meld": Published(
        source="train_, dev_ and test_sent_emo.csv, https://github.com/declare-lab/MELD",
        labels={
            "train": _meld(4710, 1743, 1205, 1109, 683, 271, 268),
            "dev": _meld(470, 163, 150, 153, 111, 22, 40),
            "test": _meld(1256, 402, 281, 345, 208, 68, 50),
        },
        bad={
            "train/dia125_utt3": "cannot be decoded (declare-lab/MELD issues 39 and 52)",
            "dev/dia110_utt7": "is not in the official archive (declare-lab/MELD issues 22 and 27)",
            "train/dia309_utt0": "is cut wrongly (declare-lab/MELD issue 20)",
            "test/dia38_utt4": _MELD_LONG,
            "test/dia220_utt0": _MELD_LONG,
        },
    ),
}
"""Corpora by the name of their adapter."""
