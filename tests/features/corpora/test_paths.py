"""A scan's paths are texts, with the parts that pathlib gives them."""

import os
from pathlib import Path, PurePosixPath

import pytest

from gensr.features.corpora import paths
from gensr.features.corpora.files import walk
from gensr.features.corpora.scan import scan

NAMES = (
    *("a.wav", "a.b.wav", "A.WAV", ".hidden", ".hidden.wav", "._a.wav", "..wav", "a..wav", "a."),
    *("dot. ", " .wav", "none", "-", "\udcff\udcfe.wav", "Ärger ü.flac", "a\nb.wav", "x.tar.gz"),
)
FOLDERS = ("", "angry", "v.1", ".git/x", "a b/c.d/e")


EXPECTED = [
    *((f"1/angry/{name}", "angry", "1") for name in ("0.wav", "1.wav", "link.wav", "recording")),
    ("1/angry/ü.WAV", "angry", "1"),
    *((f"1/x.y/{name}", "x.y", "1") for name in ("0.wav", "1.wav")),
    *((f"2/angry/{name}", "angry", "2") for name in ("0.wav", "1.wav")),
    *((f"2/happy/{name}", "happy", "2") for name in ("0.wav", "1.wav")),
]
UNCLEAR = "'angry-b' is an emotion and something else; list it in a manifest"
PROBLEMS = {
    "1/angry-b/0.wav": UNCLEAR,
    "1/angry-b/1.wav": UNCLEAR,
    "1/angry/\\udcff.wav": "a name that is not UTF-8; rename the file",
    "1/angry/a\\nb.wav": "a name that is not printable; rename the file",
    "1/angry/dead.wav": "a link to a file that is not there",
    "1/angry/self.wav": "a link to a file that is not there",
}
HIDDEN = "1 hidden audio files (names with a leading dot) left out"
BY_CONTENT = "1 file (no suffix 1) audio by content, taken as such"
NOTES = (
    "no known corpus: 3 folders are the classes (angry, happy, x.y)",
    "the folders above the classes are taken for the speakers: 1, 2; if they are not, list the "
    "files in a manifest",
    HIDDEN,
    "not read: labels.json; a manifest is one of manifest.csv, manifest.tsv, manifest.jsonl",
    BY_CONTENT,
    "labels that other corpora do not share: x.y",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", FOLDERS)
def test_parts_are_those_of_pathlib(folder, name):
    path = f"{folder}/{name}" if folder else name
    wanted = PurePosixPath(path)
    found = paths.name_of(path), paths.stem_of(path), paths.suffix_of(path), paths.folders_of(path)
    assert found == (wanted.name, wanted.stem, wanted.suffix, wanted.parts[:-1])


@pytest.fixture
def tree(tmp_path):
    """Folders of classes and speakers with all that may lie in such."""
    root = tmp_path / "mixed"
    for folder in ("1/angry", "2/angry", "1/x.y", "2/happy", ".git", "1/angry-b"):
        (root / folder).mkdir(parents=True)
        for number in range(2):
            (root / folder / f"{number}.wav").write_bytes(f"RIFF{folder}{number}".encode())
    for name in (b"\xff.wav", b"a\nb.wav", "ü.WAV".encode(), b"._0.wav", b"dot.", b".txt"):
        Path(os.fsdecode(os.fsencode(root / "1/angry") + b"/" + name)).write_bytes(b"text")
    (root / "1/angry/recording").write_bytes(b"RIFF\0\0\0\0WAVEfmt " + bytes(40))
    (root / "1/angry/link.wav").symlink_to("0.wav")
    (root / "1/angry/dead.wav").symlink_to("nowhere.wav")
    (root / "1/angry/self.wav").symlink_to("self.wav")
    (root / "2/again").symlink_to("../1/angry")
    (root / "2/up").symlink_to("..")
    (root / "labels.json").write_text("{}")
    return root


def test_a_walk_finds_what_pathlib_finds(tree):
    """But for folders that links lead to once more, and hidden ones."""
    every = [path for path in tree.rglob("*") if path.is_symlink() or not path.is_dir()]
    files = {path for path in every if not path.is_dir()}
    wanted = {path for path in files if ".git" not in path.parts and "again" not in path.parts}
    found = walk(tree)
    assert found.files() == sorted(wanted, key=Path.as_posix)
    links = {path.relative_to(tree).as_posix() for path in wanted if path.is_symlink()}
    assert found.links == links == {f"1/angry/{name}.wav" for name in ("dead", "link", "self")}


def test_a_scan_of_what_may_lie_there(tree):
    found = scan(tree)
    assert [(clip.path, clip.emotion, clip.speaker) for clip in found.clips] == EXPECTED
    assert {problem.path: problem.reason for problem in found.problems} == PROBLEMS
    assert found.notes == NOTES


def test_a_manifest_below_leaves_the_others_without_a_name(tree):
    (tree / "below").mkdir()
    (tree / "below/manifest.csv").write_text("file,emotion,speaker\na.wav,sad,3\nb.wav,sad,3\n")
    for name in ("a.wav", "c.wav"):
        (tree / "below" / name).write_bytes(b"RIFF" + name.encode())
    found = scan(tree)
    assert [(clip.path, clip.emotion, clip.speaker) for clip in found.clips] == [
        ("below/a.wav", "sad", "3")
    ]
    strangers = [problem for problem in found.problems if "no adapter knows" in problem.reason]
    assert len(found.problems) == 18
    assert len(strangers) == 13
    assert found.problems[-1].reason == "line 3: no such file"
    assert found.notes == (
        HIDDEN,
        "1 audio file is not in the manifest of their folder, left out: first below/c.wav",
        BY_CONTENT,
    )
