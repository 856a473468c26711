"""Which corpora lie under a folder, what to obtain, and what is then asked."""

import pytest

from gensr.pipeline.reproduce import obtain, paper
from gensr.pipeline.reproduce.errors import ReproduceError
from gensr.pipeline.reproduce.present import look
from gensr.pipeline.reproduce.questions import questions
from support import tones


@pytest.fixture
def corpora(tmp_path):
    tones.write_corpus(tmp_path / "one", corpus="ravdess", speakers=("01", "02", "05", "06"))
    tones.write_corpus(tmp_path / "savee", corpus="savee")
    (tmp_path / "MELD").mkdir()
    (tmp_path / "MELD/test_sent_emo.csv").write_text("Utterance\n")
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def test_corpora_are_found_by_what_they_hold_and_missing_ones_say_why(corpora):
    found = look(corpora)
    assert found.folders == {"ravdess": corpora / "one", "savee": corpora / "savee"}
    assert found.missing == {
        "emodb": "EmoDB audio missing",
        "tess": "TESS audio missing",
        "cremad": "CREMA-D audio missing",
        "meld": "MELD audio missing (the folder MELD holds none)",
    }
    lines = obtain.to_get("table1", found.missing, ["fbank", paper.HUBERT])
    assert len(lines) == 5
    assert "https://github.com/declare-lab/MELD" in lines[0]
    assert "GPL-3.0" in lines[0]
    assert paper.WAVLM in lines[-1]


def test_gender_is_asked_of_other_clips(corpora):
    lines = obtain.to_get("table2", look(corpora).missing, [])
    assert "AIR-Bench" in lines[0]
    assert [line.split(" (")[0] for line in lines[1:3]] == ["EmoDB", "CREMA-D"]
    assert len(lines) == 5


def test_a_corpus_itself_may_be_given(corpora):
    assert look(corpora / "one").folders == {"ravdess": corpora / "one"}


def test_one_corpus_twice_and_no_folder_are_refused(corpora):
    tones.write_corpus(corpora / "two", corpus="ravdess", speakers=("01", "02", "05", "06"))
    with pytest.raises(ReproduceError, match=r"one and .*two both hold ravdess"):
        look(corpora)
    with pytest.raises(ReproduceError, match="no such folder"):
        look(corpora / "gone")


def test_every_corpus_and_encoder_of_the_paper_can_be_obtained():
    assert set(obtain.CORPORA) == set(paper.CORPORA)
    ours = {system.encoder for system in (*paper.TABLE1, *paper.TABLE2)} - {None, "fbank"}
    assert set(obtain.ENCODERS) == ours
    for one in (*obtain.CORPORA.values(), *obtain.ENCODERS.values(), obtain.AIR_BENCH):
        assert "http" in one.line()
        assert "licence: " in one.line()


def test_the_papers_question_is_asked_where_its_test_set_is(tmp_path):
    every = dict.fromkeys(paper.CORPORA, tmp_path)
    first, *others = questions("emotion", every)
    assert first.of_paper
    assert (first.protocol, first.corpora) == ("paper-mix", paper.CORPORA)
    assert first.lacks == ("the in-house corpus, more than half of the paper's training clips",)
    assert [one.corpora for one in others] == [(name,) for name in paper.CORPORA[:-1]]
    assert not any(one.of_paper for one in others)
    few = questions("emotion", {"meld": tmp_path, "tess": tmp_path})[0]
    assert few.corpora == ("tess", "meld")
    assert few.lacks[0] == "EmoDB, RAVDESS, SAVEE, CREMA-D"


def test_gender_is_asked_where_both_speak_and_speakers_are_told(tmp_path):
    asked = questions("gender", dict.fromkeys(paper.CORPORA, tmp_path))
    assert [one.name for one in asked] == ["emodb", "ravdess", "cremad"]
    assert {one.label for one in asked} == {"gender"}
    assert questions("emotion", {}) == ()
