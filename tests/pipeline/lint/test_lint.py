"""A whole corpus, a manifest, a store: heard, split and told, by one call."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gensr.estimator.errors import GensrError
from gensr.pipeline.lint.lint import lint
from gensr.pipeline.protocols.errors import ProtocolError
from support.babble import RATE, babble

SPEAKERS, EMOTIONS = ("a", "b", "c", "d"), ("angry", "sad")


@pytest.fixture
def corpus(tmp_path) -> Path:
    """16 clips with a manifest."""
    root = tmp_path / "corpus"
    root.mkdir()
    rows = []
    for s, who in enumerate(SPEAKERS):
        for e, emotion in enumerate(EMOTIONS):
            for k in range(2):
                name = f"{who}-{emotion}-{k}.wav"
                soundfile.write(root / name, babble(100 * s + 10 * e + k, 1.0), RATE)
                rows.append({"file": name, "speaker": who, "emotion": emotion, "sentence": str(k)})
    _write(root, rows)
    return root


def _write(root: Path, rows: list[dict[str, str]]) -> None:
    with (root / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["file", "speaker", "emotion", "sentence"])
        table.writeheader()
        table.writerows(rows)


def _add(root: Path, name: str, wave, **columns: str) -> None:
    soundfile.write(root / name, wave, RATE)
    with (root / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    _write(root, [*rows, {"file": name, **columns}])


def _kinds(found):
    return {one.kind for one in found.findings}


def test_nothing_amiss(corpus):
    found = lint(corpus)
    assert not found.fatal
    assert found.clips == 16
    assert found.protocol == "speaker-holdout"
    assert _kinds(found) <= {"overlap", "corpus"}
    assert {one.column for one in found.shortcuts} == {"sentence", "speaker", "level_db"}
    json.dumps(found.as_json())


def test_a_quieter_copy_of_another_speaker_is_fatal(corpus):
    _add(corpus, "e.wav", babble(10, 1.0) / 2, speaker="e", emotion="sad", sentence="0")
    found = lint(corpus, protocol="loso")
    assert found.fatal
    assert found.findings[0].kind == "leak"
    assert "2 of 17 tested clips (11.8 %) are near-identical" in found.findings[0].line
    assert set(found.findings[0].clips) == {"a-sad-0.wav", "e.wav"}
    assert not lint(corpus, protocol="loso", allow_leaks=True).fatal


def test_a_quieter_copy_on_one_side_is_told(corpus):
    _add(corpus, "e.wav", babble(10, 1.0) / 2, speaker="a", emotion="sad", sentence="0")
    found = lint(corpus, protocol="loso")
    assert not found.fatal
    assert "near-identical" in _kinds(found)


def test_bad_files_are_told(corpus):
    loud = np.clip(20 * babble(7, 1.0), -1, 1)
    _add(corpus, "clipped.wav", loud, speaker="a", emotion="sad", sentence="0")
    _add(corpus, "quiet.wav", 1e-4 * babble(8, 1.0), speaker="a", emotion="sad", sentence="0")
    _add(corpus, "empty.wav", babble(9, 1.0), speaker="a", emotion="sad", sentence="0")
    (corpus / "empty.wav").write_bytes(b"")
    lines = "\n".join(lint(corpus).lines())
    assert "are clipped" in lines
    assert "all but silent" in lines
    assert "1 file cannot be used, empty file (0 bytes): empty.wav" in lines


def test_a_store_is_read_and_listened_to_where_its_files_are(corpus, fbank, tmp_path):
    _add(corpus, "e.wav", babble(10, 1.0) / 2, speaker="e", emotion="sad", sentence="0")
    store = fbank(corpus, tmp_path / "s.zarr")
    read = lint(store, protocol="loso")
    assert not read.fatal
    assert any("gensr lint CORPUS" in line for line in read.lines())
    heard = lint(store, protocol="loso", audio=corpus)
    assert heard.fatal
    assert heard.as_json() == {**lint(corpus, protocol="loso").as_json(), **_without_notes(heard)}


def _without_notes(found):
    """Notes of the scan are in no store."""
    return {"findings": found.as_json()["findings"]}


def test_files_that_changed_since_are_refused_by_name(corpus, fbank, tmp_path):
    store = fbank(corpus, tmp_path / "s.zarr")
    soundfile.write(corpus / "a-sad-0.wav", babble(77, 1.0), RATE)
    with pytest.raises(GensrError, match=r"a-sad-0\.wav: changed"):
        lint(store, audio=corpus)


def test_audio_is_of_a_store(corpus):
    with pytest.raises(GensrError, match="drop --audio"):
        lint(corpus, audio=corpus)


def test_a_protocol_that_was_asked_for_must_fit(corpus):
    with pytest.raises(ProtocolError, match="emodb"):
        lint(corpus, protocol="emodb-loso")


def test_without_a_protocol_the_files_are_looked_at_all_the_same(corpus):
    _write(corpus, [{"file": "a-sad-0.wav", "speaker": "a", "emotion": "sad", "sentence": "0"}])
    found = lint(corpus)
    assert found.protocol == ""
    assert "protocol" in _kinds(found)


def _second(tmp_path: Path, corpus: Path, *, same: bool) -> Path:
    """Another corpus: of other people, or with one recording of the first under another name."""
    root = tmp_path / "second"
    root.mkdir()
    rows = []
    for s, who in enumerate("efgh"):
        for e, emotion in enumerate(EMOTIONS):
            name = f"{who}-{emotion}.wav"
            soundfile.write(root / name, babble(500 + 10 * s + e, 1.0), RATE)
            rows.append({"file": name, "speaker": who, "emotion": emotion, "sentence": "9"})
    if same:
        (root / "e-sad.wav").write_bytes((corpus / "a-sad-0.wav").read_bytes())
    _write(root, rows)
    return root


def test_a_copy_in_another_corpus_is_a_leak_of_a_question_over_both(corpus, tmp_path):
    other = _second(tmp_path, corpus, same=True)
    asked = {"protocol": "cross-corpus:corpus:second"}
    found = lint([corpus, other], **asked)
    assert found.fatal
    assert found.tested == 8
    assert any("identical in audio" in one.line for one in found.findings if one.weight == "fatal")
    (other / "e-sad.wav").write_bytes((other / "f-sad.wav").read_bytes())
    assert not lint([corpus, other], **asked).fatal


def test_stores_are_read_together_as_train_reads_them(corpus, fbank, tmp_path):
    other = _second(tmp_path, corpus, same=True)
    stores = [fbank(corpus, tmp_path / "a.zarr"), fbank(other, tmp_path / "b.zarr")]
    asked = {"protocol": "cross-corpus:corpus:second"}
    read = lint(stores, **asked)
    assert read.fatal
    heard = lint(stores, audio=[corpus, other], **asked)
    assert heard.as_json() == {**lint([corpus, other], **asked).as_json(), **_without_notes(heard)}
    with pytest.raises(GensrError, match="for 2 stores"):
        lint(stores, audio=corpus)
    with pytest.raises(GensrError, match="corpora alone"):
        lint([stores[0], other])
    with pytest.raises(GensrError, match="both hold the clip"):
        lint([stores[0], stores[0]])


def test_a_label_that_was_asked_for_must_be_there(corpus):
    with pytest.raises(ProtocolError, match="nope"):
        lint(corpus, label="nope")


def test_numbers_that_could_not_hold_are_warned_of(corpus):
    found = lint(corpus, protocol="column:emotion")
    warned = [one.line for one in found.findings if one.weight == "warning"]
    assert any("tests classes it never trained on: angry" in line for line in warned)
