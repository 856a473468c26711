"""EmoBox's folds as they are: by file name, shared speakers said, labels held against ours."""

import json
from pathlib import Path

import numpy as np
import pytest

from gensr.features.corpora import emodb
from gensr.features.corpora.clip import Clip
from gensr.pipeline.protocols.emobox import matched
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import from_plain
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import table

NAMES = [f"{s}a0{t}{e}a" for s in ("03", "08", "09", "10") for t in (1, 2, 4, 5) for e in "WNT"]
EMO = {"W": "anger", "N": "neutral", "T": "sad"}


def clips(names: list[str], above: str = "wav/") -> Table:
    found = [emodb.read(f"{above}{name}.wav") for name in names]
    columns = ("path", "corpus", "speaker", "gender", "sentence", "emotion", "canonical")
    return table([{c: getattr(x, c) for c in columns} for x in found if isinstance(x, Clip)])


def lay(folder: Path, folds: dict[int, dict[str, list[str]]]) -> Path:
    """A clone's folder of EmoDB, as EmoBox writes it."""
    for fold, parts in folds.items():
        (folder / f"fold_{fold}").mkdir(parents=True)
        for part, names in parts.items():
            rows = [
                {"key": f"emodb-{n}", "dataset": "emodb", "wav": f"downloads/emodb/wav/{n}.wav",
                 "emo": EMO[n[5]]}
                for n in names
            ]  # fmt: skip
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"fold_{fold}/emodb_{part}_fold_{fold}.jsonl").write_text(text)
    words = {"anger": "Angry", "Neutral": "Neutral", "sad": "Sad"}
    (folder / "label_map.json").write_text(json.dumps(words))
    return folder


def halves() -> dict[int, dict[str, list[str]]]:
    """Two folds that share every speaker."""
    odd, even = NAMES[1::2], NAMES[::2]
    return {1: {"train": odd, "test": even}, 2: {"train": even[:], "test": odd[:]}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay(tmp_path / "EmoBox/data/emodb", halves())


def test_the_folds_are_run_as_they_are(folder: Path) -> None:
    protocol = make_protocol(clips(NAMES), name=f"emobox:{folder}")
    assert [sorted(protocol.paths[row][4:11] for row in f.test) for f in protocol.folds] == [
        sorted(NAMES[::2]), sorted(NAMES[1::2])
    ]  # fmt: skip
    assert [len(fold.learn) for fold in protocol.folds] == [24, 24]
    assert protocol.disjoint == ()
    assert protocol.left_out == {}


def test_shared_speakers_are_said_with_the_protocol_to_put_beside(folder: Path) -> None:
    protocol = make_protocol(clips(NAMES), name=f"emobox:{folder}")
    assert "48 of 48 tested clips share their speaker" in " ".join(protocol.notes())
    said = "100 % of the tested clips are by speakers that were learnt from"
    assert any(said in note and "--protocol emodb-loso" in note for note in protocol.notes())


def test_neither_name_nor_hash_know_where_the_clone_is(folder: Path, tmp_path: Path) -> None:
    one = make_protocol(clips(NAMES), name=f"emobox:{folder}")
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    other = make_protocol(clips(NAMES), name=f"emobox:{moved}")
    assert one.name == other.name == "emobox:emodb"
    assert one.hash == other.hash
    assert str(tmp_path) not in json.dumps(other.describe())
    kept = from_plain(other.describe(), other.assignment())
    assert (kept.hash, kept.notes()) == (other.hash, other.notes())


def test_the_hash_follows_from_who_is_learnt_from(tmp_path: Path) -> None:
    """Even where every clip is tested in the same fold."""
    folds = halves()
    one = make_protocol(clips(NAMES), name=f"emobox:{lay(tmp_path / 'a', folds)}")
    folds[1]["train"] = folds[1]["train"][1:]
    other = make_protocol(clips(NAMES), name=f"emobox:{lay(tmp_path / 'b', folds)}")
    assert one.assignment() == other.assignment()
    assert one.hash != other.hash


def test_neutral_in_any_case_is_neutral(folder: Path) -> None:
    """Its map says `Neutral`, its clips `neutral`: none of them may be lost, none differs."""
    protocol = make_protocol(clips(NAMES), name=f"emobox:{folder}")
    assert protocol.classes == ("anger", "neutral", "sadness")
    assert np.bincount(protocol.labels).tolist() == [16, 16, 16]
    assert not any("another label" in note for note in protocol.notes())


def test_another_label_there_is_said_and_ours_counts(folder: Path) -> None:
    ours = clips(NAMES)
    first = ours["path"] == f"wav/{NAMES[0]}.wav"
    ours = {**ours, **{c: np.where(first, "sadness", ours[c]) for c in ("emotion", "canonical")}}
    notes = make_protocol(ours, name=f"emobox:{folder}").notes()
    said = "1 clips have another label in EmoBox (anger there, sadness here: 1); ours count"
    assert said in notes


def test_what_is_missing_on_either_side_is_said(folder: Path) -> None:
    protocol = make_protocol(clips([*NAMES[2:], "16b10Wb"]), name=f"emobox:{folder}")
    assert protocol.left_out == {"in no fold of EmoBox": 1}
    assert any(
        "2 of 48 clips are not here or have no label (2 of 48 to test; first 03a01Na.wav)" in note
        for note in protocol.notes()
    )


def test_a_fold_that_is_not_there_is_said(tmp_path: Path) -> None:
    folder = lay(tmp_path / "emodb", {1: halves()[1]})
    rows = [{"wav": f"downloads/emodb/wav/{n}.wav", "emo": EMO[n[5]]} for n in NAMES]
    (folder / "emodb.jsonl").write_text("\n".join(map(json.dumps, rows)))
    notes = make_protocol(clips(NAMES), name=f"emobox:{folder}").notes()
    assert "24 of EmoBox's 48 clips are tested in none of its folds here (1)" in notes


def test_a_name_that_is_two_clips_is_told_by_its_folder() -> None:
    here = ["AudioData/DC/a01.wav", "AudioData/JE/a01.wav", "AudioData/JE/a02.wav"]
    assert matched(here, ["x/DC_a01.wav", "x/JE_a01.wav"]) == {"x/DC_a01.wav": 0, "x/JE_a01.wav": 1}
    assert matched(here, ["x/DC/a01.wav", "x/JE/a01.wav", "x/KL/a01.wav"]) == {
        "x/DC/a01.wav": 0, "x/JE/a01.wav": 1
    }  # fmt: skip
    assert matched(["savee:DC/a01.wav"], ["y/a01.wav"]) == {"y/a01.wav": 0}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "fold_1/emodb_test_fold_1.jsonl").unlink(), "fold 1 has no test file"),
        (lambda f: (f / "fold_2/emodb_train_fold_2.jsonl").write_text('{"wav": "a.wav"}\n'),
         r"emodb_train_fold_2.jsonl, line 1: expected an object with wav and emo"),
        (lambda f: (f / "label_map.json").write_text("[1]"), r"label_map.json: expected an object"),
        (lambda f: f.rename(f.parent / "gone"), "no folds there; expected one corpus's folder"),
    ],
)  # fmt: skip
def test_what_is_no_clone_is_refused(folder: Path, spoil: object, said: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ProtocolError, match=said):
        make_protocol(clips(NAMES), name=f"emobox:{folder}")


def test_a_clip_on_both_sides_or_tested_twice_is_refused(tmp_path: Path) -> None:
    folds = halves()
    folds[1]["train"].append(folds[1]["test"][0])
    with pytest.raises(ProtocolError, match="is on both sides of one fold"):
        make_protocol(clips(NAMES), name=f"emobox:{lay(tmp_path / 'a', folds)}")
    folds = halves()
    folds[2]["test"].append(folds[1]["test"][0])
    folds[2]["train"].remove(folds[1]["test"][0])
    with pytest.raises(ProtocolError, match="is on the tests of two folds"):
        make_protocol(clips(NAMES), name=f"emobox:{lay(tmp_path / 'b', folds)}")


def test_another_corpus_has_none_of_its_names(folder: Path) -> None:
    other = {**clips(NAMES), "path": np.array([f"{i}.wav" for i in range(len(NAMES))])}
    with pytest.raises(ProtocolError, match="no clip here has the name of one of EmoBox's emodb"):
        make_protocol(other, name=f"emobox:{folder}")


def test_identical_audio_in_their_folds_is_said_first_and_not_refused(folder: Path) -> None:
    ours = clips(NAMES)
    twins = np.array(["same", "same", *ours["audio_sha256"][2:]])
    protocol = make_protocol({**ours, "audio_sha256": twins}, name=f"emobox:{folder}")
    said = "leak: 2 of 48 tested clips (4.2 %) are identical in audio to trained ones"
    assert protocol.notes()[0] == said


@pytest.mark.parametrize("corpus", ["ravdess", "emodb"])
def test_the_real_files(corpora: Path, corpus: str) -> None:
    """RAVDESS's six folds are disjoint in speakers; EmoDB's share all ten."""
    folder = corpora / "emobox" / corpus
    if not folder.is_dir():
        pytest.skip(f"GENSR_CORPORA has no emobox/{corpus}")
    lines = (folder / f"{corpus}.jsonl").read_text().splitlines()
    every = [json.loads(line)["wav"] for line in lines]
    from gensr.features.corpora.registry import CORPORA

    found = [CORPORA[corpus].read(wav, "") for wav in every]
    columns = ("path", "corpus", "speaker", "gender", "sentence", "emotion", "canonical")
    ours = table([{c: getattr(x, c) for c in columns} for x in found if isinstance(x, Clip)])
    protocol = make_protocol(ours, name=f"emobox:{folder}")
    tested = sum(len(fold.test) for fold in protocol.folds)
    shared = any("speakers that were learnt from" in note for note in protocol.notes())
    if corpus == "ravdess":
        assert (tested, protocol.overlaps["speaker"], shared) == (1440, 0, False)
    else:
        assert (tested, protocol.overlaps["speaker"], shared) == (214, 214, True)
    assert not any("another label" in note for note in protocol.notes())
