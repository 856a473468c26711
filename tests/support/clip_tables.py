"""Clip tables said outright: what protocols are made of, without audio or store."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from gensr.pipeline.protocols.splits import Table

COLUMNS = [
    "path",
    "corpus",
    "speaker",
    "gender",
    "sentence",
    "dialogue",
    "emotion",
    "canonical",
    "split",
    "audio_sha256",
]


def table(rows: Sequence[dict[str, str]]) -> Table:
    filled = [
        {"path": f"{i:04}.wav", "audio_sha256": f"{i:x}", **row} for i, row in enumerate(rows)
    ]
    return {name: np.array([row.get(name, "") for row in filled]) for name in COLUMNS}


def grid(corpus: str, speakers: Sequence[str], sentences: int = 4, **more: str) -> Table:
    emotions = ("angry", "happy", "sad")
    return table(
        [
            {
                "corpus": corpus,
                "speaker": s,
                "sentence": str(w),
                "emotion": e,
                "canonical": e,
                "gender": "female" if i % 2 else "male",
                **more,
            }
            for (i, s), w, e in product(enumerate(speakers), range(sentences), emotions)
        ]
    )


def together(*tables: Table) -> Table:
    """Several corpora, every clip a path and a recording of its own."""
    both = {name: np.concatenate([one[name] for one in tables]) for name in COLUMNS}
    both["path"] = np.array([f"{i:05}.wav" for i in range(len(both["path"]))])
    both["audio_sha256"] = np.array([f"{i:x}" for i in range(len(both["path"]))])
    return both
