"""Enrolment: a speaker's vectors less the mean of some of their clips, whose labels nobody reads.

Who speaks is most of what an encoder hears, and no part of the question. Where some clips of a
speaker are at hand before that speaker is answered, their mean takes it out. That is more than a
system without enrolment knows, and the clips may be among those that are tested: so its numbers
are scored apart, and every table says so.

Which clips: those whose hashed paths come first, so that neither labels, nor folds, nor the order
of stores have a say, and a run's vectors are the same wherever they are read.

Shapes: N clips, S speakers, K conditioning layers, L width.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError

CHUNK = 4096
"""Rows that are centred at once."""


def note_of(clips: int) -> str:
    """What a reader of the numbers must know; empty where nobody was enrolled.

    >>> note_of(0), note_of(10)
    ('', 'enrolled: vectors of every speaker less the mean of 10 unlabelled clips of theirs')
    """
    if not clips:
        return ""
    some = f"{clips} unlabelled clips" if clips > 1 else "one unlabelled clip"
    return f"enrolled: vectors of every speaker less the mean of {some} of theirs"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The means of the speakers of some stores."""

    means: NDArray[np.float32]
    """(S, K+1, L)."""
    speaker: NDArray[np.int64]
    """(N,) of each row."""

    def centre(self, rows: NDArray[np.int64], x: NDArray[np.float32]) -> None:
        """Take the means off vectors (n, K+1, L) of rows (n,), in place."""
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            x[part] -= self.means[self.speaker[rows[part]]]


def drawn(table: Mapping[str, NDArray[Any]], clips: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Who speaks each clip, and by which clips each speaker is enrolled.

    Args:
        table: `path`, `corpus` and `speaker` of the clips.
        clips: of each speaker; all where there are fewer.

    Returns:
        (N,) number of each clip's speaker, and the rows that enrol, rising.

    Raises:
        ConfigError: a clip names no speaker.
    """
    speakers, corpora = table["speaker"].tolist(), table["corpus"].tolist()
    if "" in speakers:
        path = table["path"][speakers.index("")]
        raise ConfigError(
            f"{path} names no speaker, so nobody can be enrolled by their own clips; drop --enrol, "
            "or name the speakers (a manifest's column speaker)"
        )
    pairs = [f"{corpus}/{who}" for corpus, who in zip(corpora, speakers, strict=True)]
    _, speaker = np.unique(pairs, return_inverse=True)
    key = np.array([_key(str(path)) for path in table["path"]])
    order = np.lexsort((key, speaker))  # by speaker, then by hash
    first = np.r_[0, 1 + np.flatnonzero(np.diff(speaker[order]))]
    place = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    return speaker.astype(np.int64), np.sort(order[place < clips])


def _key(path: str) -> int:
    return int.from_bytes(hashlib.sha256(f"enrol/{path}".encode()).digest()[:7], "big")
