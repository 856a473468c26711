"""A user's own question in a file: every key, and every mistake by its line."""

from pathlib import Path

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid, together


@pytest.fixture
def clips() -> Table:
    both = together(grid("ravdess", ["01", "02", "03", "04"]), grid("emodb", ["03", "08", "09"]))
    fold = np.array([str(1 + ord(s[-1]) % 2) for s in both["speaker"]])
    return {**both, "fold": fold}


@pytest.fixture
def ask(tmp_path: Path, clips: Table):
    def run(text: str, table: Table | None = None, **asked: str) -> Protocol:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return make_protocol(clips if table is None else table, name=str(path), **asked)  # type: ignore[arg-type]

    return run


def test_from_some_corpora_to_others(ask) -> None:
    protocol = ask(
        'name = "there"\ntrain = ["ravdess"]\ntest = ["emodb"]\nlabels = "canonical"\n'
        'merge = { happy = "good", angry = "bad", sad = "bad" }\nintervals = "speaker"\n'
    )
    assert (protocol.name, protocol.label, protocol.cluster) == ("there", "canonical", "speaker")
    assert protocol.classes == ("bad", "good")
    assert protocol.label_map == {"angry": "bad", "happy": "good", "sad": "bad"}
    assert protocol.roles == {"emodb": "tested", "ravdess": "learnt from"}


def test_folds_by_a_column(ask, clips) -> None:
    protocol = ask(
        'name = "halves"\ntest = ["emodb"]\napart = ["speaker"]\ndrop = ["sad"]\n'
        '[folds]\ncolumn = "fold"\n'
    )
    assert [fold.held_out for fold in protocol.folds] == ["fold = 1", "fold = 2"]
    assert protocol.left_out == {"labelled sad, dropped": 28}
    assert protocol.disjoint == ("speaker",)
    tested = {protocol.columns["corpus"][row] for fold in protocol.folds for row in fold.test}
    learnt = {protocol.columns["corpus"][row] for row in protocol.folds[0].learn}
    assert (tested, learnt) == ({"emodb"}, {"emodb", "ravdess"})


def test_folds_by_lists_of_speakers(ask) -> None:
    protocol = ask(
        'name = "people"\nclasses = ["angry", "sad"]\n[folds.speakers]\n'
        'one = ["01", "emodb/03"]\ntwo = ["08", "09"]\n'
    )
    assert [fold.held_out for fold in protocol.folds] == [
        "speakers 01, emodb/03", "speakers 08, 09"
    ]  # fmt: skip
    tested = {protocol.columns["speaker"][row] for row in protocol.folds[0].test}
    assert tested == {"ravdess/01", "emodb/03"}
    assert protocol.left_out == {"labelled happy, none of the classes": 28}


def test_another_label(ask) -> None:
    text = 'name = "g"\nlabel = "gender"\ntrain = ["ravdess"]\ntest = ["emodb"]\n'
    assert ask(text).classes == ("female", "male")
    assert ask(text, label="gender").label == "gender"
    with pytest.raises(ProtocolError, match=r"is about gender, not speaker"):
        ask(text, label="speaker")


def test_neither_name_nor_hash_know_the_file(ask, tmp_path, clips) -> None:
    text = 'name = "x"\ntrain = ["ravdess"]\ntest = ["emodb"]\n'
    one = ask(text)
    other = tmp_path / "else where.toml"
    other.write_text("# the same\n" + text)
    assert make_protocol(clips, name=str(other)).hash == one.hash
    assert ask(text + 'drop = ["sad"]\n').hash != one.hash


def test_what_is_declared_apart_is_checked(ask, clips) -> None:
    with pytest.raises(ProtocolError, match=r"leak: .* share their sentence with trained ones"):
        ask('name = "x"\napart = ["sentence"]\n[folds]\ncolumn = "fold"\n')
    table = {**clips, "word": np.array([s[-1] for s in clips["speaker"]])}
    text = 'name = "x"\napart = ["word"]\n[folds]\ncolumn = "fold"\n'
    assert ask(text, table).overlaps["word"] == 0
    table["word"] = np.full(len(clips["path"]), "w")
    with pytest.raises(ProtocolError, match=r"leak: 84 of 84 .* share their word"):
        ask(text, table)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\nb\nc = 1', r"mine.toml: is no TOML: .*line 2"),
        ('train = ["emodb"]', r"mine.toml: name must be letters"),
        ('name = "a/b"', r"line 1: name must be letters"),
        ('name = "x"\nspeaker = 1', r"line 2: speaker is no key; there are name, train"),
        ('name = "x"\ntrain = "emodb"', r"line 2: train must be a list of texts, found 'emodb'"),
        ('name = "x"\ntest = ["savee"]', r"line 2: test names savee, of which there are no clips"),
        ('name = "x"\ndrop = ["a", "a"]', r"line 2: drop says one name twice"),
        ('name = "emodb-loso"', r"line 1: name is 'emodb-loso', which is another question's"),
        (
            'name = "x"\nmerge = { sad = "happy" }\ndrop = ["sad"]',
            r"line 3: drop names 'sad', which merge counts as happy",
        ),
        ('name = "x"\ndrop = ["calm"]', r"line 2: drop names 'calm'; the labels are angry, happy"),
        ('name = "x"\nmerge = {calm = "sad"}', r"line 2: merge names 'calm'"),
        ('name = "x"\nmerge = {sad = 1}', r"line 2: merge must be a table"),
        ('name = "x"\nclasses = ["joy"]', r"line 2: classes names 'joy'"),
        ('name = "x"\nlabels = "mine"', r"line 2: labels must be native or canonical"),
        ('name = "x"', r"mine.toml: folds is missing: a corpus is both learnt from and tested"),
        ('name = "x"\n[folds]\nby = "fold"', r"line 2: folds must have column or speakers"),
        ('name = "x"\n[folds]\ncolumn = "part"', r"folds.column: no column 'part'"),
        ('name = "x"\n[folds]\ncolumn = 1', r"line 3: folds.column must be a text"),
        ('name = "x"\n[folds.speakers]\n1 = ["99"]', r"line 3: .*1 no clip has a speaker '99'"),
        ('name = "x"\n[folds.speakers]\n1 = ["03"]', r"1 two corpora have a speaker '03'"),
        ('name = "x"\n[folds.speakers]\n1 = ["01"]\n2 = ["01"]', r"tests '01' in two folds"),
        ('name = "x"\ntest = ["emodb"]\n[folds.speakers]\n1 = ["01"]', r"line 4: .*no corpus that"),
        ('name = "x"\napart = ["word"]\n[folds]\ncolumn = "fold"', r"asks for a column 'word'"),
        ('name = "x"\nintervals = "who"\n[folds]\ncolumn = "fold"', r"over a column 'who'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(ask, text: str, said: str) -> None:
    with pytest.raises(ProtocolError, match=said) as caught:
        ask(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(clips: Table) -> None:
    with pytest.raises(ProtocolError, match=r"none.toml: cannot be read \(No such file"):
        make_protocol(clips, name="none.toml")


def test_intervals_over_clips_under_another_name_are_said(ask) -> None:
    text = 'name = "x"\nintervals = "{}"\n[folds]\ncolumn = "sentence"\n'
    told = ask(text.format("path")).notes()
    assert any("every tested clip has a path of its own" in note for note in told)
    assert not any("of its own" in note for note in ask(text.format("speaker")).notes())
