"""IEMOCAP's settings on a table of its dialogues: classes, sessions, speakers, acts."""

from itertools import product

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.iemocap import CLASSES, families
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import table

EMOTIONS = ("anger", "happiness", "excitement", "neutral", "sadness", "frustration", "fear")


@pytest.fixture
def clips() -> Table:
    """Five sessions, two dialogues each, two speakers in each, seven emotions each."""
    return table(
        [
            {
                "corpus": "iemocap",
                "speaker": f"{session}{who}",
                "gender": "female" if who == "F" else "male",
                "dialogue": f"Ses0{session}F_{act}",
                "emotion": emotion,
                "canonical": "" if emotion in ("excitement", "frustration") else emotion,
            }
            for session, act, who, emotion in product(
                range(1, 6), ("impro01", "script01_1"), "FM", EMOTIONS
            )
        ]
    )


def test_there_are_twelve_settings() -> None:
    assert len(families()) == 12
    assert "iemocap-4-improvised-speaker" in families()
    assert [len(CLASSES[count]) for count in CLASSES] == [4, 5, 6]


def test_four_classes_by_session_are_the_default(clips: Table) -> None:
    protocol = make_protocol(clips)
    assert protocol.name == "iemocap-4-session"
    assert protocol.classes == ("anger", "happiness", "neutral", "sadness")
    assert protocol.label_map["excitement"] == "happiness"
    assert protocol.left_out == {
        "labelled fear, none of the 4 classes": 20,
        "labelled frustration, none of the 4 classes": 20,
    }
    assert [fold.held_out for fold in protocol.folds] == [f"session {i}" for i in range(1, 6)]
    assert protocol.disjoint == ("speaker", "dialogue")
    assert protocol.cluster == "speaker"
    assert "excitement counts as happiness: 20 clips" in protocol.notes()
    assert any("scripted dialogues" in note and "improvised-session" in note
               for note in protocol.notes())  # fmt: skip


@pytest.mark.parametrize("name", sorted(families()))
def test_every_setting_is_what_its_name_says(clips: Table, name: str) -> None:
    protocol = make_protocol(clips, name=name)
    _, count, *rest = name.split("-")
    assert len(protocol.classes) == int(count)
    assert len(protocol.folds) == (10 if "speaker" in rest else 5)
    scripted = {d for d in protocol.columns["dialogue"] if "script" in d}
    assert bool(scripted) != ("improvised" in rest)
    assert protocol.overlaps["speaker"] == 0
    assert sum(len(fold.test) for fold in protocol.folds) == len(protocol.paths)


def test_by_speaker_the_partner_is_learnt_from_in_the_same_dialogues(clips: Table) -> None:
    protocol = make_protocol(clips, name="iemocap-4-speaker")
    assert protocol.overlaps["dialogue"] == len(protocol.paths)
    assert any("share their dialogue" in note for note in protocol.notes())


def test_six_classes_keep_excitement_apart(clips: Table) -> None:
    protocol = make_protocol(clips, name="iemocap-6-session")
    assert {"excitement", "frustration"} < set(protocol.classes)
    assert not any("counts as" in note for note in protocol.notes())


def test_codes_of_a_manifest_mean_the_same(clips: Table) -> None:
    codes = {"anger": "ang", "happiness": "hap", "excitement": "exc", "neutral": "neu",
             "sadness": "sad", "frustration": "fru", "fear": "fea"}  # fmt: skip
    coded = np.array([codes[word] for word in clips["emotion"]])
    protocol = make_protocol({**clips, "emotion": coded})
    assert protocol.classes == ("anger", "happiness", "neutral", "sadness")
    assert protocol.label_map == {"ang": "anger", "exc": "happiness", "hap": "happiness",
                                  "neu": "neutral", "sad": "sadness"}  # fmt: skip


def test_what_cannot_be_asked(clips: Table) -> None:
    with pytest.raises(ProtocolError, match="drop --labels canonical"):
        make_protocol(clips, name="iemocap-4-session", labels="canonical")
    with pytest.raises(ProtocolError, match="is about emotion, not gender"):
        make_protocol(clips, name="iemocap-4-session", label="gender")
    with pytest.raises(ProtocolError, match="a dialogue such as Ses01F_impro01 of every clip"):
        make_protocol({**clips, "dialogue": np.full(len(clips["path"]), "d1")})
