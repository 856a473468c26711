"""Whole roots: real folders, official lists of names, mixtures, and mistakes."""

import csv
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from gensr.features.corpora.adapter import Adapter, by_name
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import audio_files
from gensr.features.corpora.registry import CORPORA
from gensr.features.corpora.scan import scan


def fill(root: Path, *names: str) -> Path:
    for folder in {(root / name).parent for name in names}:
        folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        os.close(os.open(root / name, os.O_CREAT))
    return root


def test_real_emodb(corpora: Path) -> None:
    found = scan(corpora / "emodb")
    assert len(found.clips) == 361
    assert found.problems == ()
    assert found.notes == ("emodb: 361 of the corpus's 535 clips",)
    assert len({clip.speaker for clip in found.clips}) == 10
    assert found.clips[0].path == "wav/03a01Fa.wav"


def test_real_ravdess(corpora: Path) -> None:
    found = scan(corpora / "ravdess")
    assert len(found.clips) == 1440
    assert (found.problems, found.notes) == ((), ())
    assert Counter(clip.emotion for clip in found.clips)["neutral"] == 96
    assert len({clip.speaker for clip in found.clips}) == 24


def test_real_roots_together(corpora: Path) -> None:
    found = scan(corpora)
    assert Counter(clip.corpus for clip in found.clips) == {"emodb": 361, "ravdess": 1440}
    assert [clip.path for clip in found.clips] == sorted({clip.path for clip in found.clips})


def test_cremad_with_its_table(corpora: Path, tmp_path: Path) -> None:
    names = (corpora / "crema-d" / "AudioWAV-filenames.txt").read_text().split()
    root = fill(tmp_path / "CREMA-D", *(f"AudioWAV/{name}" for name in names))
    without = scan(root)
    assert len(without.clips) == 7442
    assert any("no genders" in note for note in without.notes)
    table = (corpora / "crema-d" / "VideoDemographics.csv").read_bytes()
    (root / "VideoDemographics.csv").write_bytes(table)
    for start in (root, root / "AudioWAV"):  # under the root, and beside it
        found = scan(start)
        assert (len(found.clips), found.problems, found.notes) == (7442, (), ())
        genders = {clip.speaker: clip.gender for clip in found.clips}
        assert Counter(genders.values()) == {"male": 48, "female": 43}


SPLITS = {
    "train": ("train_splits", 9989),
    "dev": ("dev_splits_complete", 1109),
    "test": ("output_repeats_splits_test", 2610),
}


@pytest.fixture(scope="module")
def meld_names(corpora: Path) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for split in SPLITS:
        with (corpora / "meld" / f"{split}_sent_emo.csv").open(encoding="utf-8", newline="") as f:
            names[split] = [
                f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}.mp4" for row in csv.DictReader(f)
            ]
    return names


def test_the_whole_of_meld(corpora: Path, tmp_path: Path, meld_names: dict[str, list[str]]) -> None:
    for split, (folder, count) in SPLITS.items():
        assert len(meld_names[split]) == count
        fill(tmp_path, *(f"MELD.Raw/{folder}/{name}" for name in meld_names[split]))
        table = (corpora / "meld" / f"{split}_sent_emo.csv").read_bytes()
        fill(tmp_path, f"data/MELD/{split}_sent_emo.csv").joinpath(
            f"data/MELD/{split}_sent_emo.csv"
        ).write_bytes(table)
    # the flaws of the official archive
    (tmp_path / "MELD.Raw/dev_splits_complete/dia110_utt7.mp4").unlink()
    test = "MELD.Raw/output_repeats_splits_test"
    fill(tmp_path, f"{test}/final_videos_testdia101_utt0.mp4", f"{test}/._dia0_utt0.mp4")
    fill(tmp_path, f"{test}/dia108_utt2000.mp4")

    found = scan(tmp_path)
    assert Counter(clip.split for clip in found.clips) == {
        "train": 9989,
        "dev": 1108,
        "test": 2610,
    }
    assert [(problem.path, problem.reason) for problem in found.problems] == [
        (
            "MELD.Raw/dev_splits_complete/dia110_utt7.mp4",
            "is in dev_sent_emo.csv, but no such file",
        ),
        (f"{test}/dia108_utt2000.mp4", "is not in test_sent_emo.csv"),
    ]
    assert found.notes == (
        "meld: 1 unlabelled files (final_videos_test...) left out",
        "1 hidden audio files (names with a leading dot) left out",
    )
    emotions = Counter(clip.emotion for clip in found.clips if clip.split == "test")
    assert len(emotions) == 7
    assert emotions["neutral"] == 1256
    assert {clip.canonical for clip in found.clips} == {
        *("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    }
    # a name that two splits share is two utterances
    first = [clip for clip in found.clips if clip.path.endswith("/dia0_utt0.mp4")]
    assert {(clip.split, clip.speaker, clip.emotion) for clip in first} == {
        ("train", "Chandler", "neutral"),
        ("dev", "Phoebe", "sadness"),
        ("test", "Mark", "surprise"),
    }
    assert {clip.dialogue for clip in first} == {"train-0", "dev-0", "test-0"}
    assert len({clip.dialogue for clip in found.clips if clip.split == "test"}) == 280


TABLE = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
    '1,"Oh, no",Ross,sadness,negative,0,0\n2,Hi,Monica,joy,positive,0,1\n'
)


def test_meld_one_split_with_its_table_beside(tmp_path: Path) -> None:
    root = fill(tmp_path / "test", "dia0_utt0.wav", "dia0_utt1.wav", "dia0_utt1.mp4")
    with pytest.raises(CorpusError, match=r"no test_sent_emo.csv under it or beside it"):
        scan(root)
    (tmp_path / "test_sent_emo.csv").write_text(TABLE)
    found = scan(root)
    assert [(clip.path, clip.speaker) for clip in found.clips] == [
        ("dia0_utt0.wav", "Ross"),
        ("dia0_utt1.wav", "Monica"),
    ]
    assert found.clips[0].extra == {"utterance": "0", "sentiment": "negative", "text": "Oh, no"}
    assert found.notes == ("meld: 1 files left out that are here in another format too",)


def test_meld_tables_that_are_no_use(tmp_path: Path) -> None:
    fill(tmp_path, "test/dia0_utt0.wav", "a/x", "b/x")
    (tmp_path / "a" / "test_sent_emo.csv").write_text(TABLE)
    (tmp_path / "b" / "test_sent_emo.csv").write_text(TABLE)
    assert len(scan(tmp_path).clips) == 1  # two equal copies do no harm
    (tmp_path / "b" / "test_sent_emo.csv").write_text(TABLE.replace("joy", "fear"))
    with pytest.raises(CorpusError, match="differ; keep one of them"):
        scan(tmp_path)
    (tmp_path / "b" / "test_sent_emo.csv").unlink()
    (tmp_path / "a" / "test_sent_emo.csv").write_text(TABLE + "3,Hi,Joey,joy,positive,0,1\n")
    with pytest.raises(CorpusError, match="line 4: repeats line 3"):
        scan(tmp_path)
    (tmp_path / "a" / "test_sent_emo.csv").write_text(TABLE.replace("Emotion", "Mood"))
    with pytest.raises(CorpusError, match="line 1: expected the columns Emotion"):
        scan(tmp_path)


def test_meld_clips_without_a_split(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no folder named train, dev or test"):
        scan(fill(tmp_path / "clips", "dia0_utt0.wav"))


def test_savee_and_tess_from_names(tmp_path: Path) -> None:
    savee = [f"AudioData/{s}/{e}{n:02d}.wav" for s in ("DC", "JE", "JK", "KL")
             for e in ("a", "d", "f", "h", "n", "sa", "su")
             for n in range(1, 31 if e == "n" else 16)]  # fmt: skip
    words = [a + b for a in "abcdefghijklmnopqrst" for b in "abcdefghij"]
    tess = [f"TESS/{s}_{e}/{s}_{w}_{e}.wav" for s in ("OAF", "YAF") for w in words
            for e in ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")]  # fmt: skip
    found = scan(fill(tmp_path, *savee, *tess))
    assert Counter(clip.corpus for clip in found.clips) == {"savee": 480, "tess": 2800}
    assert (found.problems, found.notes) == ((), ())


def test_a_corpus_may_be_split_and_mixed(tmp_path: Path) -> None:
    root = fill(
        tmp_path, "a/03a01Fa.WAV", "b/c/08a01Na.flac", "DC/a01.wav", "x/OAF_back_ps.wav", "y.wav"
    )
    fill(root, "readme.txt", "angry/z.wav")
    found = scan(root)
    assert [(clip.corpus, clip.path) for clip in found.clips] == [
        ("savee", "DC/a01.wav"),
        ("emodb", "a/03a01Fa.WAV"),
        ("emodb", "b/c/08a01Na.flac"),
        ("tess", "x/OAF_back_ps.wav"),
    ]
    assert [problem.path for problem in found.problems] == ["angry/z.wav", "y.wav"]
    assert "no adapter knows this name" in found.problems[0].reason


def test_the_same_utterance_counts_once(tmp_path: Path) -> None:
    name = "03-01-06-01-02-01-12"
    root = fill(tmp_path, f"Actor_12/{name}.wav", f"copy/{name}.wav", f"mp3/{name}.mp3")
    fill(root, f"A/01{name[2:]}.mp4", f"A/02{name[2:]}.mp4", "03-02-06-01-02-01-12.wav")
    found = scan(root)
    assert [clip.path for clip in found.clips] == [f"Actor_12/{name}.wav"]
    assert [(problem.path, problem.reason) for problem in found.problems] == [
        ("03-02-06-01-02-01-12.wav", "RAVDESS song (channel 02), not speech"),
        (f"A/02{name[2:]}.mp4", "RAVDESS video without sound (modality 02)"),
    ]
    assert found.notes == (
        "ravdess: 2 files left out that are here in another format too",
        f"ravdess: 1 file is a copy, byte for byte, of others here, and left out: under copy, first"
        f" copy/{name}.wav, of Actor_12/{name}.wav",
        "ravdess: 1 of the corpus's 1440 clips",
    )


def test_folders_are_classes(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", "Angry/a.wav", "Angry/deep/er/b.ogg", "smug/c.wav", "d.wav")
    found = scan(root)
    assert [(clip.path, clip.emotion, clip.canonical) for clip in found.clips] == [
        ("Angry/a.wav", "Angry", "anger"),
        ("Angry/deep/er/b.ogg", "Angry", "anger"),
        ("smug/c.wav", "smug", ""),
    ]
    assert {clip.corpus for clip in found.clips} == {"mine"}
    assert [problem.path for problem in found.problems] == ["d.wav"]
    assert found.notes == (
        "no known corpus: 2 folders are the classes (Angry, smug)",
        "labels that other corpora do not share: smug",
    )


HEADS = {
    "sad/a.txt": b"RIFF\x24\0\0\0WAVEfmt ",
    "sad/b": b"fLaC\0\0\0\x22",
    "sad/c.raw": b"OggS\0\2",
    "sad/d.wave": b"RF64\xff\xff\xff\xffWAVE",
    "sad/e.1": b"FORM\0\0\0\0AIFF",
    "sad/f.bak": b"FORM\0\0\0\0AIFC",
    "sad/g.dat": b".snd\0\0\0\x18",
    "sad/h.tmp": b"caff\0\1",
    "sad/i.part": b"ID3\3\0\0\0\0\0\1" + bytes(9),
    "angry/j": b"\x1aE\xdf\xa3",
    "angry/k.bin": b"RIFF\0\0\0\0AVI LIST",
    "angry/l.tmp": b"\0\0\0\x18ftypmp42",
    "angry/m.x": b"#!AMR\n",
    "angry/n.x": b"FLV\1",
    "angry/o.x": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    "angry/p.x": bytes.fromhex("fffb9064") + bytes(413) + bytes.fromhex("fffb9064") + bytes(413),
    "angry/q.x": (b"G" + bytes(187)) * 5,
}
OTHERS = {
    "readme.txt": b"RIFF is a format",
    "sad/k.ilbm": b"FORM\0\0\0\0ILBM",
    "sad/l.csv": b"ID3,emotion\n",
    "sad/.m": b"fLaC\0\0\0\x22",
    "sad/._n.wav": b"\0\5\x16\7",
    "sad/n.lab": b"",
    "sad/o.txt": "in UTF-16, whose mark begins like a frame".encode("utf-16"),
    "sad/p.txt": b"The free software",
    "sad/q.heic": b"\0\0\0\x18ftypheic",
    "a.zarr/c/0": b"fLaC\0\0\0\x22",
}


def test_audio_under_any_suffix_is_a_clip(tmp_path: Path) -> None:
    root = fill(tmp_path, "sad/z.wav", *HEADS, *OTHERS)
    for name, head in {**HEADS, **OTHERS}.items():
        (root / name).write_bytes(head)
    (root / "sad" / "nothing").symlink_to("gone")
    os.mkfifo(root / "sad" / "pipe")
    found = scan(root)
    assert [clip.path for clip in found.clips] == sorted([*HEADS, "sad/z.wav"])
    assert {clip.emotion for clip in found.clips} == {"sad", "angry"}
    (note,) = (note for note in found.notes if note.endswith("audio by content, taken as such"))
    assert note.startswith(f"{len(HEADS)} files (.x 5, no suffix 2, .tmp 2, ")
    assert [path.relative_to(root).as_posix() for path in audio_files(root)[0]] == [
        clip.path for clip in found.clips
    ]


@pytest.mark.parametrize(
    "suffix", [".webm", ".aac", ".amr", ".wma", ".avi", ".mov", ".3gp", ".flv"]
)
def test_a_file_with_a_suffix_of_video_is_a_clip_whatever_it_holds(
    tmp_path: Path, suffix: str
) -> None:
    root = fill(tmp_path, "sad/a.wav", f"angry/b{suffix}", f"angry/C{suffix.upper()}")
    assert {clip.emotion for clip in scan(root).clips} == {"sad", "angry"}


def test_folders_of_what_nobody_knows_are_told(tmp_path: Path) -> None:
    root = fill(tmp_path, "sad/a.wav", "sad/b.xyz", *(f"angry/{n}.xyz" for n in range(12)))
    for file in root.rglob("*.xyz"):
        file.write_bytes(b"\x07\0binary")
    fill(root, "pictures/a.png", "texts/a.txt")
    said = "13 files (.xyz 13) left out, no audio gensr knows"
    assert said in scan(root).notes
    (root / "sad" / "a.wav").unlink()
    with pytest.raises(CorpusError, match=r"holds no audio file.*; 13 files \(\.xyz 13\)"):
        scan(root)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"


def test_pointers_to_what_was_not_fetched_are_named(tmp_path: Path) -> None:
    root = fill(tmp_path, "sad/a.wav", "sad/b", "sad/c.png")
    for name in ("b", "c.png"):
        (root / "sad" / name).write_bytes(POINTER)
    (root / "sad" / "d.wav").symlink_to("../.git/annex/objects/xx/yy/SHA256E-s9--00.wav")
    found = scan(root)
    assert any(note.startswith("1 file (no suffix 1) left out as Git LFS") for note in found.notes)
    assert [(item.path, item.reason) for item in found.problems] == [
        ("sad/d.wav", "its content is not here: fetch it with `git annex get`")
    ]


def test_links_to_nothing_and_odd_names_are_problems(tmp_path: Path) -> None:
    root = fill(tmp_path, "sad/a.wav")
    (root / "sad" / "b.wav").symlink_to("annex/b.wav")
    os.close(os.open(os.fsencode(root) + b"/sad/\xff.wav", os.O_CREAT))
    found = scan(root)
    assert [clip.path for clip in found.clips] == ["sad/a.wav"]
    assert [(problem.path, problem.reason) for problem in found.problems] == [
        ("sad/\\udcff.wav", "a name that is not UTF-8; rename the file"),
        ("sad/b.wav", "a link to a file that is not there"),
    ]


@pytest.mark.parametrize(
    ("names", "start", "message"),
    [
        ([], "none", "none: no such folder or manifest"),
        (["readme.txt"], "", "holds no audio file"),
        (["a/._b.wav"], "", "holds no audio file"),
        (["a.wav"], "a.wav", "is a file; give the folder it is in, or a manifest"),
        (["a.wav"], "", "no file can be used; the first, a.wav: no adapter knows this name"),
        (["train/a.wav", "test/b.wav"], "", "are splits, not classes"),
        (["03-02-06-01-02-01-12.wav"], "", "RAVDESS song"),
    ],
)
def test_nothing_to_use(tmp_path: Path, names: list[str], start: str, message: str) -> None:
    fill(tmp_path, *names)
    with pytest.raises(CorpusError) as caught:
        scan(tmp_path / start)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_root_may_be_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fill(tmp_path / "JK", "su01.wav"))
    assert scan(Path()).clips[0].speaker == "JK"


def test_what_two_adapters_know_is_named_though_nothing_else_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(CORPORA, "_added", set())
    monkeypatch.setattr(CORPORA, "_loaded", {})
    for name in ("one", "two"):
        known = by_name(
            re.compile(r"t\d+"), lambda path, _, name=name: Clip(path=path, corpus=name)
        )
        CORPORA.add(name, Adapter(name=name, read=known))
    root = fill(tmp_path / "talks", "sad/t1.wav", "angry/t2.wav", "angry/x.wav", "sad/y.wav")
    with pytest.raises(CorpusError, match=r"angry/t2\.wav: one and two both know this name"):
        scan(root)
    fill(root, "03a01Fa.wav")
    found = scan(root)
    assert [clip.corpus for clip in found.clips] == ["emodb"]
    assert [problem.path for problem in found.problems] == [
        "angry/t2.wav",
        "angry/x.wav",
        "sad/t1.wav",
        "sad/y.wav",
    ]
