"""A user's own folds by a column."""

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid


def with_column(*values: str) -> Table:
    """Speakers a, b, ... have a value each."""
    clips = grid("mine", "abcdefghijkl"[: len(values)])
    value = dict(zip("abcdefghijkl", values, strict=False))
    return {**clips, "part": np.array([value[s] for s in clips["speaker"]])}


def test_each_value_is_tested_once_in_natural_order() -> None:
    clips = with_column("2", "10", "1", "10")
    protocol = make_protocol(clips, name="column:part")
    assert [fold.held_out for fold in protocol.folds] == ["part = 1", "part = 2", "part = 10"]
    assert protocol.name == "column:part"
    for fold in protocol.folds:
        assert not set(clips["part"][fold.test]) & set(clips["part"][fold.learn])
        assert len(fold.test) + len(fold.learn) == 48


def test_a_clip_without_a_value_is_in_no_fold() -> None:
    protocol = make_protocol(with_column("1", "", "2", "1"), name="column:part")
    assert protocol.left_out == {"without a value in part": 12}


def test_words_of_a_split_are_one() -> None:
    clips = with_column("train", "train", "dev", "test")
    (fold,) = make_protocol(clips, name="column:part").folds
    assert fold.held_out == "part = test"
    assert set(clips["part"][fold.dev]) == {"dev"}
    assert set(clips["part"][fold.train]) == {"train"}
    spelt = with_column("Training", "training", "valid", "Test")
    (same,) = make_protocol(spelt, name="column:part").folds
    assert same.test.tolist() == fold.test.tolist()
    assert same.dev.tolist() == fold.dev.tolist()


def test_nothing_is_promised_and_what_is_shared_is_said() -> None:
    clips = with_column("1", "2", "3", "4")
    moved = {**clips, "speaker": np.where(clips["speaker"] == "b", "a", clips["speaker"])}
    protocol = make_protocol(moved, name="column:part")
    assert protocol.disjoint == ()
    assert any("24 of 48 tested clips share their speaker" in note for note in protocol.notes())


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("column", ("1", "2"), "is asked for as column:NAME"),
        ("column:", ("1", "2"), "is asked for as column:NAME"),
        ("column:fold", ("1", "2"), "no column 'fold'; the clips have path, corpus"),
        ("column:part", ("1", "1"), "the column part says only '1'"),
        ("column:part", ("", ""), "the column part says nothing"),
        ("column:path", ("1", "2"), r"has 24 values for 24 clips \(0000.wav, .*so no folds"),
    ],
)
def test_what_tells_no_folds_is_refused(name: str, values: tuple[str, ...], said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        make_protocol(with_column(*values), name=name)


def test_the_sides_are_part_of_the_question() -> None:
    one = make_protocol(with_column("1", "2", "3", "4"), name="column:part")
    other = make_protocol(with_column("1", "2", "3", "3"), name="column:part")
    assert one.parts
    assert one.hash != other.hash
