"""From corpora to corpora: what both know, and nothing that was learnt from."""

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid, together


def labelled(clips: Table, old: str, *, native: str, canonical: str = "") -> Table:
    hit = clips["emotion"] == old
    return {
        **clips,
        "emotion": np.where(hit, native, clips["emotion"]),
        "canonical": np.where(hit, canonical or native, clips["canonical"]),
    }


@pytest.fixture
def three() -> Table:
    one = labelled(grid("ravdess", ["01", "02", "03"]), "sad", native="calm")
    two = labelled(grid("emodb", ["03", "08", "09"]), "sad", native="boredom")
    two = labelled(two, "happy", native="joy", canonical="happy")
    return together(one, two, grid("tess", ["OAF", "YAF"]))


def test_one_corpus_to_another(three: Table) -> None:
    protocol = make_protocol(three, name="cross-corpus:ravdess:emodb")
    (fold,) = protocol.folds
    corpus = np.array(protocol.columns["corpus"])
    assert (set(corpus[fold.learn]), set(corpus[fold.test])) == ({"ravdess"}, {"emodb"})
    assert (protocol.classes, protocol.corpora) == (("angry", "happy"), ("emodb", "ravdess"))
    assert protocol.left_out == {
        "of a corpus that is neither learnt from nor tested": 24,
        "labelled calm, no class of emodb": 12,
        "labelled boredom, no class of ravdess": 12,
    }
    assert protocol.disjoint == ("corpus",)
    assert protocol.overlaps["corpus"] == 0
    assert {protocol.clusters[row] for row in fold.test} == {f"emodb/{s}" for s in
                                                              ("03", "08", "09")}  # fmt: skip
    assert {protocol.columns["speaker"][row] for row in fold.dev} < {"ravdess/01", "ravdess/02",
                                                                     "ravdess/03"}  # fmt: skip


def test_from_two_in_any_order_is_one_question(three: Table) -> None:
    one = make_protocol(three, name="cross-corpus:ravdess+tess:emodb")
    other = make_protocol(three, name="cross-corpus:tess+ravdess:emodb")
    assert one.name == other.name == "cross-corpus:ravdess+tess:emodb"
    assert one.hash == other.hash
    assert one.roles == {"emodb": "tested", "ravdess": "learnt from", "tess": "learnt from"}


def test_native_words_may_be_asked_for(three: Table) -> None:
    native = make_protocol(three, name="cross-corpus:tess:emodb", labels="canonical")
    assert native.classes == ("angry", "happy")
    with pytest.raises(ProtocolError, match=r"every clip has the label emotion = angry"):
        make_protocol(three, name="cross-corpus:tess:emodb", labels="native")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cross-corpus", "is asked for as cross-corpus:TRAIN"),
        ("cross-corpus:emodb", "expected corpora to learn from and corpora to test"),
        ("cross-corpus:emodb:", "expected corpora to learn from"),
        ("cross-corpus:emodb:tess+emodb", "emodb is on both sides"),
        ("cross-corpus:emodb:savee", r"needs clips of savee; there are clips of emodb, ravdess"),
    ],
)
def test_what_cannot_be_asked(three: Table, name: str, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        make_protocol(three, name=name)


def test_leave_one_corpus_out_tests_each_once(three: Table) -> None:
    protocol = make_protocol(three, name="leave-one-corpus-out")
    assert [fold.held_out for fold in protocol.folds] == [
        "corpus emodb", "corpus ravdess", "corpus tess"
    ]  # fmt: skip
    assert sum(len(fold.test) for fold in protocol.folds) == len(protocol.paths)
    assert protocol.left_out == {
        "labelled boredom, which one corpus alone has": 12,
        "labelled calm, which one corpus alone has": 12,
        "labelled sad, which one corpus alone has": 8,
    }
    with pytest.raises(ProtocolError, match=r"only one corpus"):
        make_protocol(grid("emodb", ["03", "08"]), name="leave-one-corpus-out")


def test_who_is_asked_for_the_corpus_cannot_be_tested_on_a_new_one(three: Table) -> None:
    with pytest.raises(ProtocolError, match=r"never tests a corpus that it trained on"):
        make_protocol(three, name="leave-one-corpus-out", label="corpus")
