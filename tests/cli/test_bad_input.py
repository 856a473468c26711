"""One folder with everything that goes wrong with clips: each works, or is named with its reason.

And the corpora that are too small to learn from. What does not fit together: test_misfits.py.
"""

import csv
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gensr.features.hearing import decode as audio
from gensr.features.hearing.decode_child import judge
from gensr.features.store import open_store
from gensr.pipeline.extraction import local as here_stage
from support import tones

GOOD = {
    "stereo.wav": "mean of both channels",
    "8bit.wav": "PCM_U8",
    "24bit.wav": "PCM_24",
    "float.wav": "FLOAT",
    "double.wav": "DOUBLE",
    "96k.wav": "96 kHz",
    "8k.wav": "8 kHz",
    "24414.wav": "the rate of TESS",
    "aiff.wav": "AIFF under a .wav name",
    "flac.wav": "FLAC under a .wav name",
    "exactly-400.wav": "the shortest there may be",
    "no-label.wav": "a clip without a label",
    "in/a folder/ünïcode.wav": "any name",
}
BAD = {
    "header-only.wav": "no audio: zero samples",
    "truncated.wav": r"truncated: the header promises 0\.50 s, the file holds 0\.25 s",
    "truncated-header.wav": "unreadable",
    "empty.wav": r"empty file \(0 bytes\)",
    "silent.wav": "silent: all 8000 samples are 0",
    "short.wav": "too short: 399 samples at 16 kHz; an encoder needs at least 400",
    "short-8k.wav": "too short: 398 samples at 16 kHz",
    "text.wav": "unreadable",
    "nan.wav": "samples that are not finite",
    "gone.wav": "no such file",
    "link.wav": "no such file",
    "folder.wav": "is a folder",
    "loop.wav": "no such file|too many levels of symbolic links",
    "pipe.wav": "not a regular file",
    f"{'x' * 300}.wav": "cannot be looked up",
    "video.mp4": "MP4 that is damaged or unreadable.*ffmpeg",
}
UNSEEN = ("gone.wav", "folder.wav", f"{'x' * 300}.wav")
"""What only a manifest can speak of; a folder is entered, and this one is empty."""
PEOPLE = ("ann", "bob", "cy", "di")


def tone(seconds=0.5, rate=16_000, hz=200.0):
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(int(hz)).normal(0, 0.02, len(t))
    return (0.3 * np.sin(2 * np.pi * hz * t) + noise).clip(-0.99, 0.99)


def write_bad_and_good(root):
    """All of GOOD and BAD; the good ones each another tone, or they would be copies."""
    write = soundfile.write
    root.mkdir()
    (root / "in/a folder").mkdir(parents=True)
    write(root / "stereo.wav", np.stack([tone(hz=210), tone(hz=300)], 1), 16_000)
    write(root / "8bit.wav", tone(hz=220), 16_000, subtype="PCM_U8")
    write(root / "24bit.wav", tone(hz=230), 16_000, subtype="PCM_24")
    write(root / "float.wav", tone(hz=240), 16_000, subtype="FLOAT")
    write(root / "double.wav", tone(hz=250), 16_000, subtype="DOUBLE")
    write(root / "96k.wav", tone(rate=96_000, hz=260), 96_000)
    write(root / "8k.wav", tone(rate=8_000, hz=270), 8_000)
    write(root / "24414.wav", tone(rate=24_414, hz=275), 24_414)
    write(root / "aiff.wav", tone(hz=280), 16_000, format="AIFF")
    write(root / "flac.wav", tone(hz=290), 16_000, format="FLAC")
    write(root / "exactly-400.wav", tone(0.025), 16_000)
    write(root / "no-label.wav", tone(hz=310), 16_000)
    write(root / "in/a folder/ünïcode.wav", tone(hz=320), 16_000)

    write(root / "header-only.wav", np.zeros(0), 16_000)
    write(root / "truncated.wav", tone(), 16_000)
    whole = (root / "truncated.wav").read_bytes()
    (root / "truncated.wav").write_bytes(whole[: 44 + 8000])
    (root / "truncated-header.wav").write_bytes(whole[:20])
    (root / "empty.wav").write_bytes(b"")
    write(root / "silent.wav", np.zeros(8000), 16_000)
    write(root / "short.wav", tone()[:399], 16_000)
    write(root / "short-8k.wav", tone(rate=8_000)[:199], 8_000)
    (root / "text.wav").write_text("This is no audio, whatever its name says.\n" * 20)
    write(root / "nan.wav", np.where(np.arange(8000) == 9, np.nan, 0.1), 16_000, subtype="FLOAT")
    (root / "link.wav").symlink_to("nowhere.wav")
    (root / "loop.wav").symlink_to("loop.wav")
    os.mkfifo(root / "pipe.wav")
    (root / "folder.wav").mkdir()
    (root / "video.mp4").write_bytes(struct.pack(">I", 24) + b"ftypisom" + bytes(200))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The folder, with a manifest over all of it: four people, two emotions."""
    root = tmp_path_factory.mktemp("bad") / "corpus"
    write_bad_and_good(root)
    with (root / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "speaker", "emotion"])
        for number, name in enumerate([*GOOD, *BAD]):
            emotion = "" if name == "no-label.wav" else ("calm", "angry")[number // 4 % 2]
            writer.writerow([name, PEOPLE[number % 4], emotion])
    return root


def named(said, path, reason):
    """Whether one line, and only one, says that this file cannot be used, and why."""
    lines = [line for line in said.err.splitlines() if line.startswith(f"{path}: ")]
    assert len(lines) == 1, (path, said.err)
    assert re.search(reason, lines[0]), lines[0]


class TestExtract:
    @pytest.mark.parametrize("out", ["s.zarr", "s.h5"])
    def test_each_works_or_is_named(self, out, corpus, gensr, here):
        call = ("extract", corpus, "--encoder", "fbank", "--out", out)
        said = gensr(*call)
        assert said.status == 1
        assert "Traceback" not in said.err
        for path, reason in BAD.items():
            named(said, path, reason)
        assert not any(line.startswith(tuple(GOOD)) for line in said.err.splitlines())
        assert "manifest.csv: 1 row without an emotion\n" in said.err
        assert said.out.endswith("13 encoded, 0 copied, 0 done before, 16 unusable\n")
        assert "16 unusable files, 0 allowed: the store holds the others" in said.err

        with open_store(Path(out)) as store:
            assert set(store.table["path"].tolist()) == set(GOOD)
            assert np.isfinite(store.vectors()).all()
            failed = dict(zip(store.failed["path"], store.failed["reason"], strict=True))
            assert store.header.failed == 16
        assert set(failed) == set(BAD)
        assert all(re.search(reason, failed[path]) for path, reason in BAD.items())

        again = gensr(*call, "--allow-errors", 15)
        assert again.status == 1
        assert "0 encoded, 0 copied, 13 done before, 16 unusable" in again.out
        gensr(*call, "--allow-errors", 16).ok()

        shown = gensr("info", out).ok().out
        assert shown.count("unusable: ") == 16

    def test_what_works_is_heard_right(self, corpus, gensr, here):
        """Depth, container and channels change next to nothing; any rate becomes 16 kHz."""
        gensr("extract", corpus, "--encoder", "fbank", "--out", "s.zarr", "--allow-errors", 99).ok()
        plain = here / "plain"
        plain.mkdir()
        pitch = {"24bit": 230, "float": 240, "double": 250, "aiff": 280, "flac": 290}
        rows = ["file,speaker,emotion"]
        for name, hz in pitch.items():
            soundfile.write(plain / f"{name}.wav", tone(hz=hz), 16_000)
            rows.append(f"{name}.wav,x,calm")
        both = (tone(hz=210) + tone(hz=300)) / 2
        soundfile.write(plain / "stereo.wav", both, 16_000)
        rows.append("stereo.wav,x,calm")
        (plain / "manifest.csv").write_text("\n".join(rows))
        gensr("extract", plain, "--encoder", "fbank", "--out", "p.zarr").ok()
        with open_store(here / "s.zarr") as odd, open_store(here / "p.zarr") as even:
            where = odd.table["path"].tolist()
            for row, name in enumerate(even.table["path"].tolist()):
                one = odd.vectors([where.index(name)])
                np.testing.assert_allclose(one, even.vectors([row]), atol=0.05, err_msg=name)
            samples = dict(zip(where, odd.table["samples"].tolist(), strict=True))
        assert {samples[name] for name in GOOD} == {8000, 400}
        assert samples["96k.wav"] == samples["8k.wav"] == 8000

    def test_without_a_manifest_the_folders_hold_the_same(self, here, gensr):
        """One folder per class: no table, so even what is no file must be seen."""
        write_bad_and_good(here / "corpus")
        root = here / "corpus/angry"
        root.mkdir()
        for path in list((here / "corpus").iterdir()):
            if path != root:
                path.rename(root / path.name)
        tones.write_clip(here / "corpus/calm/a.wav", tone(hz=400))
        tones.write_clip(here / "corpus/stray.wav", tone(hz=410))
        said = gensr("extract", "corpus", "--encoder", "fbank", "--out", "s.zarr")
        assert said.status == 1
        assert "Traceback" not in said.err
        for path, reason in BAD.items():
            if path not in (*UNSEEN, "link.wav", "loop.wav"):
                named(said, f"angry/{path}", reason)
        for path in ("angry/link.wav", "angry/loop.wav"):
            named(said, path, "a link to a file that is not there")
        named(said, "stray.wav", "lies in no folder that could be its class")
        assert "14 encoded, 0 copied, 0 done before, 14 unusable" in said.out

    def test_what_may_not_be_read(self, here, gensr, monkeypatch):
        root = tones.write_corpus(here / "c", sentences=1)
        opened = audio.without_waiting

        def refuse(name, flags):
            if str(name).endswith("DC/sad-0.wav"):
                raise PermissionError(13, "Permission denied", name)
            return opened(name, flags)

        monkeypatch.setattr(audio, "without_waiting", refuse)  # root may read everything

        def hear_here(paths, known):
            for path in paths:
                told = {}
                verdict = judge(path, lambda kind, *values, told=told: told.update({kind: values}))
                yield *told.get("hashed", ("",)), verdict

        monkeypatch.setattr(here_stage, "hear_in_children", hear_here)
        said = gensr("extract", root, "--encoder", "fbank", "--out", "s.zarr")
        assert said.status == 1
        named(said, "DC/sad-0.wav", "permission denied")
        assert "11 encoded, 0 copied, 0 done before, 1 unusable" in said.out

    def test_nothing_that_can_be_used(self, here, gensr):
        (here / "c/calm").mkdir(parents=True)
        (here / "c/calm/a.wav").write_text("no audio")
        said = gensr("extract", "c", "--encoder", "fbank", "--out", "s.zarr").complaint
        assert "none of 1 clips can be used; the first, calm/a.wav: unreadable" in said
        assert not Path("s.zarr").exists()

    def test_a_corpus_without_audio(self, here, gensr):
        (here / "c").mkdir()
        said = gensr("extract", "c", "--encoder", "fbank", "--out", "s.zarr").complaint
        assert "c: holds no audio file; expected" in said

    @pytest.mark.parametrize(
        ("table", "said"),
        [
            ("speaker,emotion\nx,calm\n", "line 1: no column for the file"),
            ("file,speaker\na.wav,x\n", "a.wav: line 2: no such file"),
            ("file,emotion\n/etc/a.wav,calm\n", "line 2: /etc/a.wav is absolute"),
            ("file,emotion\n../a.wav,calm\n", "line 2: ../a.wav leaves the manifest's folder"),
            ("file,emotion,split\na.wav,calm,exam\n", "line 2: split 'exam'"),
            ("", "manifest.csv"),
        ],
    )
    def test_a_broken_manifest(self, table, said, here, gensr):
        (here / "c").mkdir()
        (here / "c/manifest.csv").write_text(table)
        found = gensr("extract", "c", "--encoder", "fbank", "--out", "s.zarr").complaint
        assert said in found
        assert "manifest.csv" in found

    @pytest.mark.parametrize("flags", [(), ("--overwrite",)])
    @pytest.mark.parametrize("name", ["photos.zarr", "thesis.h5"])
    def test_what_is_no_store_is_never_replaced(self, flags, name, home, here, gensr):
        place = here / name
        if name == "photos.zarr":
            place.mkdir()
            (place / "cat.jpg").write_text("meow")
        else:
            place.write_text("years of work")
        call = ("extract", home / "corpus", "--encoder", "fbank", "--out", place, *flags)
        assert name in gensr(*call).complaint
        content = place / "cat.jpg" if place.is_dir() else place
        assert content.read_text() in ("meow", "years of work")

    def test_an_encoder_that_is_not_there(self, home, here, gensr):
        call = ("extract", home / "corpus", "--out", "s.zarr", "--encoder")
        assert "here/models" in gensr(*call, "here/models/x").complaint
        (here / "empty").mkdir()
        assert "empty" in gensr(*call, "./empty").complaint
        assert not Path("s.zarr").exists()


class TestPredict:
    def test_each_works_or_is_named(self, corpus, home, gensr):
        said = gensr("predict", corpus, "--run", home / "runs/deployed")
        assert said.status == 1
        assert "Traceback" not in said.err
        for path, reason in BAD.items():
            if path not in UNSEEN:
                named(said, corpus / path, reason)
        assert f"{len(BAD) - len(UNSEEN)} unusable files, 0 allowed" in said.err
        rows = [line for line in said.out.splitlines() if str(corpus) in line]
        assert len(rows) == len(GOOD)
        call = ("predict", corpus, "--run", home / "runs/deployed", "--allow-errors")
        unusable = len(BAD) - len(UNSEEN)
        assert gensr(*call, unusable - 1).status == 1
        gensr(*call, unusable).ok()

    def test_a_bad_clip_alone(self, corpus, home, gensr):
        said = gensr("predict", corpus / "text.wav", "--run", home / "runs/deployed")
        assert said.status == 1
        named(said, corpus / "text.wav", "unreadable")

    @pytest.mark.parametrize("name", ["gone.wav", "gone"])
    def test_a_path_that_is_not_there(self, name, corpus, home, gensr):
        said = gensr("predict", corpus / name, "--run", home / "runs/deployed").complaint
        assert f"{corpus / name} does not exist" in said


class TestCorporaThatAreTooSmall:
    def extract(self, gensr, root):
        gensr("extract", root, "--encoder", "fbank", "--out", "s.zarr").ok()

    def test_one_speaker(self, gensr, here):
        self.extract(gensr, tones.write_corpus(here / "c", corpus="mine", speakers=["ann"]))
        call = ("train", "s.zarr", "--steps", 2, "--run", "r")
        said = gensr(*call).complaint
        assert "only one speaker (ann)" in said
        (flag,) = re.findall(r"--protocol \S+", said)
        gensr(*call, *flag.split()).ok()
        gensr("eval", "r", "--sampler-steps", 1).ok()

    def test_no_speakers(self, gensr, here):
        for number in range(8):
            emotion = ("calm", "angry")[number % 2]
            tones.write_clip(here / f"c/{emotion}/{number}.wav", tone(hz=200 + number))
        self.extract(gensr, "c")
        call = ("train", "s.zarr", "--steps", 2, "--run", "r")
        said = gensr(*call).complaint
        assert "8 of 8 clips have no speaker" in said
        (flag,) = re.findall(r"--protocol \S+", said)
        gensr(*call, *flag.split()).ok()

    def test_a_class_with_one_clip(self, gensr, here):
        root = tones.write_corpus(here / "c", sentences=1)
        table = tones.read_manifest(root)
        table[0]["emotion"] = "bored"
        tones.write_manifest(root, table)
        self.extract(gensr, root)
        said = gensr("train", "s.zarr", "--steps", 2, "--run", "r").ok()
        assert re.search(r"classes have under 3 clips: bored\n", said.err)
        found = json.loads(gensr("eval", "r", "--json", "--sampler-steps", 1).ok().out)
        assert found["classes"] == ["angry", "bored", "happy", "sad"]
        assert found["n"] == 12

    def test_one_class(self, gensr, here):
        self.extract(gensr, tones.write_corpus(here / "c", emotions=["calm"], sentences=1))
        said = gensr("train", "s.zarr", "--run", "r").complaint
        assert "every clip has the label emotion = calm: nothing to tell apart" in said

    def test_no_labels(self, gensr, here):
        self.extract(gensr, tones.write_corpus(here / "c", emotions=[""], sentences=1))
        assert "has a label emotion" in gensr("train", "s.zarr", "--run", "r").complaint

    def test_one_clip(self, gensr, here):
        root = tones.write_corpus(here / "c", speakers=["ann"], emotions=["sad"], sentences=1)
        self.extract(gensr, root)
        for flags in ((), ("--protocol", "random-holdout"), ("--fold", "none")):
            assert "Traceback" not in gensr("train", "s.zarr", "--run", "r", *flags).complaint

    def test_clips_without_a_label_are_left_out_and_counted(self, corpus, gensr, here):
        gensr("extract", corpus, "--encoder", "fbank", "--out", "s.zarr", "--allow-errors", 99).ok()
        said = gensr("train", "s.zarr", "--steps", 2, "--run", "r").ok()
        assert "1 clip left out: no emotion label\n" in said.err


def test_a_current_folder_that_is_gone_is_named(tmp_path):
    (tmp_path / "gone").mkdir()
    script = Path(sys.executable).parent / "gensr"
    leave = 'cd "$1" && rmdir "$1" && exec "$2" extract /corpus --out s.zarr --encoder fbank'
    done = subprocess.run(
        ["bash", "-c", leave, "bash", tmp_path / "gone", script], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gensr: the current folder was removed, change into another")
