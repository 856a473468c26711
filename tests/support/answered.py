"""Answers to the clips of a protocol, made up: who is answered right, and how surely."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gensr.pipeline.protocols.protocol import Protocol, from_plain
from gensr.pipeline.runs.predictions import Prediction


def question(
    speakers: Mapping[str, Mapping[str, Sequence[str]]],
    *,
    classes: Sequence[str] = ("a", "b"),
    **about: Any,
) -> Protocol:
    """A protocol of one fold that tests every clip but the last; labels go round the classes.

    Args:
        speakers: for each, columns of the clips, all of one length.
        classes: their names.
        about: what `Protocol.describe` would say otherwise.
    """
    clips: list[tuple[str, str, str, str]] = []
    columns: dict[str, list[str]] = {}
    for speaker, told in speakers.items():
        n = len(next(iter(told.values())))
        named = [(f"{speaker}/{i:04d}.wav", classes[i % len(classes)]) for i in range(n)]
        clips += [(path, label, speaker, "1") for path, label in named]
        for name, values in {**told, "speaker": [speaker] * n}.items():
            columns.setdefault(name, []).extend(values)
    clips.append(("~learnt.wav", classes[0], "somebody", ""))
    for values in columns.values():
        values.append("")
    described = {
        "name": "made-up",
        "corpora": ["x"],
        "label": "emotion",
        "classes": list(classes),
        "label_map": {},
        "disjoint": ["speaker"],
        "cluster": "speaker",
        "left_out": {},
        "overlaps": {},
        "folds": {"1": "all"},
        **about,
    }
    return from_plain(described, clips, columns)


def answers(protocol: Protocol, right: Any, sure: Any = None) -> list[Prediction]:
    """An answer to each tested clip of a protocol, in its order, of two classes."""
    found = []
    for row, hit in zip(protocol.folds[0].test.tolist(), right, strict=True):
        path = protocol.paths[row]
        label = int(protocol.labels[row])
        given = label if hit else 1 - label
        p = 0.8 if sure is None else float(sure[row])
        both = np.full(2, 1 - p)
        both[given] = p
        found.append(
            Prediction(
                path,
                "1",
                protocol.classes[label],
                protocol.classes[given],
                tuple(both.tolist()),
                protocol.clusters[row],
                "x",
            )
        )
    return found
