"""MSP-Podcast by its documented layout: partitions, unknown speakers, rows without a file."""

from pathlib import Path

import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.scan import scan
from support.contracts.corpus import fill
from support.corpora import write_consensus

NAMES = [f"Audios/MSP-PODCAST_000{i}_000{i}.wav" for i in range(1, 6)]
PARTS = dict(zip(NAMES, ("Train", "Development", "Test1", "Test2", "Test3"), strict=True))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = fill(tmp_path / "msp", NAMES)
    write_consensus(root, dict(zip(NAMES, "AHSCX", strict=True)), PARTS, {NAMES[0]: "127"})
    return root


def test_each_partition_keeps_its_word(root: Path) -> None:
    clips = scan(root).clips
    parts = ["train", "dev", "test1", "test2", "test3"]
    assert [clip.extra["partition"] for clip in clips] == parts
    assert [clip.split for clip in clips] == ["train", "dev", "test", "", ""]
    assert [clip.emotion for clip in clips] == ["anger", "happiness", "sadness", "contempt", ""]
    assert [clip.speaker for clip in clips] == ["127", "", "", "", ""]
    assert clips[0].dialogue == "0001"


def test_the_audio_folder_alone_finds_its_table(root: Path) -> None:
    assert len(scan(root / "Audios").clips) == 5


def test_what_only_one_side_has_is_named(root: Path) -> None:
    (root / NAMES[2]).unlink()
    fill(root, ["Audios/MSP-PODCAST_0009_0001.wav"])
    said = {problem.path: problem.reason for problem in scan(root).problems}
    assert said == {
        NAMES[2]: "is in labels_consensus.csv, but no such file",
        "Audios/MSP-PODCAST_0009_0001.wav": "is not in labels_consensus.csv",
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Test2", "Test9", "line 5: Split_Set 'Test9'; expected one of Train"),
        (",A,", ",Angry,", "line 2: EmoClass 'Angry'"),
        ("SpkrID", "Who", "line 1: expected the columns SpkrID"),
        ("0002_0002", "0001_0001", "line 3: repeats line 2"),
    ],
)
def test_a_table_that_is_not_as_documented_is_refused(
    root: Path, old: str, new: str, said: str
) -> None:
    table = root / "Labels/labels_consensus.csv"
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(CorpusError, match=said):
        scan(root)
    table.unlink()
    with pytest.raises(CorpusError, match=r"no Labels/labels_consensus.csv"):
        scan(root)
