"""A corpus that is there twice: copies count once, other recordings of one name are refused."""

from pathlib import Path

import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.scan import scan

NAMES = [
    f"Actor_{actor:02d}/03-01-0{emotion}-01-0{statement}-0{take}-{actor:02d}.wav"
    for actor in range(1, 25)
    for emotion in range(1, 9)
    for statement in (1, 2)
    for take in (1, 2)
]


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(Path(name).name.encode())


def test_a_corpus_nested_in_itself_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, *NAMES, *(f"audio_speech_actors_01-24/{name}" for name in NAMES))
    found = scan(tmp_path)
    assert [clip.path for clip in found.clips] == sorted(NAMES)
    assert found.problems == ()
    (note, _) = found.notes
    assert note.startswith(
        "ravdess: 768 files are copies, byte for byte, of others here, and left out: "
        "under audio_speech_actors_01-24, first"
    )


def test_one_name_and_two_recordings_is_refused(tmp_path: Path) -> None:
    write(tmp_path, NAMES[0], f"copy/{NAMES[0]}")
    (tmp_path / "copy" / NAMES[0]).write_bytes(b"another recording")
    with pytest.raises(CorpusError, match="have the name of one utterance of ravdess and differ"):
        scan(tmp_path)
