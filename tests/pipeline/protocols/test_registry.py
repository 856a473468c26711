"""Names: all of them in the docs, in the help, and in the list that a wrong one is told."""

import re
from pathlib import Path

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.registry import SPLITTERS, choices, splitter_of
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid, together

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/evaluation.md").read_text(encoding="utf-8")
ARGUMENTS = {"speaker-kfold": "3", "kfold": "3", "cross-corpus": "a:b", "column": "fold"}


def documented() -> dict[str, str]:
    """Each name of the docs' table, and what its row says is kept apart."""
    rows = re.findall(r"^\| (`.*?) \|.*?\|.*\| ([^|]*) \|[^|]*\|$", PAGE, re.MULTILINE)
    return {
        name.partition(":")[0]: apart
        for names, apart in rows
        for name in re.findall(r"`([^`]+)`", names)
    }


def test_the_table_of_the_docs_has_every_name_and_no_other() -> None:
    assert {*documented()} == {*SPLITTERS, "FILE.toml"}


@pytest.mark.parametrize("name", sorted({*SPLITTERS} - {"emobox"}))
def test_what_the_docs_say_is_kept_apart_is(name: str) -> None:
    argument = ARGUMENTS.get(name)
    splitter = splitter_of(name if argument is None else f"{name}:{argument}")
    assert documented()[name] == (", ".join(splitter.groups) or "nothing")


def test_the_defaults_are_as_documented() -> None:
    own = {family.corpora: name for name, family in reversed(SPLITTERS.items()) if family.corpora}
    for (corpus,), name in own.items():
        row = next(line for line in PAGE.splitlines() if f"| `{name}`" in line)
        default = row.split(" | ")[1].lower().replace("-", "").replace("_", "")
        assert corpus.replace("_", "") in default, (corpus, row)


def test_the_help_names_families_that_there_are() -> None:
    source = (ROOT / "cli/train.py").read_text(encoding="utf-8")
    told = source[source.index("How to split") : source.index("default: the corpus's own.")]
    told = told.replace('"', "").replace("\n", " ")
    names = re.findall(r"[a-z][a-z0-9]+(?:-[a-z0-9]+)+|official|loso|kfold|emobox|column", told)
    assert len(names) > 10
    assert {*names} <= {*SPLITTERS}


def test_a_wrong_name_is_told_all_of_them() -> None:
    with pytest.raises(ProtocolError) as caught:
        splitter_of("leave-one-out")
    for name in choices():
        assert name in str(caught.value)
    with pytest.raises(ProtocolError, match=r"loso takes no argument, found loso:3"):
        splitter_of("loso:3")


@pytest.mark.parametrize("bad", ["speaker-kfold:1", "kfold:x", "kfold:-2", "speaker-kfold:2.5"])
def test_a_number_of_folds_is_one(bad: str) -> None:
    with pytest.raises(ProtocolError, match="expected a whole number of folds, at least 2"):
        splitter_of(bad)


def test_folds_are_as_many_as_asked_for_or_refused() -> None:
    clips = grid("mine", "abcde")
    protocol = make_protocol(clips, name="speaker-kfold:3")
    assert (protocol.name, len(protocol.folds)) == ("speaker-kfold:3", 3)
    assert make_protocol(clips, name="speaker-kfold").name == "speaker-kfold:5"
    with pytest.raises(ProtocolError, match=r"needs 6 speakers, there are 5 \(a, b, .*loso"):
        make_protocol(clips, name="speaker-kfold:6")
    with pytest.raises(ProtocolError, match="needs 99 distinct recordings, there are 60"):
        make_protocol(clips, name="kfold:99")


def test_recordings_that_are_equal_stay_together() -> None:
    clips = grid("mine", [""], sentences=20)
    audio = np.array([str(i // 3) for i in range(len(clips["path"]))])
    protocol = make_protocol({**clips, "audio_sha256": audio}, name="kfold:4")
    assert len(protocol.folds) == 4
    assert protocol.leaks == {}
    assert sum(len(fold.test) for fold in protocol.folds) == 60


def test_each_corpus_gives_its_share_to_each_fold() -> None:
    clips = together(grid("one", [f"s{i:02}" for i in range(20)]), grid("two", "abcde"))
    for fold in make_protocol(clips, name="speaker-kfold:5").folds:
        tested = {(clips["corpus"][row], clips["speaker"][row]) for row in fold.test}
        assert sum(corpus == "one" for corpus, _ in tested) == 4
        assert sum(corpus == "two" for corpus, _ in tested) == 1


def test_the_toml_of_the_docs_is_read(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    one = tmp_path / "one.toml"
    one.write_text(blocks[0])
    words = {"angry": "anger", "happy": "happiness", "sad": "sadness"}
    clips = together(grid("ravdess", ["01", "02", "03"]), grid("emodb", ["03", "08", "09"]))
    clips = {**clips, "canonical": np.array([words[e] for e in clips["emotion"]])}
    clips["canonical"][clips["sentence"] == "0"] = "neutral"
    clips["canonical"][(clips["sentence"] == "1") & (clips["corpus"] == "ravdess")] = "calm"
    clips["canonical"][(clips["sentence"] == "1") & (clips["corpus"] == "emodb")] = "boredom"
    protocol = make_protocol(clips, name=str(one))
    assert protocol.classes == ("anger", "happiness", "neutral", "sadness")
    assert protocol.left_out == {"labelled boredom, dropped": 9}
    other = tmp_path / "other.toml"
    other.write_text(blocks[1])
    speakers = ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]
    assert len(make_protocol(grid("emodb", speakers), name=str(other)).folds) == 3
