"""Finding files: order, suffixes, hidden names, links."""

import os
from pathlib import Path

import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import AUDIO_SUFFIXES, audio_files, tables_named


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(root: Path) -> list[str]:
    return [file.relative_to(root).as_posix() for file in audio_files(root)[0]]


def test_order_is_that_of_posix_paths(tmp_path: Path) -> None:
    touch(tmp_path, "b/a.wav", "b-a.wav", "a/z.WAV", "a/y/x.Flac", "B.opus")
    assert names(tmp_path) == sorted(names(tmp_path))
    assert len(names(tmp_path)) == 5


def test_only_audio_and_only_visible(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "a.txt", "._a.wav", ".cache/b.wav", "wav", "c.wav.part", "d/e.MP3")
    (tmp_path / "folder.wav").mkdir()
    assert names(tmp_path) == ["a.wav", "d/e.MP3"]


def test_a_hidden_root_is_fine(tmp_path: Path) -> None:
    touch(tmp_path, ".speech/a.wav")
    assert names(tmp_path / ".speech") == ["a.wav"]


def test_links_end(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.wav")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "a-link").symlink_to(tmp_path / "real")
    (tmp_path / "self").symlink_to("self")
    assert names(tmp_path) == ["real/a.wav"]


def test_a_link_to_elsewhere_is_followed(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.wav")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "data").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "root") == ["data/a.wav"]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        audio_files(tmp_path / "none")


def test_a_closed_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CorpusError, match=r"cannot be read \(Permission denied\)"):
        audio_files(tmp_path)


def test_suffixes_are_lower_case_with_dot() -> None:
    assert {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".mp4", ".m4a"} <= AUDIO_SUFFIXES
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in AUDIO_SUFFIXES)


def test_tables_under_the_root_come_before_those_beside(tmp_path: Path) -> None:
    touch(tmp_path, "t.csv", "root/a.wav")
    assert tables_named(tmp_path / "root", "t.csv") == [tmp_path / "t.csv"]
    touch(tmp_path, "root/x/t.csv")
    assert tables_named(tmp_path / "root", "t.csv") == [tmp_path / "root" / "x" / "t.csv"]
    assert tables_named(tmp_path / "root", "none.csv") == []
