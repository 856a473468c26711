"""The split that clips name, over corpora of which some name none."""

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid, together


def named(corpus: str) -> Table:
    """A corpus whose speakers a to f are train, g and h dev, i and j test."""
    clips = grid(corpus, "abcdefghij")
    part = {**dict.fromkeys("abcdef", "train"), "g": "dev", "h": "dev"}
    return {**clips, "split": np.array([part.get(s, "test") for s in clips["speaker"]])}


@pytest.fixture
def both() -> Table:
    return together(named("tv"), grid("acted", "xyz"))


def test_who_names_no_split_is_learnt_from_whole(both: Table) -> None:
    protocol = make_protocol(both)
    assert protocol.name == "official"
    assert protocol.roles == {"acted": "learnt from", "tv": "learnt from and tested"}
    (fold,) = protocol.folds
    corpus, split = both["corpus"], both["split"]
    assert set(corpus[fold.test]) == {"tv"}
    assert set(split[fold.test]) == {"test"}
    assert set(split[fold.dev]) == {"dev"}
    assert (corpus[fold.learn] == "acted").sum() == (corpus == "acted").sum()
    assert "learnt from whole, as they name no split: acted" in protocol.notes()


def test_a_label_that_no_tested_corpus_knows_is_left_out_and_counted(both: Table) -> None:
    canonical = np.where(
        (both["corpus"] == "acted") & (both["canonical"] == "sad"), "boredom", both["canonical"]
    )
    protocol = make_protocol({**both, "canonical": canonical})
    assert protocol.left_out == {"labelled boredom, no class of the tested corpora": 12}
    assert "boredom" not in protocol.classes


def test_several_named_splits_are_tested_together() -> None:
    protocol = make_protocol(together(named("one"), named("two")))
    assert protocol.name == "official"
    assert {protocol.columns["corpus"][row] for row in protocol.folds[0].test} == {"one", "two"}
    assert {cluster.split("/")[0] for cluster in protocol.clusters} == {"one", "two"}


def test_a_hold_out_that_learns_from_an_official_test_says_so_first(both: Table) -> None:
    protocol = make_protocol(both, name="speaker-holdout")
    learnt = protocol.folds[0].learn
    count = int(((both["corpus"] == "tv") & (both["split"] == "test"))[learnt].sum())
    assert count
    assert protocol.notes()[0].startswith(
        f"learns from clips of an official test part (tv {count}): "
    )
    assert protocol.test_learnt == {"tv": count}


def test_as_before_is_the_question_that_was_asked_before(both: Table) -> None:
    """What names no split was in no part of it then; the hash of such a run still holds."""
    protocol = make_protocol(both, name="official", as_before=True)
    assert protocol.left_out == {"in no part of the split": 36}
    assert protocol.roles == {}
    assert protocol.hash != make_protocol(both, name="official").hash


def test_a_corpus_whose_split_is_not_whole_is_held_out_by_speaker() -> None:
    clips = together(named("tv"), grid("acted", "xyz"))
    split = clips["split"].copy()
    split[0] = ""
    assert make_protocol({**clips, "split": split}).name == "speaker-holdout"


def test_nobody_names_a_test() -> None:
    clips = together(grid("one", "abc"), grid("two", "abc"))
    with pytest.raises(ProtocolError, match=r"needs clips of both train and test; found none 72"):
        make_protocol(clips, name="official")
