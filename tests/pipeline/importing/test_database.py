"""Labels of an audformat database, as its own library writes it."""

import subprocess
import sys

import audformat
import numpy as np
import pandas as pd
import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.store import open_store
from gensr.pipeline.importing.database import read_database
from gensr.pipeline.importing.header import header_at
from gensr.pipeline.importing.importing import ImportConfig, import_features

# What the library is warned of by pandas, where the tests use it themselves.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
FILES = [f"wav/{name}.wav" for name in "abcd"]
EMOTIONS = ["anger", "boredom", "anger", "boredom"]
SPEAKERS = [3, 8, 3, 8]
DAYS = ["2020-01-02", "", "2020-01-03", ""]
KNOWN = ("speaker", "gender", "emotion", "split")
PEOPLE = {3: {"gender": "male", "age": 31}, 8: {"gender": "female", "age": 34}}


def empty():
    db = audformat.Database("mine")
    db.schemes["emotion"] = audformat.Scheme(labels=["anger", "boredom", "neutral"])
    return db


def database():
    """Emotions in one table, speakers in another, genders under the speakers."""
    db = empty()
    db.schemes["speaker"] = audformat.Scheme(labels=PEOPLE)
    db.schemes["confidence"] = audformat.Scheme("float")
    add(db, "emotion", emotion=("emotion", EMOTIONS), sure=("confidence", [0.9, 0.8, 0.7, 1.0]))
    add(db, "files", speaker=("speaker", SPEAKERS))
    return db


def add(db, table, index=None, of_split=None, **columns):
    index = audformat.filewise_index(FILES) if index is None else index
    db[table] = audformat.Table(index, split_id=of_split)
    for name, (scheme, values) in columns.items():
        db[table][name] = audformat.Column(scheme_id=scheme)
        db[table][name].set(values)
    return db


def with_vectors(db, folder, index=None, kind="csv"):
    index = audformat.filewise_index(FILES) if index is None else index
    values = np.arange(2 * len(index)).reshape(len(index), 2) + 0.5
    add(db, "egemaps", index, f0=(None, values[:, 0]), f1=(None, values[:, 1]))
    db.save(str(folder), storage_format=kind)
    return folder


def told(db, folder, kind="csv"):
    """By utterance what is said of it, and the notes."""
    db.save(str(folder), storage_format=kind)
    return read(folder)


def read(folder):
    found = read_database(header_at(folder))
    return {
        clip.path: {name: getattr(clip, name) for name in KNOWN} | dict(clip.extra)
        for clip in found.clips
    }, found.notes


def refused(db, folder):
    db.save(str(folder), storage_format="csv")
    with pytest.raises(CorpusError) as error:
        read(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def imported(place, out, **settings):
    report = import_features(place, out, ImportConfig(**settings))
    with open_store(out) as store:
        return report, {name: column.tolist() for name, column in store.table.items()}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_stands_in_several_tables_comes_together(tmp_path, kind):
    folder = with_vectors(database(), tmp_path / "db", kind=kind)
    report, table = imported(folder / f"db.egemaps.{kind}", tmp_path / "a.zarr")
    assert (report.clips, report.width, report.failed) == (4, 2, ())
    assert table["path"] == FILES
    assert table["corpus"] == ["mine"] * 4
    assert table["emotion"] == EMOTIONS
    assert table["speaker"] == ["3", "8", "3", "8"]
    assert table["gender"] == ["male", "female", "male", "female"]
    assert table["age"] == ["31", "34", "31", "34"]
    assert "sure" not in table


@pytest.mark.parametrize("named", ["", "db.yaml"])
def test_it_tells_what_a_folder_of_arrays_is_of(tmp_path, named):
    database().save(str(tmp_path / "db"))
    for file in FILES:
        (tmp_path / "x" / file).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "x" / f"{file}.npy", np.ones(3, dtype=np.float32))
    _, table = imported(tmp_path / "x", tmp_path / "a.zarr", corpus=tmp_path / "db" / named)
    assert table["emotion"] == EMOTIONS
    assert table["speaker"] == ["3", "8", "3", "8"]


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


def test_parts_of_a_file_are_called_as_parts(tmp_path):
    index = audformat.segmented_index(
        ["a.wav", "a.wav", "b.wav"], [0, 1.5, 0], [1.5, pd.NaT, pd.NaT]
    )
    db = add(empty(), "emotion", index, emotion=("emotion", ["anger", "boredom", "anger"]))
    folder = with_vectors(db, tmp_path / "db", index, "parquet")
    report, table = imported(folder / "db.egemaps.parquet", tmp_path / "a.zarr")
    assert report.failed == ()
    assert table["path"] == ["a.wav#t=0,1.5", "a.wav#t=1.5", "b.wav"]
    assert table["emotion"] == ["anger", "boredom", "anger"]


def test_vectors_of_one_part_never_have_the_label_of_another(tmp_path):
    one = audformat.segmented_index(["a.wav", "b.wav"], [0, 0], [1, 1])
    other = audformat.segmented_index(["a.wav", "b.wav"], [0, 6], [1, 7])
    db = add(empty(), "emotion", one, emotion=("emotion", ["anger", "boredom"]))
    folder = with_vectors(db, tmp_path / "db", other)
    report, table = imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")
    assert table["path"] == ["a.wav#t=0,1"]
    assert {problem.path for problem in report.failed} == {"b.wav#t=0,1", "b.wav#t=6,7"}


def test_what_is_said_of_a_file_holds_for_its_parts(tmp_path):
    """A file's only part goes by its file's name, so that runs on other vectors compare."""
    files = ["wav/a.wav", "wav/a.wav", "wav/b.wav"]
    index = audformat.segmented_index(files, [0, 1, 0], [1, 2, 2.5])
    folder = with_vectors(database(), tmp_path / "db", index)
    report, table = imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")
    assert table["path"] == ["wav/a.wav#t=0,1", "wav/a.wav#t=1,2", "wav/b.wav"]
    assert table["emotion"] == ["anger", "anger", "boredom"]
    assert table["seconds"] == [1.0, 1.0, 2.5]
    assert [problem.path for problem in report.failed] == FILES[2:]


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


def test_a_pickle_is_not_opened(tmp_path):
    """The library opens it before the CSV beside it, and what a pickle says is run."""
    database().save(str(tmp_path), storage_format="csv")
    trap = b"cos\nmkdir\n(S'" + str(tmp_path / "sprung").encode() + b"'\ntR."
    (tmp_path / "db.emotion.pkl").write_bytes(trap)
    assert len(read(tmp_path)[0]) == 4
    (tmp_path / "db.emotion.csv").unlink()
    with pytest.raises(CorpusError, match=r"no db\.emotion\.csv or \.parquet \(a pickle is not"):
        read(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_header_runs_nothing(tmp_path):
    trap = f"name: !!python/object/apply:os.mkdir ['{tmp_path / 'sprung'}']\ntables: {{}}\n"
    (tmp_path / "db.yaml").write_text(trap)
    with pytest.raises(CorpusError, match=r"db\.yaml: is no plain YAML"):
        read(tmp_path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "more",
    [
        "- 1\n",
        "[\n",
        "tables: " + "[" * 200_000,
        "\x00",
        "schemes: 3\n",
        "tables: {a: 3}\n",
        "tables: {a: {columns: {emotion: x}}}\n",
        "tables: {a: {type: filewise, columns: {emotion: {}}}}\n",
        "tables: {emotion: {type: segmented, columns: {emotion: {}}}}\n",
        "tables: {emotion: {type: filewise, columns: {emotion: {scheme_id: s}}}}\n"
        "schemes: {s: {dtype: str, labels: nobody}}\n",
        "tables: {emotion: {type: filewise, columns: {emotion: {scheme_id: s}}}}\n"
        "schemes: {s: {dtype: str, labels: m}}\nmisc_tables: {m: {levels: 3}}\n",
        "tables: {emotion: {type: filewise, columns: {label: {scheme_id: e}, emotion: {}}}}\n"
        "schemes: {e: {}}\n",
    ],
)
def test_what_is_no_header_is_refused_in_a_line(tmp_path, more):
    database().save(str(tmp_path), storage_format="csv")
    (tmp_path / "db.yaml").write_text(f"name: a\n{more}")
    with pytest.raises(CorpusError) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value) or "db.yaml" in str(error.value)


def test_a_manifest_comes_first_and_another_s_header_is_none(tmp_path):
    vectors = tmp_path / "x"
    for file in FILES[:2]:
        (vectors / file).parent.mkdir(parents=True, exist_ok=True)
        np.save(vectors / f"{file}.npy", np.ones(3, dtype=np.float32))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    rows = [f"{file},sad,anna" for file in FILES[:2]]
    (corpus / "labels.csv").write_text("\n".join(["file,emotion,speaker", *rows]) + "\n")
    (corpus / "db.yaml").write_text("host: localhost\n")
    _, table = imported(vectors, tmp_path / "a.zarr", corpus=corpus / "labels.csv")
    assert table["emotion"] == ["sad", "sad"]
    database().save(str(corpus))
    (corpus / "labels.csv").rename(vectors / "manifest.csv")
    _, table = imported(vectors, tmp_path / "b.zarr")
    assert table["emotion"] == ["sad", "sad"]


def test_which_table_holds_vectors_is_not_guessed(tmp_path):
    folder = with_vectors(database(), tmp_path / "db")
    names = r"give the table that holds the vectors, one of db\.egemaps\.csv, db\.emotion\.csv"
    with pytest.raises(CorpusError, match=names):
        imported(folder, tmp_path / "a.zarr")


def test_a_name_that_leaves_the_folder_is_refused(tmp_path):
    database().save(str(tmp_path / "db"), storage_format="csv")
    header = tmp_path / "db" / "db.yaml"
    header.write_text(header.read_text().replace("  files:", "  ../../files:"))
    (tmp_path / "files.csv").write_text("file,speaker\nwav/a.wav,3\n")
    with pytest.raises(CorpusError, match=r"no db\.\.\./\.\./files\.csv"):
        read(tmp_path / "db")


@pytest.mark.parametrize("called", ["/data/{}", "{}", "wav/{}", "{}.wav"])
def test_a_table_elsewhere_may_call_the_files_otherwise(tmp_path, called):
    """As openSMILE does: whole files by an absolute path, from 0 to their end."""
    database().save(str(tmp_path / "db"))
    files = [called.format(name if ".wav" in called else f"{name}.wav") for name in "abcd"]
    rows = [f"{file},0 days,0 days 00:00:01.5,0.5,1.5" for file in files]
    (tmp_path / "e.csv").write_text("\n".join(["file,start,end,f0,f1", *rows]) + "\n")
    report, table = imported(tmp_path / "e.csv", tmp_path / "a.zarr", corpus=tmp_path / "db")
    assert report.failed == ()
    assert table["path"] == FILES
    assert table["speaker"] == ["3", "8", "3", "8"]


def test_arrays_may_be_of_parts(tmp_path):
    index = audformat.segmented_index(["wav/a.wav", "wav/a.wav", "wav/b.wav"], [0, 1, 0], [1, 2, 1])
    db = empty()
    db.schemes["speaker"] = audformat.Scheme("str")
    add(db, "emotion", index, emotion=("emotion", EMOTIONS[:3]))
    add(db, "files", speaker=("speaker", list("ppqq")))
    db.save(str(tmp_path / "db"))
    for name in ("a.wav#t=0,1", "a#t=1,2", "b#t=0,1", "c#t=2,3", "d#t=2,3", "d#t=3,4"):
        (tmp_path / "x/wav").mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "x/wav" / f"{name}.npy", np.ones(3, dtype=np.float32))
    report, table = imported(tmp_path / "x", tmp_path / "a.zarr", corpus=tmp_path / "db")
    assert report.failed == ()
    ends = ["a.wav#t=0,1", "a.wav#t=1,2", "b.wav#t=0,1", "c.wav", "d.wav#t=2,3", "d.wav#t=3,4"]
    assert table["path"] == [f"wav/{end}" for end in ends]
    assert table["emotion"] == [*EMOTIONS[:3], "", "", ""]
    assert table["speaker"] == list("ppqqqq")[:2] + list("pqqq")


def test_what_is_said_of_parts_alone_reaches_them(tmp_path):
    """An emotion of the file, a speaker of each part: as in a dialogue."""
    index = audformat.segmented_index(["wav/a.wav", "wav/a.wav"], [0, 1], [1, 2])
    db = empty()
    db.schemes["speaker"] = audformat.Scheme("str")
    add(db, "emotion", emotion=("emotion", EMOTIONS))
    add(db, "turns", index, speaker=("speaker", ["p", "q"]))
    folder = with_vectors(db, tmp_path / "db", index)
    _, table = imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")
    assert table["emotion"] == ["anger", "anger"]
    assert table["speaker"] == ["p", "q"]


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


def test_utterances_without_an_emotion_are_there_and_have_none(tmp_path):
    db = database()
    db["emotion"]["emotion"].set(["anger", None, "anger", None])
    folder = with_vectors(db, tmp_path / "db")
    report, table = imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")
    assert report.failed == ()
    assert table["emotion"] == ["anger", "", "anger", ""]
    assert table["speaker"] == ["3", "8", "3", "8"]


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


@pytest.mark.parametrize("how", ["byte order mark", "pointer", "dead link"])
def test_a_header_that_is_no_usual_file_is_read_or_refused(tmp_path, how):
    """Never passed over: a table would be taken in without any label."""
    folder = with_vectors(database(), tmp_path / "db")
    header = folder / "db.yaml"
    text = header.read_bytes()
    header.unlink()
    if how == "byte order mark":
        header.write_bytes(b"\xef\xbb\xbf" + text)
        _, table = imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")
        assert table["emotion"] == EMOTIONS
        return
    if how == "pointer":
        header.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    else:
        header.symlink_to(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match=r"db\.yaml: is "):
        imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")


def test_no_pandas_is_needed_to_read(tmp_path):
    """It comes with audformat; pyarrow alone refuses spans with digits of nanoseconds."""
    index = audformat.segmented_index(
        ["a.wav", "a.wav"],
        [pd.Timedelta(0), pd.Timedelta(333_333_333)],
        [pd.Timedelta(333_333_333), pd.Timedelta(666_666_667)],
    )
    db = add(empty(), "emotion", index, emotion=("emotion", EMOTIONS[:2]))
    with_vectors(db, tmp_path, index, "parquet")
    code = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, *given):\n"
        "        if name == 'pandas': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from pathlib import Path\n"
        "from gensr.pipeline.importing.importing import import_features\n"
        f"print(import_features(Path({str(tmp_path / 'db.egemaps.parquet')!r}), "
        f"Path({str(tmp_path / 'a.zarr')!r})).clips)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    with open_store(tmp_path / "a.zarr") as store:
        assert store.table["path"].tolist() == [
            "a.wav#t=0,0.333333333",
            "a.wav#t=0.333333333,0.666666667",
        ]
