"""Whole corpora by their file names alone: no audio, every clip as its adapter reads it."""

from collections.abc import Iterable
from itertools import product

import numpy as np

from gensr.features.corpora import cremad, emodb, ravdess, savee, tess
from gensr.features.corpora.checksums import EMODB
from gensr.features.corpora.clip import Clip
from gensr.pipeline.protocols.splits import Table
from support.clip_tables import COLUMNS


def savee_names() -> list[str]:
    """480."""
    counts = {code: 30 if code == "n" else 15 for code in savee.EMOTIONS}
    return [
        f"{speaker}/{code}{number:02}.wav"
        for speaker, code in product(savee.SPEAKERS, savee.EMOTIONS)
        for number in range(1, counts[code] + 1)
    ]


def emodb_names() -> list[str]:
    """535: the official ones."""
    return [f"wav/{name}.wav" for name in EMODB]


def ravdess_names() -> list[str]:
    """1440; neutral has no strong intensity."""
    codes = product(range(1, 9), (1, 2), (1, 2), (1, 2), range(1, 25))
    return [
        f"Actor_{a:02}/03-01-{e:02}-{i:02}-{s:02}-{r:02}-{a:02}.wav"
        for e, i, s, r, a in codes
        if (e, i) != (1, 2)
    ]


def tess_names() -> list[str]:
    """2800, of 200 words that are not the corpus's own."""
    letters = "abcdefghijklmnopqrst"
    words = [f"w{one}{two}" for one, two in product(letters, letters[:10])]
    return [
        f"{who}_{word}_{e}.wav" for who, word, e in product(("OAF", "YAF"), words, tess.EMOTIONS)
    ]


READERS = {"savee": savee, "emodb": emodb, "ravdess": ravdess, "tess": tess, "cremad": cremad}


def read(corpus: str, names: Iterable[str]) -> list[Clip]:
    clips = [READERS[corpus].read(name) for name in names]
    assert all(isinstance(clip, Clip) for clip in clips)
    return clips


def table(clips: Iterable[Clip]) -> Table:
    """Every clip a recording of its own."""
    clips = list(clips)
    columns = {
        name: np.array([getattr(clip, name) for clip in clips], object)
        for name in COLUMNS
        if name != "audio_sha256"
    }
    audio = np.array([f"{number:x}" for number in range(len(clips))], object)
    return {**columns, "audio_sha256": audio}
