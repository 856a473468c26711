"""A kept protocol on the rows of a table: its tests are the run's own."""

import numpy as np

from gensr.pipeline.protocols.bound import bound
from gensr.pipeline.protocols.protocol import from_plain
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid, together


def test_it_is_what_was_made_of_the_same_clips():
    clips = together(grid("left", "abcd"), grid("right", "abcd"))
    clips = {**clips, "part": np.array(list(clips["speaker"]))}
    made = make_protocol(clips, name="column:part")
    kept = from_plain(made.describe(), made.assignment(), made.facts())
    shuffled = {name: values[::-1] for name, values in clips.items()}
    found = bound(kept, shuffled)
    assert found.hash == made.hash
    assert found.store_rows.tolist() == list(range(96))
    for one, other in zip(found.folds, made.folds, strict=True):
        assert sorted(found.paths[row] for row in one.test) == sorted(
            made.paths[row] for row in other.test
        )
        assert (np.diff(one.test) > 0).all()
    for number, path in enumerate(found.paths):
        assert shuffled["path"][found.store_rows[number]] == path
        assert found.columns["emotion"][number] == shuffled["emotion"][number]


def test_another_label_speaker_or_a_lost_clip_changes_the_hash():
    clips = grid("mine", "abcd")
    clips = {**clips, "part": clips["speaker"].copy()}
    made = make_protocol(clips, name="column:part")
    kept = from_plain(made.describe(), made.assignment(), made.facts())
    for column, value in (("emotion", "happy"), ("speaker", "z")):
        other = clips[column].copy()
        other[0] = value
        assert bound(kept, {**clips, column: other}).hash != made.hash
    fewer = {name: values[1:] for name, values in clips.items()}
    assert bound(kept, fewer).hash != made.hash
