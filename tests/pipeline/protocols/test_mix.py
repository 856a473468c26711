"""The paper's question, on a table: who is learnt from, who is tested, what is left out."""

from itertools import product

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.mix import CORPORA
from gensr.pipeline.protocols.splits import PARTS, Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import table, together

SEVEN = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


def meld() -> Table:
    rows = [
        {"corpus": "meld", "speaker": who, "split": part, "dialogue": f"{part}-{d}",
         "emotion": e, "canonical": e}
        for part, d, e, who in product(PARTS, range(4), SEVEN, ("Ross", "Monica"))
    ]  # fmt: skip
    return table(rows)


def other(corpus: str, *emotions: str) -> Table:
    rows = [
        {"corpus": corpus, "speaker": who, "emotion": e, "canonical": e}
        for who, e in product("abcd", (*SEVEN, *emotions))
    ]
    return table(rows)


@pytest.fixture
def six() -> Table:
    more = {"ravdess": ("calm",), "emodb": ("boredom",)}
    others = [other(name, *more.get(name, ())) for name in CORPORA if name != "meld"]
    return together(meld(), *others)


def test_meld_is_tested_by_its_official_split_and_all_others_are_learnt_from(six: Table) -> None:
    protocol = make_protocol(six)
    (fold,) = protocol.folds
    assert protocol.name == "paper-mix"
    assert (protocol.label, protocol.classes) == ("canonical", SEVEN)
    assert protocol.left_out == {
        "labelled boredom, no class of meld": 4,
        "labelled calm, no class of meld": 4,
    }
    corpus, split = np.array(protocol.columns["corpus"]), six["split"][protocol.store_rows]
    assert set(zip(corpus[fold.test], split[fold.test], strict=True)) == {("meld", "test")}
    assert set(zip(corpus[fold.dev], split[fold.dev], strict=True)) == {("meld", "dev")}
    assert set(corpus[fold.learn]) == set(CORPORA)
    assert "test" not in split[fold.learn]
    assert protocol.disjoint == ("dialogue",)
    assert protocol.cluster == "dialogue"
    assert {protocol.clusters[row] for row in fold.test} == {f"meld/test-{d}" for d in range(4)}
    assert protocol.roles["meld"] == "learnt from and tested"
    assert {protocol.roles[name] for name in CORPORA if name != "meld"} == {"learnt from"}
    assert not any("whole mix" in note for note in protocol.notes())


def test_the_absent_ones_are_said() -> None:
    protocol = make_protocol(together(meld(), other("emodb"), other("tess")))
    assert protocol.name == "paper-mix"
    assert protocol.notes()[0] == "not the whole mix: no clips of cremad, ravdess, savee"
    alone = make_protocol(meld(), name="paper-mix")
    assert "no clips of cremad, emodb, ravdess, savee, tess" in alone.notes()[0]
    clips = together(meld(), other("emodb"))
    kept = (clips["corpus"] != "meld") | (clips["split"] == "test")
    left = {name: values[kept] for name, values in clips.items()}
    tested = make_protocol(left, name="paper-mix")
    assert "not the whole mix: none of MELD's clips is of its train part" in tested.notes()


def test_without_meld_or_with_strangers_it_is_refused(six: Table) -> None:
    without = {name: values[six["corpus"] != "meld"] for name, values in six.items()}
    with pytest.raises(ProtocolError, match=r"paper-mix needs clips of meld"):
        make_protocol(without, name="paper-mix")
    strange = {**six, "corpus": np.where(six["corpus"] == "tess", "mine", six["corpus"])}
    with pytest.raises(ProtocolError, match=r"there are clips of mine; .*--protocol official"):
        make_protocol(strange, name="paper-mix")
    with pytest.raises(ProtocolError, match=r"drop --labels native"):
        make_protocol(six, name="paper-mix", labels="native")


def test_melds_own_protocol_points_to_it(six: Table) -> None:
    with pytest.raises(ProtocolError, match=r"is for meld, .*try --protocol paper-mix"):
        make_protocol(six, name="meld-official")


def test_a_hold_out_of_the_six_says_that_it_learns_from_melds_test(six: Table) -> None:
    notes = make_protocol(six, name="speaker-holdout", labels="canonical").notes()
    assert notes[0].startswith("learns from clips of an official test part (meld ")


def test_a_dialogue_on_both_sides_is_a_leak(six: Table) -> None:
    moved = np.where(six["dialogue"] == "train-0", "test-0", six["dialogue"])
    with pytest.raises(ProtocolError, match=r"leak: 14 of 56 tested clips .* share their dialogue"):
        make_protocol({**six, "dialogue": moved})
