"""What an audformat database says of its utterances: labels, splits, what contradicts."""

import audformat
import numpy as np
import pandas as pd
import pytest

from support.databases import (
    EMOTIONS,
    FILES,
    PEOPLE,
    SPEAKERS,
    add,
    database,
    empty,
    read,
    refused,
    told,
)

# What the library is warned of by pandas, where the tests use it themselves.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


DAYS = ["2020-01-02", "", "2020-01-03", ""]


def test_segments_have_what_is_told_of_their_files(tmp_path):
    """In whatever order they lie, in however many tables: each the speaker of its own file."""
    rng = np.random.default_rng(0)
    files = [f"{name}.wav" for name in "abcdefgh"]
    speaker = {file: f"s{number}" for number, file in enumerate(files)}
    parts = [(file, second) for file in files for second in range(5)]
    rng.shuffle(parts)
    db = empty()
    db.schemes["speaker"] = audformat.Scheme("str")
    for name, some in (("r1", parts[:15]), ("r2", parts[15:])):
        starts = [start for _, start in some]
        index = audformat.segmented_index(
            [file for file, _ in some], starts, [s + 1 for s in starts]
        )
        values = [EMOTIONS[start % 2] for start in starts]
        add(db, name, index, emotion=("emotion", values))
    add(db, "files", audformat.filewise_index(files), speaker=("speaker", list(speaker.values())))
    said, notes = told(db, tmp_path)
    assert {
        name: (cells["emotion"], cells["speaker"]) for name, cells in said.items() if "#" in name
    } == {
        f"{file}#t={start},{start + 1}": (EMOTIONS[start % 2], speaker[file])
        for file, start in parts
    }
    assert notes == ()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_missing_is_empty_whatever_its_kind(tmp_path, kind):
    values = {
        "int": ([1, None, 3, 4], ["1", "", "3", "4"]),
        "bool": ([True, None, False, True], ["True", "", "False", "True"]),
        "str": (["x", None, "y, z", "0012"], ["x", "", "y, z", "0012"]),
        "date": (pd.to_datetime(["2020-01-02", None, "2020-01-03", None]), DAYS),
        "time": ([pd.Timedelta(1.5, "s"), None, pd.Timedelta(2, "s"), None], ["1.5", "", "2", ""]),
        "object": (["p", None, "q", "r"], ["p", "", "q", "r"]),
    }
    db = database()
    for name, (cells, _) in values.items():
        db.schemes[f"a_{name}"] = audformat.Scheme(name)
        add(db, f"t_{name}", **{name: (f"a_{name}", cells)})
    said, notes = told(db, tmp_path, kind)
    assert notes == ()
    for name, (_, wanted) in values.items():
        assert [said[file][f"a_{name}"] for file in FILES] == wanted


def test_a_label_without_an_age_leaves_the_others_whole(tmp_path):
    db = empty()
    people = {"x": {"gender": "male"}, "y": {"gender": "female", "age": 34}}
    db.schemes["speaker"] = audformat.Scheme(labels=people)
    add(db, "emotion", emotion=("emotion", EMOTIONS), who=("speaker", ["x", "y", "x", None]))
    said, _ = told(db, tmp_path)
    assert [said[file]["age"] for file in FILES] == ["", "34", "", ""]
    assert [said[file]["speaker"] for file in FILES] == ["x", "y", "x", ""]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_labels_may_be_a_table_of_any_name(tmp_path, kind):
    db = empty()
    db["people"] = audformat.MiscTable(pd.Index([3, 8], dtype="Int64", name="id"))
    for name, values in (("sex", ["male", "female"]), ("town", ["Bonn", None])):
        db["people"][name] = audformat.Column()
        db["people"][name].set(values)
    db.schemes["speaker"] = audformat.Scheme("int", labels="people")
    add(db, "emotion", emotion=("emotion", EMOTIONS), speaker=("speaker", SPEAKERS))
    said, notes = told(db, tmp_path, kind)
    assert notes == ()
    assert [said[file]["gender"] for file in FILES] == ["male", "female"] * 2
    assert [said[file]["town"] for file in FILES] == ["Bonn", ""] * 2


def test_labels_that_stand_for_text_are_that_text(tmp_path):
    db = audformat.Database("mine")
    db.schemes["emotion"] = audformat.Scheme(labels={0: "anger", 1: "boredom"})
    add(db, "emotion", emotion=("emotion", [0, 1, None, 0]))
    said, _ = told(db, tmp_path)
    assert [said[file]["emotion"] for file in FILES] == ["anger", "boredom", "", "anger"]


def test_somebody_else_s_gender_is_not_the_speaker_s(tmp_path):
    db = database()
    other = {"u": {"gender": "female"}, "v": {"gender": "male"}}
    db.schemes["listener"] = audformat.Scheme(labels=other)
    add(db, "heard", listener=("listener", ["u", "u", "v", "v"]))
    said, notes = told(db, tmp_path)
    assert notes == ()
    assert [said[file]["gender"] for file in FILES] == ["male", "female"] * 2
    assert [said[file]["listener.gender"] for file in FILES] == ["female"] * 2 + ["male"] * 2


def splits(db, *tables, **kinds):
    for name, kind in kinds.items():
        db.splits[name] = audformat.Split(kind)
    for name, split, files in tables:
        add(db, name, audformat.filewise_index(files), split)
    return db


def test_a_split_is_that_of_the_table(tmp_path):
    """Which may list files and nothing else."""
    lists = ("one", "train", FILES[:2]), ("two", "end", FILES[2:])
    said, notes = told(splits(database(), *lists, train="train", end="test"), tmp_path)
    assert [said[file]["split"] for file in FILES] == ["train", "train", "test", "test"]
    assert notes == ()


def test_a_split_of_another_kind_is_none_and_said(tmp_path):
    lists = ("one", "train", FILES[:2]), ("two", "rest", FILES[2:])
    said, notes = told(splits(database(), *lists, train="train", rest="other"), tmp_path)
    assert [said[file]["split"] for file in FILES] == ["train", "train", "", ""]
    assert notes == ("db.yaml: the split 'rest' is no train, dev or test: left out",)


def test_a_file_in_two_splits_is_refused(tmp_path):
    lists = ("one", "train", FILES[:2]), ("two", "end", FILES[1:])
    why = refused(splits(database(), *lists, train="train", end="test"), tmp_path)
    assert "split of wav/b.wav is 'train' and 'test'" in why


def test_a_scheme_may_tell_the_split_too(tmp_path):
    db = splits(database(), ("one", "train", FILES[:2]), train="train")
    db.schemes["split"] = audformat.Scheme("str")
    add(db, "more", split=("split", ["train", "train", "test", "test"]))
    said, _ = told(db, tmp_path)
    assert [said[file]["split"] for file in FILES] == ["train", "train", "test", "test"]


@pytest.mark.parametrize(
    ("scheme", "column"), [("categories", "emotion"), ("emotion", "rating"), ("label", "gold")]
)
def test_the_emotion_is_what_a_scheme_or_a_column_calls_so(tmp_path, scheme, column):
    db = audformat.Database("mine")
    db.schemes[scheme] = audformat.Scheme(labels=["anger", "boredom"])
    add(db, "table", **{column: (scheme, EMOTIONS)})
    said, notes = told(db, tmp_path)
    assert [said[file]["emotion"] for file in FILES] == EMOTIONS
    assert notes == ()


def test_without_an_emotion_all_are_rows_and_a_note_says_so(tmp_path):
    db = audformat.Database("mine")
    db.schemes["age"] = audformat.Scheme("int")
    db.schemes["emotion.categories"] = audformat.Scheme(labels=["anger", "boredom"])
    add(db, "table", column=("emotion.categories", EMOTIONS))
    said, notes = told(db, tmp_path)
    assert [said[file]["emotion.categories"] for file in FILES] == EMOTIONS
    assert notes == (
        "db.yaml: no scheme or column for the emotion (schemes: age, emotion.categories)",
    )


def test_of_two_that_could_be_the_emotion_its_own_name_wins(tmp_path):
    db = database()
    db.schemes["label"] = audformat.Scheme("str")
    add(db, "other", label=("label", list("wxyz")))
    said, notes = told(db, tmp_path)
    assert [said[file]["emotion"] for file in FILES] == EMOTIONS
    assert [said[file]["label"] for file in FILES] == list("wxyz")
    assert "db.yaml: 'label' is kept as it is, 'emotion' is the emotion" in notes


def test_raters_that_differ_about_the_emotion_are_refused(tmp_path):
    db = add(database(), "other", emotion=("emotion", ["anger"] + ["neutral"] * 3))
    why = refused(db, tmp_path)
    assert "emotion of wav/b.wav is 'boredom' and 'neutral'" in why
    assert "give one table with file, emotion" in why


def test_of_what_else_raters_differ_about_a_note_is_left(tmp_path):
    db = database()
    db.schemes["arousal"] = audformat.Scheme("int")
    add(db, "one", arousal=("arousal", [1, 2, 3, 4]))
    add(db, "two", arousal=("arousal", [1, 2, 3, 5]))
    said, notes = told(db, tmp_path)
    assert "arousal" not in said[FILES[0]]
    assert notes == ("db.yaml: 'arousal' has several values for wav/d.wav: left out",)


@pytest.mark.parametrize("name", ["speaker", "split"])
def test_a_part_may_not_contradict_its_file(tmp_path, name):
    index = audformat.segmented_index(["wav/a.wav"], [0], [1])
    db = empty()
    db.schemes[name] = audformat.Scheme("str")
    add(db, "emotion", emotion=("emotion", EMOTIONS))
    add(db, "files", **{name: (name, ["train", "train", "test", "test"])})
    add(db, "turns", index, **{name: (name, ["test"])})
    assert f"{name} of wav/a.wav#t=0,1 is 'train' and 'test'" in refused(db, tmp_path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_numbers_are_labels_however_they_are_written(tmp_path, kind):
    db = audformat.Database("mine")
    db.schemes["emotion"] = audformat.Scheme(labels={1.0: "anger", 2.0: "boredom"})
    db.schemes["speaker"] = audformat.Scheme(labels=PEOPLE)
    add(db, "emotion", emotion=("emotion", [1.0, 2.0, 1.0, None]))
    add(db, "files", speaker=("speaker", SPEAKERS))
    db.save(str(tmp_path), storage_format=kind)
    if kind == "csv":
        file = tmp_path / "db.files.csv"
        file.write_text(file.read_text().replace(",3", ",3.0"))
    said, _ = read(tmp_path)
    assert [said[file]["emotion"] for file in FILES] == ["anger", "boredom", "anger", ""]
    assert [said[file]["gender"] for file in FILES] == ["male", "female"] * 2


def test_words_for_nothing_are_labels_where_they_are_declared(tmp_path):
    db = audformat.Database("mine")
    db.schemes["emotion"] = audformat.Scheme(labels=["NA", "None", "anger"])
    add(db, "emotion", emotion=("emotion", ["NA", "None", "anger", None]))
    said, _ = told(db, tmp_path)
    assert [said[file]["emotion"] for file in FILES] == ["NA", "None", "anger", ""]


def test_columns_of_one_scheme_are_told_apart(tmp_path):
    db = database()
    db.schemes["rating"] = audformat.Scheme("int")
    half = audformat.filewise_index(FILES[:2]), audformat.filewise_index(FILES[2:])
    add(db, "one", half[0], valence=("rating", [1, 2]))
    add(db, "two", half[1], arousal=("rating", [5, 4]))
    add(db, "calls", listener=("speaker", [8, 8, 3, 3]))
    said, notes = told(db, tmp_path)
    assert [said[file]["valence"] for file in FILES] == ["1", "2", "", ""]
    assert [said[file]["arousal"] for file in FILES] == ["", "", "5", "4"]
    assert [said[file]["speaker"] for file in FILES] == ["3", "8", "3", "8"]
    assert [said[file]["listener"] for file in FILES] == ["8", "8", "3", "3"]
    assert [said[file]["gender"] for file in FILES] == ["male", "female"] * 2
    assert notes == ()


def test_a_column_called_label_is_what_its_scheme_says(tmp_path):
    db = audformat.Database("mine")
    for scheme in ("categories", "speaker"):
        db.schemes[scheme] = audformat.Scheme("str")
    add(db, "s", label=("speaker", ["anna"] * 4))
    add(db, "e", value=("categories", EMOTIONS))
    said, _ = told(db, tmp_path)
    assert said[FILES[0]]["speaker"] == "anna"
    assert said[FILES[0]]["emotion"] == ""
    assert said[FILES[0]]["categories"] == "anger"


def test_one_bad_name_or_part_costs_itself(tmp_path):
    db = database()
    db.schemes["a/b"] = audformat.Scheme("str")
    add(db, "more", x=("a/b", list("wxyz")))
    index = audformat.segmented_index(["wav/a.wav"], [1], [1])
    db.schemes["breath"] = audformat.Scheme("bool")
    add(db, "breaths", index, breath=("breath", [True]))
    db.schemes["Mood"], db.schemes["mood"] = audformat.Scheme("str"), audformat.Scheme("str")
    add(db, "moods", Mood=("Mood", list("wxyz")), mood=("mood", list("abcd")))
    add(db, "odd", audformat.filewise_index(["a\nb.wav"]), emotion=("emotion", ["anger"]))
    said, notes = told(db, tmp_path)
    assert [*said] == FILES
    assert [("Mood" in said[file], "mood" in said[file]) for file in FILES] == [(True, False)] * 4
    assert any("'a/b'" in note for note in notes)
    assert any("'mood'" in note for note in notes)
    assert any(r"a\nb.wav: a name that" in note for note in notes)
    assert "db.breaths.csv: rows without a file, or whose part has no length: left out" in notes
