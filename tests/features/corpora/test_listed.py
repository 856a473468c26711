"""Manifests of other tools, below the root, and several at once."""

import csv
import io
import json
import os
import unicodedata
from pathlib import Path

import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.missing import WORDS
from gensr.features.corpora.scan import Scan, scan


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def listed(root: Path, text: str, name: str = "manifest.csv") -> Scan:
    (root / name).write_text(text, encoding="utf-8")
    return scan(root)


@pytest.mark.parametrize("missing", ["", " ", *sorted(WORDS), "-", "\u2013"])
def test_what_is_missing_is_no_label(tmp_path: Path, missing: str) -> None:
    fill(tmp_path, "a.wav", "b.wav")
    rows = [["file", "speaker", "emotion", "gender", "split", "room"]]
    rows += [["a.wav"] + [missing] * 5, ["b.wav", "anna", "sad", "f", "test", "12"]]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    found = listed(tmp_path, text.getvalue())
    first = found.clips[0]
    assert (first.emotion, first.speaker, first.gender, first.split) == ("", "", "", "")
    assert first.extra == {"room": ""}
    if missing.strip():
        assert f"manifest.csv: cells of 'room' taken as missing: {missing!r} (1)" in found.notes


def test_what_is_missing_in_json(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{n}.wav" for n in range(4)))
    rows = [
        {"file": "0.wav", "speaker": float("nan"), "emotion": float("nan")},
        {"file": "1.wav", "speaker": None, "emotion": None},
        {"file": "2.wav", "speaker": "NaN", "emotion": "None"},
        {"file": "3.wav", "speaker": "Nan", "emotion": "none"},
    ]
    found = listed(tmp_path, "\n".join(map(json.dumps, rows)), "manifest.jsonl")
    assert [(clip.speaker, clip.emotion) for clip in found.clips] == [("", "")] * 3 + [
        ("Nan", "none")
    ]


def test_a_dash_beside_a_plus_is_a_value(tmp_path: Path) -> None:
    fill(tmp_path, "a.wav", "b.wav")
    found = listed(tmp_path, "file,emotion\na.wav,-\nb.wav,+\n")
    assert [clip.emotion for clip in found.clips] == ["-", "+"]


@pytest.mark.parametrize("name", ["nan", "NA", "null", ""])
def test_a_row_without_its_file_is_refused_by_line(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "a.wav")
    with pytest.raises(CorpusError, match="line 3: names no file"):
        listed(tmp_path, f"file,emotion\na.wav,sad\n{name},sad\n")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_delimiters_encodings_and_line_ends(
    tmp_path: Path, delimiter: str, encoding: str, newline: str
) -> None:
    fill(tmp_path, "a.wav", "b.wav")
    text = io.StringIO()
    rows = [
        ["file", "emotion", "note, or more"],
        ["a.wav", "Wut", "x;y,\nz"],
        ["b.wav", "joie", ""],
    ]
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
    (tmp_path / "manifest.csv").write_bytes(text.getvalue().encode(encoding))
    found = scan(tmp_path)
    assert [(c.path, c.canonical) for c in found.clips] == [
        ("a.wav", "anger"),
        ("b.wav", "happiness"),
    ]
    assert found.clips[0].extra == {"note, or more": "x;y,\nz"}


def test_excels_own_hint(tmp_path: Path) -> None:
    fill(tmp_path, "a.wav")
    assert listed(tmp_path, "sep=;\r\nfile;emotion\r\na.wav;sad\r\n").clips[0].emotion == "sad"


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("file_name,emotion_label", "emotion"),
        ("audio_path,EmoClass", "emotion"),
        ("FileName,SpkrID", "speaker"),
        ("wav,Emo", "emotion"),
        ("Path,Speaker ID", "speaker"),
    ],
)
def test_columns_under_other_names(tmp_path: Path, header: str, field: str) -> None:
    fill(tmp_path, "a.wav")
    assert getattr(listed(tmp_path, f"{header}\na.wav,x1\n").clips[0], field) == "x1"


def test_other_labels_need_no_emotion(tmp_path: Path) -> None:
    fill(tmp_path, "a.wav", "b.wav")
    found = listed(tmp_path, "file,gender,mood\na.wav,Female,up\nb.wav,m,down\n")
    assert [clip.gender for clip in found.clips] == ["female", "male"]
    assert found.notes == (
        "manifest.csv: no column for the emotion, so no clip has one (columns: file, gender, mood)",
    )


@pytest.mark.parametrize(
    ("cell", "part"),
    [
        *(("Training", "train"), ("val", "dev"), ("DEVELOPMENT", "dev"), ("Testing", "test")),
        *(("eval", "test"), ("test set", "test"), ("None", "")),
    ],
)
def test_splits_in_their_usual_spellings(tmp_path: Path, cell: str, part: str) -> None:
    fill(tmp_path, "a.wav")
    assert listed(tmp_path, f"file,emotion,split\na.wav,sad,{cell}\n").clips[0].split == part


def test_manifests_in_folders_beside_a_known_corpus(tmp_path: Path) -> None:
    fill(tmp_path, "emodb/wav/03a01Fa.wav", "mine/x/a.wav", "mine/b.wav", "other/c.wav")
    listed_ = tmp_path / "mine"
    (listed_ / "manifest.csv").write_text("file,emotion,speaker\nx/a.wav,sad,anna\n")
    found = scan(tmp_path)
    assert [(c.path, c.corpus, c.emotion) for c in found.clips] == [
        ("emodb/wav/03a01Fa.wav", "emodb", "happiness"),
        ("mine/x/a.wav", "mine", "sad"),
    ]
    assert [problem.path for problem in found.problems] == ["other/c.wav"]
    assert any("1 audio file is not in the manifest of their folder" in n for n in found.notes)


def test_two_manifests_that_contradict_each_other(tmp_path: Path) -> None:
    fill(tmp_path, "a/b/x.wav", "a/b/y.wav")
    (tmp_path / "a" / "manifest.csv").write_text("file,emotion\nb/x.wav,sad\nb/y.wav,joy\n")
    (tmp_path / "a" / "b" / "manifest.csv").write_text("file,speaker,emotion\nx.wav,anna,sad\n")
    assert [clip.emotion for clip in scan(tmp_path).clips] == ["sad", "joy"]
    (tmp_path / "a" / "b" / "manifest.csv").write_text("file,emotion\nx.wav,angry\n")
    with pytest.raises(CorpusError, match=r"both name a/b/x.wav, with emotion 'sad' and 'angry'"):
        scan(tmp_path)


def test_the_roots_manifest_decides_alone_and_says_so(tmp_path: Path) -> None:
    fill(tmp_path, "a.wav", "sub/b.wav")
    (tmp_path / "sub" / "manifest.csv").write_text("file,emotion\nb.wav,joy\n")
    found = listed(tmp_path, "file,emotion\na.wav,sad\n", "Manifest.CSV")
    assert [clip.path for clip in found.clips] == ["a.wav"]
    assert found.notes == (
        "1 audio file is not in Manifest.CSV, left out: first sub/b.wav",
        "Manifest.CSV decides alone; not read: sub/manifest.csv",
    )


def test_an_audio_folder_of_hugging_face(tmp_path: Path) -> None:
    fill(tmp_path, "train/a.wav", "validation/b.wav", "test/c.wav")
    text = "file_name,label\n"
    found = listed(tmp_path, f"{text}train/a.wav,sad\nvalidation/b.wav,joy\ntest/c.wav,sad\n",
                   "metadata.csv")  # fmt: skip
    assert [(c.split, c.emotion) for c in found.clips] == [
        *(("test", "sad"), ("train", "sad"), ("dev", "joy"))
    ]
    assert "metadata.csv: the split by the files' folders: dev 1, test 1, train 1" in found.notes
    (tmp_path / "metadata.csv").unlink()
    for part, name in (("train", "a"), ("validation", "b"), ("test", "c")):
        row = json.dumps({"file_name": f"{name}.wav", "label": "joy"})
        (tmp_path / part / "metadata.jsonl").write_text(row)
    assert [clip.split for clip in scan(tmp_path).clips] == ["test", "train", "dev"]
    (tmp_path / "train" / "manifest.csv").write_text("file,emotion\na.wav,joy\n")
    with pytest.raises(CorpusError, match=r"holds manifest.csv and metadata.jsonl; keep one"):
        scan(tmp_path)


def test_metadata_that_names_no_file_is_none_of_ours(tmp_path: Path) -> None:
    fill(tmp_path, "sad/a.wav")
    found = listed(tmp_path, "speaker,age\nanna,9\n", "metadata.csv")
    assert found.clips[0].emotion == "sad"
    note = "not read, as none of its columns names files: metadata.csv; name that column file"
    assert note in found.notes


@pytest.mark.parametrize("name", ["manifest.csv", "Manifest.jsonl", "sub/manifest.tsv"])
def test_a_manifest_that_is_not_here_leaves_nothing_to_folders(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "sad/a.wav", "angry/b.wav", "sub/joy/c.wav")
    manifest = tmp_path / name
    manifest.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\n")
    with pytest.raises(CorpusError, match=r"a Git LFS pointer, .*`git lfs pull`, or move it away"):
        scan(tmp_path)
    with pytest.raises(CorpusError, match=r"a Git LFS pointer, .*`git lfs pull`"):
        scan(manifest)
    for target, said in (("gone.csv", "is not there: mend it"), (".git/annex/objects/x", "annex")):
        manifest.unlink()
        manifest.symlink_to(target)
        with pytest.raises(CorpusError, match=said):
            scan(tmp_path)
    manifest.unlink()
    os.mkfifo(manifest)
    with pytest.raises(CorpusError, match="not a regular file"):
        scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("labels.csv", "not read, though it names files: labels.csv; give a table's path"),
        ("sad/all.tsv", "not read, though it names files: sad/all.tsv; give a table's path"),
        ("manifest.json", "not read: manifest.json; a manifest is one of manifest.csv"),
        ("Labels.xlsx", "not read: Labels.xlsx; a manifest is one of manifest.csv"),
        ("manifest.csv.gz", "not read: manifest.csv.gz; a manifest is one of manifest.csv"),
        ("train/annotations.txt", "not read: train/annotations.txt; a manifest is one of"),
    ],
)
def test_tables_that_are_not_read_are_named(tmp_path: Path, name: str, said: str) -> None:
    fill(tmp_path, "sad/a.wav", "angry/b.wav", name)
    (tmp_path / name).write_text("file,label\nsad/a.wav,joy\n".replace(",", "\t"))
    assert [note for note in scan(tmp_path).notes if note.startswith(said)]
    (tmp_path / "sad").rename(tmp_path / "dev")
    (tmp_path / "angry").rename(tmp_path / "test")
    (tmp_path / "labels.csv").write_text("file,label\ndev/a.wav,joy\n")
    with pytest.raises(CorpusError, match=r"are splits, not classes;.*not read.*labels.csv"):
        scan(tmp_path)


@pytest.mark.parametrize("name", ["set", "Usage", "phase", "fold", "dataset"])
def test_a_split_under_another_name_is_honoured(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "a.wav", "b.wav", "c.wav")
    rows = "a.wav,sad,Train\nb.wav,joy,test\nc.wav,joy,\n"
    found = listed(tmp_path, f"file,emotion,{name}\n{rows}")
    assert [clip.split for clip in found.clips] == ["train", "test", ""]
    assert {clip.corpus for clip in found.clips} == {tmp_path.name}
    assert f"manifest.csv: {name!r} is taken for the split" in found.notes
    assert [clip.extra[name] for clip in found.clips] == ["Train", "test", ""]  # for column:NAME
    rows = "a.wav,sad,train,2\nb.wav,joy,tested,2\nc.wav,joy,valid,2\n"
    found = listed(tmp_path, f"file,emotion,{name},other\n{rows}")
    assert {clip.split for clip in found.clips} == {""}
    rows = "a.wav,sad,train,train\nb.wav,joy,test,dev\nc.wav,joy,,\n"
    with pytest.raises(CorpusError, match=r"both read like the split; name one of them split"):
        listed(tmp_path, f"file,emotion,{name},other\n{rows}")


def test_a_table_under_another_name_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "sad/a.wav", "joy/b.wav")
    found = listed(tmp_path, "file,emotion\nsad/a.wav,joy\n", "labels.csv")
    assert any("names files: labels.csv; give a table's path" in note for note in found.notes)


def test_a_disk_that_has_names_decomposed(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "ärger.wav")
    fill(tmp_path, name)
    found = listed(tmp_path, "file,emotion\närger.wav,sad\n")
    assert [clip.path for clip in found.clips] == [name]


def test_a_folder_whose_own_name_is_no_utf8(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/k\xf6rper"))
    fill(root, "a.wav", "b.wav")
    (root / "manifest.csv").write_text("file,emotion\na.wav,sad\nb.wav,joy\n")
    with pytest.raises(CorpusError, match=r"k\\udcf6rper: the folder's name is its corpus's"):
        scan(root)
    (root / "manifest.csv").write_text("file,emotion,corpus\na.wav,sad,x\nb.wav,joy,x\n")
    assert {clip.corpus for clip in scan(root).clips} == {"x"}
    (root / "manifest.csv").unlink()
    fill(root, "03a01Fa.wav")
    assert [clip.corpus for clip in scan(root).clips] == ["emodb"]


@pytest.mark.parametrize("name", [b"a\nb.wav", b"a\x1b[31m.wav", b"\xff.wav", b"a\x7f.wav"])
def test_names_that_cannot_be_stored_are_problems(tmp_path: Path, name: bytes) -> None:
    fill(tmp_path, "sad/a.wav")
    (tmp_path / "sad" / os.fsdecode(name)).touch()
    found = scan(tmp_path)
    assert [clip.path for clip in found.clips] == ["sad/a.wav"]
    (problem,) = found.problems
    assert problem.path.isprintable()
    assert "rename the file" in problem.reason


def test_a_manifests_names_that_cannot_be_stored_are_problems(tmp_path: Path) -> None:
    fill(tmp_path, "a.wav", "a\nb.wav")
    found = listed(tmp_path, 'file,emotion\na.wav,sad\n"a\nb.wav",sad\n')
    assert [(problem.path, problem.reason) for problem in found.problems] == [
        ("a\\nb.wav", "line 3: a name that is not printable; rename the file")
    ]
