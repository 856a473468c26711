"""What `gensr info` and `extract` say of corpora of all shapes, and what trains afterwards."""

import os
from pathlib import Path

import pytest

from support import tones


def test_a_long_list_is_grouped_and_all_names_each(gensr, here):
    for n in range(30):
        (here / f"corpus/sad/{n}.wav").parent.mkdir(parents=True, exist_ok=True)
        (here / f"corpus/sad/{n}.wav").touch()
        (here / f"corpus/{n}.wav").touch()
    said = gensr("info", "corpus").ok()
    lines = [line for line in said.out.splitlines() if line.startswith("unusable")]
    assert len(lines) == 1
    assert lines[0].startswith("unusable: 30 files, no adapter knows this name")
    said = gensr("info", "corpus", "--all").ok()
    assert sum(line.startswith("unusable: ") for line in said.out.splitlines()) == 30


@pytest.mark.parametrize("command", ["info", "extract"])
def test_a_folder_whose_name_is_no_utf8_is_one_line(command, gensr, here):
    root = os.fsdecode(b"k\xf6rper")
    Path(root).mkdir()
    (Path(root) / "a.wav").touch()
    (Path(root) / "manifest.csv").write_text("file,emotion\na.wav,sad\n")
    options = ("--encoder", "fbank", "--out", "x.zarr") if command == "extract" else ()
    assert "rename it" in gensr(command, root, *options).complaint
    assert not Path("x.zarr").exists()


def test_a_manifest_without_an_emotion_trains_on_another_label(gensr, here):
    root = tones.write_corpus(here / "corpus", corpus="mine")
    rows = [{k: row[k] for k in ("file", "speaker", "gender")} for row in tones.read_manifest(root)]
    text = "file;speaker;gender\n" + "".join(f"{';'.join(row.values())}\n" for row in rows)
    (root / "manifest.csv").write_text(text)
    said = gensr("extract", "corpus", "--encoder", "fbank", "--out", "s.zarr").ok()
    assert "no column for the emotion" in said.err
    assert "has a label emotion" in gensr("train", "s.zarr", "--steps", 4).complaint
    gensr("train", "s.zarr", "--label", "gender", "--model", "linear", "--steps", 4).ok()


def test_speakers_and_splits_of_folders_reach_the_store(gensr, here):
    for s, speaker in enumerate(("0001", "0002")):
        for e, emotion in enumerate(("Angry", "sad")):
            for n, part in enumerate(("train", "evaluation", "test")):
                clip = here / "esd" / speaker / emotion / part / f"{n}.wav"
                tones.write_clip(clip, tones.chord(s, e, n))
    said = gensr("extract", "esd", "--encoder", "fbank", "--out", "s.zarr").ok()
    assert "taken for the speakers: 0001, 0002" in said.err
    told = gensr("info", "s.zarr").ok().out
    assert "Angry 6, sad 6" in told
    assert "dev 4, test 4, train 4" in told
