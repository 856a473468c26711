"""What every corpus promises of the files under its root."""

import json
import pickle
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import ClassVar

import pytest

from gensr.features.corpora.adapter import Adapter
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.labels import CANONICAL
from gensr.features.corpora.registry import CORPORA
from gensr.features.corpora.scan import scan
from support.corpora import NAMES, STRANGERS


def fill(root: Path, names: Iterable[str]) -> Path:
    """Lay files, each with something of its own in it."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


class RootContract:
    """What a scan makes of a root. Inherit this, and give `names`, `emotions` and `tables`."""

    names: ClassVar[tuple[str, ...]]
    """The hook: audio files, relative to the root, each of them a clip."""
    emotions: ClassVar[tuple[str, ...]]
    """The hook: the labels of all of them."""
    corpus: ClassVar[str]
    """The hook: `Clip.corpus`."""

    def tables(self, root: Path) -> None:
        """The hook: lay what the clips need beside themselves; here nothing."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = fill(tmp_path / "above" / self.corpus, self.names)
        self.tables(root)
        return root

    def test_every_file_of_its_is_a_clip_once(self, root: Path) -> None:
        found = scan(root)
        assert found.problems == ()
        assert [clip.path for clip in found.clips] == sorted(self.names)
        assert {clip.corpus for clip in found.clips} == {self.corpus}
        assert all((root / clip.path).is_file() for clip in found.clips)

    def test_what_it_says_is_in_the_words_that_all_share(self, root: Path) -> None:
        clips = scan(root).clips
        assert {clip.emotion for clip in clips} == set(self.emotions)
        for clip in clips:
            assert clip.canonical in ("", *CANONICAL)
            assert clip.gender in ("", "female", "male")
            assert clip.split in ("", "train", "dev", "test")

    def test_it_says_the_same_each_time(self, root: Path) -> None:
        assert scan(root) == scan(root)

    def test_clips_travel_between_processes(self, root: Path) -> None:
        clips = scan(root).clips
        assert pickle.loads(pickle.dumps(clips)) == clips
        assert len(set(clips)) == len(clips)
        assert all(json.loads(json.dumps(dict(clip.extra))) == clip.extra for clip in clips)

    def test_a_file_that_it_does_not_know_is_told(self, root: Path) -> None:
        before = scan(root)
        fill(root, ["what-is-this.wav"])
        after = scan(root)
        assert after.clips == before.clips
        told = [problem.path for problem in after.problems]
        assert told == ["what-is-this.wav"] or len(after.notes) > len(before.notes)


class AdapterContract(RootContract):
    """What a reader of names promises. Inherit this, and say `adapter` too."""

    adapter: ClassVar[Adapter]
    """The hook."""
    by_tables: ClassVar[bool] = False
    """Whether the label is no part of the name."""

    @property
    def corpus(self) -> str:  # type: ignore[override]
        return self.adapter.name

    def read(self, name: str) -> Clip:
        item = self.adapter.read(name, "")
        assert isinstance(item, Clip), name
        return item

    def test_a_name_is_read_without_its_file(self) -> None:
        for name in self.names:
            clip = self.read(name)
            assert (clip.path, clip.corpus) == (name, self.adapter.name)
            assert bool(clip.emotion) != self.by_tables

    def test_neither_the_suffix_nor_folders_far_above_matter(self) -> None:
        for name in self.names:
            known = self.read(name)
            other = self.read(f"data/of mine/{PurePosixPath(name).with_suffix('.FLAC')}")
            for field in ("speaker", "gender", "sentence", "dialogue", "emotion", "split"):
                assert getattr(other, field) == getattr(known, field), (name, field)

    def test_a_root_may_be_scanned_from_above(self, root: Path) -> None:
        near = {clip.path: clip for clip in scan(root).clips}
        far = {clip.path: clip for clip in scan(root.parent).clips}
        assert set(far) == {f"{root.name}/{path}" for path in near}
        for path, clip in near.items():
            other = far[f"{root.name}/{path}"]
            assert (other.emotion, other.speaker, other.split) == (
                clip.emotion,
                clip.speaker,
                clip.split,
            )

    def test_no_other_corpus_knows_its_names(self) -> None:
        others = [CORPORA[name] for name in CORPORA if name != self.adapter.name]
        for name in self.names:
            assert [other.name for other in others if other.read(name, "") is not None] == []

    def test_it_knows_the_names_of_no_other_corpus(self) -> None:
        strange = [name for corpus, names in NAMES.items() if corpus != self.corpus
                   for name in names]  # fmt: skip
        for name in (*strange, *STRANGERS):
            assert self.adapter.read(name, "") is None, name

    @pytest.mark.parametrize("spoil", ["x{}", "{}x", "{} (1)", "copy of {}", "{}\n", "{}.{}"])
    def test_a_name_that_is_not_quite_its_own_is_no_clip(self, spoil: str) -> None:
        for name in self.names:
            path = PurePosixPath(name)
            other = path.with_name(spoil.format(path.stem, path.stem) + path.suffix)
            assert not isinstance(self.adapter.read(other.as_posix(), ""), Clip), other

    def test_a_part_of_the_corpus_is_said_to_be_one(self, root: Path) -> None:
        whole = self.adapter.official
        if whole:
            note = f"{self.corpus}: {len(self.names)} of the corpus's {whole} clips"
            assert note in scan(root).notes
