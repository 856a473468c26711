"""Manifests: what they say, what is refused, what is reported."""

import json
from pathlib import Path

import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.scan import Scan, scan


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "mine"
    (root / "wav").mkdir(parents=True)
    for name in ("a.wav", "b.wav", "c d.wav"):
        (root / "wav" / name).touch()
    return root


def scanned(root: Path, text: str, name: str = "manifest.csv") -> Scan:
    (root / name).write_text(text, encoding="utf-8")
    return scan(root)


def test_all_columns(root: Path) -> None:
    header = "file,speaker,gender,emotion,split,sentence,dialogue,corpus,room\n"
    found = scanned(root, header + "wav/a.wav,anna,F,Angry,validation,s1,d1,other,12\n")
    (clip,) = found.clips
    assert clip.path == "wav/a.wav"
    assert (clip.speaker, clip.gender, clip.emotion) == ("anna", "female", "Angry")
    assert (clip.canonical, clip.split, clip.sentence) == ("anger", "dev", "s1")
    assert (clip.dialogue, clip.corpus, dict(clip.extra)) == ("d1", "other", {"room": "12"})
    assert (found.root, found.problems) == (root, ())
    assert found.notes == ("2 audio files are not in manifest.csv, left out: first wav/b.wav",)


def test_given_as_the_root_from_any_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned(root, "file,emotion\nwav/a.wav,joy\n")
    by_folder = scan(root)
    (root / "manifest.csv").rename(root / "list.csv")
    assert scan(root / "list.csv").clips == by_folder.clips
    assert scan(root / "list.csv").notes == ()  # a list that is given may leave out what it likes
    monkeypatch.chdir(root)
    assert scan(Path("list.csv")).clips == by_folder.clips
    assert by_folder.clips[0].corpus == "mine"


def test_aliases_and_formats(root: Path) -> None:
    rows = [{"Path": "wav/a.wav", "Label": "sad"}, {"Path": "wav/b.wav", "Label": "joy"}]
    text = "\n".join(json.dumps(row) for row in rows)
    by_json = scanned(root, text, "manifest.jsonl").clips
    (root / "manifest.jsonl").unlink()
    by_tsv = scanned(root, "filename\tclass\nwav/a.wav\tsad\nwav/b.wav\tjoy\n", "manifest.tsv")
    assert by_json == by_tsv.clips
    assert [clip.canonical for clip in by_json] == ["sadness", "happiness"]


def test_clips_are_sorted_and_paths_shortened(root: Path) -> None:
    found = scanned(root, "file,emotion\n./wav/../wav/c d.wav,sad\nwav\\a.wav,sad\n")
    assert [clip.path for clip in found.clips] == ["wav/a.wav", "wav/c d.wav"]


def test_missing_and_repeated_files_are_problems(root: Path) -> None:
    text = "file,emotion\nwav/a.wav,sad\nnone.wav,sad\nwav/a.wav,sad\n./wav/a.wav,joy\nwav,sad\n"
    long = "x" * 300
    found = scanned(root, text + f"{long}.wav,sad\n")
    assert [clip.emotion for clip in found.clips] == ["sad"]
    assert [(problem.path[:9], problem.reason[:24]) for problem in found.problems] == [
        ("none.wav", "line 3: no such file"),
        ("wav", "line 6: is a folder"),
        ("wav/a.wav", "line 4 repeats line 2, w"),
        ("wav/a.wav", "line 5 contradicts line "),
        ("xxxxxxxxx", "line 7: cannot be looked"),
    ]


def test_notes_count_what_is_lacking(root: Path) -> None:
    text = "id,file,emotion,sex\n1,wav/a.wav,,x\n2,wav/b.wav,smug,m\n".replace("id,", ",")
    found = scanned(root, text)
    assert found.notes == (
        "manifest.csv: 1 row without an emotion",
        "manifest.csv: 1 row with a gender other than female and male, left empty",
        "manifest.csv: 2 rows with cells in a column that has no name, left out",
        "1 audio file is not in manifest.csv, left out: first wav/c d.wav",
        "labels that other corpora do not share: smug",
    )
    assert [clip.gender for clip in found.clips] == ["", "male"]
    assert found.clips[0].extra == {}


def test_canonical_may_be_given(root: Path) -> None:
    found = scanned(root, "file,emotion,canonical\nwav/a.wav,zorn,anger\nwav/b.wav,joy,\n")
    assert [clip.canonical for clip in found.clips] == ["anger", "happiness"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("/etc/passwd.wav", "line 3: /etc/passwd.wav is absolute"),
        ("C:\\speech\\a.wav", "is absolute"),
        ("\\\\server\\a.wav", "is absolute"),
        ("../mine/wav/a.wav", "line 3: ../mine/wav/a.wav leaves the manifest's folder"),
        ("wav/../../a.wav", "leaves the manifest's folder"),
        ("wav\\..\\..\\a.wav", "leaves the manifest's folder"),
        ("..", "leaves the manifest's folder"),
        ('""', "line 3: names no file"),
        ("a\0.wav", "line 3: holds a NUL byte"),
    ],
)
def test_paths_stay_inside(root: Path, file: str, message: str) -> None:
    (root.parent / "a.wav").touch()
    with pytest.raises(CorpusError) as caught:
        scanned(root, f"file,emotion\nwav/a.wav,sad\n{file},sad\n")
    assert message in str(caught.value)


def test_links_stay_inside(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "a.wav").touch()
    (root / "file.wav").symlink_to(outside / "a.wav")
    (root / "folder").symlink_to(outside)
    (root / "near.wav").symlink_to(root / "wav" / "a.wav")
    (root / "gone.wav").symlink_to(root / "none.wav")
    (root / "loop.wav").symlink_to("loop.wav")
    for file in ("file.wav", "folder/a.wav", "folder/none.wav"):
        with pytest.raises(CorpusError) as caught:
            scanned(root, f"file,emotion\nwav/a.wav,sad\n{file},sad\n")
        expected = f"line 3: {file} leaves the manifest's folder by a symbolic link"
        assert expected in str(caught.value)
        assert "--allow-outside" in str(caught.value)
    found = scanned(root, "file,emotion\nnear.wav,sad\ngone.wav,sad\nloop.wav,sad\n")
    assert [clip.path for clip in found.clips] == ["near.wav"]
    assert [problem.path for problem in found.problems] == ["gone.wav", "loop.wav"]


def test_a_root_that_is_a_link_is_its_own_inside(root: Path) -> None:
    scanned(root, "file,emotion\nwav/a.wav,sad\n")
    link = root.parent / "link"
    link.symlink_to(root)
    assert scan(link).clips == scan(root).clips
    assert scan(link / "manifest.csv").clips == scan(root).clips


def test_outside_is_allowed_on_demand(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "a.wav").touch()
    (root / "link.wav").symlink_to(outside / "a.wav")
    files = (f"{outside}/./a.wav", "wav/../../outside/a.wav", "link.wav", "wav/a.wav")
    text = "file,emotion\n" + "".join(f"{file},sad\n" for file in files)
    with pytest.raises(CorpusError, match="--allow-outside"):
        scanned(root, text)
    for start in (root, root / "manifest.csv"):
        found = scan(start, allow_outside=True)
        expected = sorted([f"{outside}/a.wav", "../outside/a.wav", "link.wav", "wav/a.wav"])
        assert [clip.path for clip in found.clips] == expected
        assert all((found.root / clip.path).is_file() for clip in found.clips)
        assert found.problems == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,emotion\nwav/a.wav,sad\n", "line 1: no column for the file; name one file or path"),
        ("name;emotion\nwav/a.wav;sad\n", "found: name;emotion"),
        ("file,emotion\nNaN,sad\n", "line 2: names no file"),
        ("file,emotion,label\nwav/a.wav,sad,1\n", "'emotion' and 'label' both mean the emotion"),
        ("file,emotion,split\nwav/a.wav,sad,fold1\n", "line 2: split 'fold1'"),
        ("file,emotion,canonical\nwav/a.wav,sad,sad\n", "line 2: canonical 'sad'"),
        ("file,emotion\nnone.wav,sad\n", "no file can be used; the first, none.wav: line 2"),
        ("file,emotion\n", "no file can be used"),
        ("", "is empty"),
    ],
)
def test_a_manifest_that_cannot_be_used(root: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        scanned(root, text)
    assert message in str(caught.value)
    assert "manifest.csv" in str(caught.value)


def test_two_manifests(root: Path) -> None:
    (root / "manifest.tsv").write_text("file\temotion\n")
    with pytest.raises(CorpusError, match=r"holds manifest.csv and manifest.tsv; keep one"):
        scanned(root, "file,emotion\nwav/a.wav,sad\n")


def test_a_manifest_wins_over_names(root: Path) -> None:
    (root / "03a01Fa.wav").touch()
    found = scanned(root, "file,emotion\n03a01Fa.wav,sad\n")
    assert [(clip.corpus, clip.emotion) for clip in found.clips] == [("mine", "sad")]
