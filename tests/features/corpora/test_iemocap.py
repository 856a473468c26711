"""IEMOCAP by its documented layout: who speaks, what the annotators agreed on, what is no turn."""

from pathlib import Path

import pytest

from gensr.features.corpora import iemocap
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.scan import scan
from support.contracts.corpus import fill
from support.corpora import write_evaluation

WAV = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    names = [f"{WAV}_{turn}.wav" for turn in ("F000", "M000", "M001")]
    fill(tmp_path / "IEMOCAP_full_release", names)
    write_evaluation(
        tmp_path / "IEMOCAP_full_release",
        1,
        "Ses01F_impro01",
        {"F000": "neu", "M000": "exc", "M001": "xxx"},
    )
    return tmp_path / "IEMOCAP_full_release"


def test_the_speaker_is_the_letter_of_the_turn_not_of_the_recording() -> None:
    clip, other = map(iemocap.read, ("Ses01F_impro01_M026.wav", "Ses05M_script02_2_F012.wav"))
    assert isinstance(clip, Clip)
    assert isinstance(other, Clip)
    assert (clip.speaker, clip.gender, clip.dialogue) == ("1M", "male", "Ses01F_impro01")
    assert (clip.extra["act"], clip.extra["session"]) == ("improvised", "1")
    assert (other.speaker, other.gender, other.extra["act"]) == ("5F", "female", "scripted")


def test_labels_are_the_agreed_ones(root: Path) -> None:
    found = scan(root)
    assert [clip.emotion for clip in found.clips] == ["neutral", "excitement", ""]
    assert [clip.canonical for clip in found.clips] == ["neutral", "", ""]
    assert found.clips[0].extra["valence"] == "2.5000"
    assert any("1 turns on which the annotators did not agree" in note for note in found.notes)


def test_transcriptions_of_the_same_name_are_no_labels(root: Path) -> None:
    words = root / "Session1/dialog/transcriptions/Ses01F_impro01.txt"
    words.parent.mkdir()
    words.write_text("Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.\n")
    assert [clip.emotion for clip in scan(root).clips] == ["neutral", "excitement", ""]


def test_the_turns_alone_may_be_the_root(root: Path) -> None:
    assert len(scan(root / "Session1/sentences/wav").clips) == 3
    assert len(scan(root / "Session1").clips) == 3


def test_whole_dialogues_are_counted_and_left_out(root: Path) -> None:
    fill(root, ["Session1/dialog/wav/Ses01F_impro01.wav"])
    found = scan(root)
    assert len(found.clips) == 3
    assert found.problems == ()
    assert any("1 whole dialogues left out" in note for note in found.notes)


def test_a_turn_in_no_table_is_named(root: Path) -> None:
    fill(root, [f"{WAV}_F009.wav", WAV.replace("impro01", "impro02") + "_F000.wav"])
    said = {problem.path.rpartition("/")[2]: problem.reason for problem in scan(root).problems}
    assert said["Ses01F_impro01_F009.wav"] == "is not in EmoEvaluation/Ses01F_impro01.txt"
    assert said["Ses01F_impro02_F000.wav"] == "there is no EmoEvaluation/Ses01F_impro02.txt"


def test_what_cannot_be_read_is_refused_by_its_line(root: Path) -> None:
    table = root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    table.write_text(table.read_text().replace("exc", "joy"))
    with pytest.raises(CorpusError, match=r"Ses01F_impro01.txt, line 7: expected"):
        scan(root)
    table.unlink()
    with pytest.raises(CorpusError, match=r"no dialog/EmoEvaluation/Ses01F_impro01.txt"):
        scan(root)
