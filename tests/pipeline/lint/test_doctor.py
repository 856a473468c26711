"""Counts, checksums, known bad files, lengths, levels: each told, and nothing where all is well."""

import numpy as np
import pytest

from gensr.features.corpora.checksums import EMODB
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.published import PUBLISHED
from gensr.pipeline.lint.checks import checks
from gensr.pipeline.lint.doctor import of_audio, of_problems, of_table
from gensr.pipeline.lint.findings import NOTE, TEST_SET, WARNING
from support import corpus_names
from support.clip_tables import grid, table


def _kinds(found):
    return [one.kind for one in found]


@pytest.mark.parametrize("corpus", ["savee", "emodb", "ravdess", "tess"])
def test_a_whole_corpus_has_the_published_counts(corpus):
    names = getattr(corpus_names, f"{corpus}_names")()
    found = list(of_table(corpus_names.table(corpus_names.read(corpus, names))))
    assert set(_kinds(found)) <= {"known"}  # RAVDESS's two equal files
    assert len(found) == (2 if corpus == "ravdess" else 0)


@pytest.mark.parametrize(
    ("corpus", "clips"),
    [("emodb", 535), ("ravdess", 1440), ("tess", 2800), ("savee", 480), ("cremad", 7442)],
)
def test_published_counts_add_up(corpus, clips):
    assert PUBLISHED[corpus].clips() == clips


def test_melds_parts_add_up():
    assert [PUBLISHED["meld"].clips(part) for part in ("train", "dev", "test")] == [
        9989,
        1109,
        2610,
    ]


def test_missing_clips_are_told_by_label():
    names = [name for name in corpus_names.emodb_names() if "W" not in name]
    (one,) = of_table(corpus_names.table(corpus_names.read("emodb", names)))
    assert (one.kind, one.count, one.of) == ("count", 535 - 127, 535)
    assert "anger 0 of 127" in one.line
    assert "boredom" not in one.line
    assert "Burkhardt" in one.line


def _meld(tests: int, split: str = "test"):
    rows = [
        {
            "path": f"test/dia{n}_utt0.mp4",
            "corpus": "meld",
            "speaker": f"s{n % 5}",
            "dialogue": f"test-{n}",
            "emotion": "neutral" if n % 2 else "joy",
            "split": split,
        }
        for n in range(tests)
    ]
    return table(rows)


def test_a_smaller_test_set_is_said_first_with_its_number():
    found = checks(_meld(2600), None).findings
    assert (found[0].kind, found[0].weight) == (TEST_SET, WARNING)
    assert "2610" in found[0].line
    assert "here are 2600" in found[0].line


def test_without_any_test_clip_there_is_no_test_to_be_smaller():
    assert TEST_SET not in _kinds(of_table(_meld(10, split="train")))


class TestChecksums:
    def _table(self, path, digest):
        clip = {"path": path, "corpus": "emodb", "emotion": "anger"}
        return {**table([clip]), "file_sha256": np.array([digest], object)}

    def test_another_file_is_told(self):
        name, digits = next(iter(EMODB.items()))
        right, wrong = (self._table(f"wav/{name}.wav", d) for d in (digits + "0" * 56, "0" * 64))
        assert "checksum" not in _kinds(of_table(right))
        (one,) = [one for one in of_table(wrong) if one.kind == "checksum"]
        assert one.clips == (f"wav/{name}.wav",)
        assert one.weight == WARNING

    def test_another_encoding_is_no_other_file(self):
        name = next(iter(EMODB))
        assert "checksum" not in _kinds(of_table(self._table(f"{name}.flac", "0" * 64)))

    def test_there_is_one_for_each_of_the_535(self):
        assert len(EMODB) == 535
        assert all(len(digits) == 8 and int(digits, 16) >= 0 for digits in EMODB.values())
        read = corpus_names.read("emodb", (f"{name}.wav" for name in EMODB))
        assert all(isinstance(clip, Clip) for clip in read)


@pytest.mark.parametrize(
    ("corpus", "path", "split"),
    [
        ("ravdess", "Actor_07/03-01-03-01-02-02-07.wav", ""),
        ("cremad", "AudioWAV/1076_MTI_SAD_XX.wav", ""),
        ("meld", "train_splits/dia125_utt3.mp4", "train"),
        ("meld", "test/dia38_utt4.mp4", "test"),
    ],
)
def test_known_bad_files_are_named(corpus, path, split):
    one = table([{"path": path, "corpus": corpus, "emotion": "x", "split": split}])
    (known,) = [found for found in of_table(one) if found.kind == "known"]
    assert known.clips == (path,)
    other = {**one, "split": np.array(["dev"])}  # MELD's numbers begin anew in each part
    assert "known" not in _kinds(of_table(other))


def test_absurd_lengths_are_told_within_their_corpus():
    seconds = ["2.0"] * 10 + ["300.0", "0.1"]
    rows = [{"corpus": "acme", "path": f"{k}.wav"} for k in range(12)]
    found = list(of_table({**table(rows), "seconds": np.array(seconds, object)}))
    assert [one.clips for one in found] == [("10.wav",), ("11.wav",)]
    assert "over 10 times longer than acme's median of 2.00 s" in found[0].line


def test_silent_and_clipped():
    found = list(of_audio(["a", "b", "c"], [-20.0, -75.0, -3.0], [0.0, 0.0, 0.02]))
    assert [one.clips for one in found] == [("b",), ("c",)]
    assert list(of_audio(["a"], [-20.0], [0.0005])) == []


def test_files_that_cannot_be_used_are_grouped_by_reason():
    problems = [Problem(path=f"{k}.wav", reason="empty file (0 bytes)") for k in range(7)]
    first, second = of_problems([Problem(path="x.wav", reason="silent"), *problems])
    assert first.count == 7
    assert "and 2 more" in first.line
    assert len(first.clips) == 7
    assert "1 file cannot be used, silent: x.wav" in second.line


def test_repetitions_are_grouped():
    one = grid("acme", ["a", "b"])
    audio = one["audio_sha256"].copy()
    audio[1] = audio[0]
    (repeated,) = checks({**one, "audio_sha256": audio}, None).findings
    assert (repeated.kind, repeated.weight) == ("repeated", NOTE)
    assert "0000.wav = 0001.wav" in repeated.line
