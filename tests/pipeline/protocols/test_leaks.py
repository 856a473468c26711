"""Overlaps counted by hand."""

import numpy as np
import pytest

from gensr.pipeline.protocols import leaks
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Fold

TABLE = {
    "speaker": np.array(["a", "a", "b", "", ""]),
    "dialogue": np.array([""] * 5),
    "word": np.array(["u", "v", "u", "w", "w"]),
}


def fold(train: list[int], dev: list[int], test: list[int]) -> Fold:
    parts = [np.array(part, np.int64) for part in (train, dev, test)]
    return Fold(name="1", held_out="x", train=parts[0], dev=parts[1], test=parts[2])


def test_a_tested_clip_counts_once_a_fold_whatever_it_shares_with() -> None:
    folds = [fold([0], [1], [2]), fold([2, 4], [], [0, 3])]
    columns = ("speaker", "dialogue", "word")
    assert leaks.overlaps(TABLE, folds, columns) == {"speaker": 0, "word": 3}


def test_what_was_a_choice_was_learnt_from_too_and_unknown_is_nobody() -> None:
    assert leaks.overlaps(TABLE, [fold([4], [0], [1, 3])]) == {"speaker": 1}


def test_a_leak_is_what_is_declared_or_audio() -> None:
    found = {"speaker": 3, "sentence": 2, "audio_sha256": 1}
    assert leaks.leaks(("sentence",), found) == {"sentence": 2, "audio_sha256": 1}
    assert leaks.leaks((), {"speaker": 3, "audio_sha256": 0}) == {}
    with pytest.raises(ProtocolError, match=r"leak: 2 of 40 tested clips \(5.0 %\) share their s"):
        leaks.refuse("mine", 40, {"sentence": 2})
    leaks.refuse("mine", 40, {})
