"""Parts of files, and manifests of them, asked of a deployed model."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gensr.features.corpora.errors import CorpusError
from gensr.pipeline.runs.run import Run
from gensr.pipeline.use.inputs import inputs_of
from gensr.pipeline.use.predict import predict
from support.command import GENSR


@pytest.fixture
def talk(corpus, tmp_path):
    """Two clips of the corpus one behind the other, and where they meet, in s."""
    folder = tmp_path / "talks"
    folder.mkdir()
    clips = [soundfile.read(corpus / f"DC/{name}-0.wav") for name in ("sad", "angry")]
    if clips[0][1] != clips[1][1]:
        pytest.fail("the clips have two rates")
    soundfile.write(folder / "talk.wav", np.concatenate([x for x, _ in clips]), clips[0][1])
    return folder / "talk.wav", len(clips[0][0]) / clips[0][1]


def by_path(found):
    return {answer.path: answer.probabilities for answer in found.rows}


def test_a_part_gets_the_answer_of_the_clip_it_is(deployed, corpus, talk):
    path, meet = talk
    run = Run.open(deployed)
    asked = [Path(f"{path}#t=0.0,{meet}"), Path(f"{path}#t={meet}")]
    found = by_path(predict([*asked, *asked], run, device="cpu"))
    assert list(found) == [f"{path}#t=0,{meet}", f"{path}#t={meet}"]
    clips = [corpus / f"DC/{name}-0.wav" for name in ("sad", "angry")]
    alone = by_path(predict(clips, run, device="cpu"))
    for part, clip in zip(found.values(), alone.values(), strict=True):
        assert part == pytest.approx(clip, abs=1e-3)  # 16 bits again


def test_a_manifest_is_answered_part_by_part(deployed, talk):
    path, meet = talk
    manifest = path.with_name("parts.csv")
    manifest.write_text(
        f"file,start,end,duration\ntalk.wav,0,{meet},\ntalk.wav,{meet},,\ntalk.wav,9,99,\n"
        "gone.wav,,,\ntalk.wav,,,\n"
    )
    found = predict([manifest, path], Run.open(deployed), device="cpu")
    expected = [f"{path}", f"{path}#t=0,{meet}", f"{path}#t={meet}"]
    assert sorted(answer.path for answer in found.rows) == sorted(expected)
    reasons = {problem.path: problem.reason for problem in found.failed}
    assert "ends at 99 s" in reasons[f"{path}#t=9,99"]
    assert reasons[str(path.with_name("gone.wav"))] == "line 5: no such file"
    manifest.write_text("file,duration\ntalk.wav,0.15\n")
    found = predict([manifest], Run.open(deployed), device="cpu")
    assert "its row says 0.15 s" in found.failed[0].reason


def test_what_cannot_be_told_is_one_line(tmp_path):
    (tmp_path / "a.wav").touch()
    (tmp_path / "m.csv").write_text("file,start_ms\na.wav,5\n")
    for name, said in (
        ("m.csv", "line 2: start_ms '5' may mean a part"),
        ("a.wav#t=4,1", "ends at 1 s, and not after its beginning at 4 s"),
        ("a.wav#t=1:30", "does not exist; a part of .*a.wav is named as #t=1.5,4"),
        ("b.wav#t=1", "b.wav#t=1 does not exist"),
    ):
        with pytest.raises(CorpusError, match=said):
            inputs_of([tmp_path / name], allow_outside=False, room=tmp_path)
    whole = inputs_of(
        [tmp_path / "a.wav#t=0", tmp_path / "a.wav"], allow_outside=False, room=tmp_path
    )
    assert whole.clips == (tmp_path / "a.wav",)


def test_a_file_of_that_very_name_is_not_misheard(deployed, talk):
    path, _ = talk
    twin = path.with_name("talk.wav#t=0.0,0.5")
    twin.write_bytes(path.read_bytes())
    found = predict([twin], Run.open(deployed), device="cpu")
    assert not found.rows
    assert "reads like a part of talk.wav, and is a file itself" in found.failed[0].reason


def test_the_command(deployed, talk):
    path, meet = talk
    command = [GENSR, "predict", f"{path}#t=0,{meet}"]
    answer = subprocess.run(
        [*command, "--run", str(deployed), "--device", "cpu", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    (told,) = json.loads(answer.stdout)["predictions"]
    assert told["path"] == f"{path}#t=0,{meet}"


def test_what_a_folder_holds_beside_its_audio_is_told(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(800)), 16_000)
    (tmp_path / "b").write_bytes((tmp_path / "a.wav").read_bytes())
    (tmp_path / ".c.wav").write_bytes(b"hidden")
    (tmp_path / "d.xyz").write_bytes(b"\x07\0binary")
    (tmp_path / "e").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    (tmp_path / "f.txt").write_text("text")
    found = inputs_of([tmp_path], allow_outside=False, room=tmp_path)
    assert found.clips == (tmp_path / "a.wav", tmp_path / "b")
    assert [note.removeprefix(f"{tmp_path}: ") for note in found.notes] == [
        "1 hidden audio files (names with a leading dot) left out",
        "1 file (no suffix 1) audio by content, taken as such",
        "1 file (no suffix 1) left out as Git LFS or git-annex pointers: fetch them with"
        " `git lfs pull` or `git annex get`",
        "1 file (.xyz 1) left out, no audio gensr knows",
    ]
    for name in ("a.wav", "b"):
        (tmp_path / name).unlink()
    with pytest.raises(CorpusError, match=r"holds no audio file; 1 hidden .*git lfs pull.*\.xyz"):
        inputs_of([tmp_path], allow_outside=False, room=tmp_path)
