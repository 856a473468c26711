"""Labels of an audformat database, as its own library writes it."""

import audformat
import numpy as np
import pandas as pd
import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.store import open_store
from gensr.pipeline.importing.database import read_database
from gensr.pipeline.importing.importing import ImportConfig, import_features

# What the library is warned of by pandas, where the tests use it themselves.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
FILES = [f"wav/{name}.wav" for name in "abcd"]
EMOTIONS = ["anger", "boredom", "anger", "boredom"]
SPEAKERS = [3, 8, 3, 8]


def database():
    """Emotions in one table, speakers in another, genders under the speakers."""
    db = audformat.Database("mine")
    db.schemes["emotion"] = audformat.Scheme(labels=["anger", "boredom", "neutral"])
    people = {3: {"gender": "male", "age": 31}, 8: {"gender": "female", "age": 34}}
    db.schemes["speaker"] = audformat.Scheme(labels=people)
    db.schemes["confidence"] = audformat.Scheme("float")
    db.raters["gold"] = audformat.Rater()
    add(db, "emotion", emotion=("emotion", EMOTIONS), sure=("confidence", [0.9, 0.8, 0.7, 1.0]))
    add(db, "files", speaker=("speaker", SPEAKERS))
    return db


def add(db, table, index=None, split=None, **columns):
    index = audformat.filewise_index(FILES) if index is None else index
    db[table] = audformat.Table(index, split_id=split)
    for name, (scheme, values) in columns.items():
        db[table][name] = audformat.Column(scheme_id=scheme)
        db[table][name].set(values)
    return db


def with_vectors(db, folder, index=None, storage_format="csv"):
    index = audformat.filewise_index(FILES) if index is None else index
    values = np.arange(2 * len(index)).reshape(len(index), 2) + 0.5
    add(db, "egemaps", index, f0=(None, values[:, 0]), f1=(None, values[:, 1]))
    db.save(str(folder), storage_format=storage_format)
    return folder


def imported(place, out, **settings):
    report = import_features(place, out, ImportConfig(**settings))
    with open_store(out) as store:
        return report, {name: column.tolist() for name, column in store.table.items()}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_stands_in_several_tables_comes_together(tmp_path, kind):
    folder = with_vectors(database(), tmp_path / "db", storage_format=kind)
    report, table = imported(folder / f"db.egemaps.{kind}", tmp_path / "a.zarr")
    assert (report.clips, report.width, report.failed) == (4, 2, ())
    assert table["path"] == FILES
    assert table["emotion"] == EMOTIONS
    assert table["speaker"] == ["3", "8", "3", "8"]
    assert table["gender"] == ["male", "female", "male", "female"]
    assert table["age"] == ["31", "34", "31", "34"]


def test_it_tells_what_a_folder_of_arrays_is_of(tmp_path):
    database().save(str(tmp_path / "db"))
    for file in FILES:
        (tmp_path / "x" / file).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "x" / f"{file}.npy", np.ones(3, dtype=np.float32))
    _, table = imported(tmp_path / "x", tmp_path / "a.zarr", corpus=tmp_path / "db")
    assert table["emotion"] == EMOTIONS
    assert table["speaker"] == ["3", "8", "3", "8"]


def test_a_split_is_that_of_the_table(tmp_path):
    db = database()
    db.splits["train"] = audformat.Split("train")
    db.splits["end"] = audformat.Split("test")
    add(db, "a", audformat.filewise_index(FILES[:2]), "train", emotion=("emotion", EMOTIONS[:2]))
    add(db, "b", audformat.filewise_index(FILES[2:]), "end", emotion=("emotion", EMOTIONS[2:]))
    db.save(str(tmp_path))
    names, rows, _ = read_database(tmp_path)
    assert "split" in names
    assert [row.cells["split"] for row in rows] == ["train", "train", "test", "test"]
    add(db, "c", audformat.filewise_index(FILES[:1]), "end", emotion=("emotion", EMOTIONS[:1]))
    db.save(str(tmp_path))
    with pytest.raises(CorpusError, match=r"wav/a.wav is in two splits, of which c is one"):
        read_database(tmp_path)


def test_parts_of_a_file_are_called_as_parts(tmp_path):
    index = audformat.segmented_index(
        ["a.wav", "a.wav", "b.wav"], [0, 1.5, 0], [1.5, pd.NaT, pd.NaT]
    )
    db = audformat.Database("mine")
    db.schemes["emotion"] = audformat.Scheme(labels=["anger", "boredom"])
    add(db, "emotion", index, emotion=("emotion", ["anger", "boredom", "anger"]))
    folder = with_vectors(db, tmp_path / "db", index, "parquet")
    report, table = imported(folder / "db.egemaps.parquet", tmp_path / "a.zarr")
    assert report.failed == ()
    assert table["path"] == ["a.wav#t=0,1.5", "a.wav#t=1.5", "b.wav"]
    assert table["emotion"] == ["anger", "boredom", "anger"]


def test_a_pickle_is_not_opened(tmp_path):
    """The library opens it before the CSV beside it, and what a pickle says is run."""
    database().save(str(tmp_path), storage_format="csv")
    trap = b"cos\nmkdir\n(S'" + str(tmp_path / "sprung").encode() + b"'\ntR."
    (tmp_path / "db.emotion.pkl").write_bytes(trap)
    assert len(read_database(tmp_path)[1]) == 4
    assert not (tmp_path / "sprung").exists()
    (tmp_path / "db.emotion.csv").unlink()
    with pytest.raises(CorpusError, match=r"no db\.emotion\.csv or \.parquet \(a pickle is not"):
        read_database(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_header_runs_nothing(tmp_path):
    trap = f"name: !!python/object/apply:os.mkdir ['{tmp_path / 'sprung'}']\n"
    (tmp_path / "db.yaml").write_text(trap)
    with pytest.raises(CorpusError, match=r"db\.yaml: is no plain YAML"):
        read_database(tmp_path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("header", ["", "- 1\n", "name: a\n", "name: [\n", "\x00", "a: b\n"])
def test_what_is_no_header_is_refused_in_a_line(tmp_path, header):
    (tmp_path / "db.yaml").write_text(header)
    with pytest.raises(CorpusError, match=r"audformat|YAML") as refused:
        read_database(tmp_path)
    assert "\n" not in str(refused.value)


def test_raters_that_differ_about_the_emotion_are_refused(tmp_path):
    db = add(database(), "other", emotion=("emotion", ["neutral"] * 4))
    db.save(str(tmp_path))
    with pytest.raises(CorpusError, match=r"give one table with file, emotion"):
        read_database(tmp_path)


def test_of_what_else_raters_differ_about_a_note_is_left(tmp_path):
    db = database()
    db.schemes["arousal"] = audformat.Scheme("int")
    add(db, "one", arousal=("arousal", [1, 2, 3, 4]))
    add(db, "two", arousal=("arousal", [1, 2, 3, 5]))
    db.save(str(tmp_path))
    names, rows, notes = read_database(tmp_path)
    assert "arousal" not in names
    assert notes == ("db.yaml: 'arousal' has several values for one utterance: left out",)
    assert [row.cells["emotion"] for row in rows] == EMOTIONS


def test_which_table_holds_vectors_is_not_guessed(tmp_path):
    folder = with_vectors(database(), tmp_path / "db")
    names = r"give the table that holds the vectors, one of db\.egemaps\.csv, db\.emotion\.csv"
    with pytest.raises(CorpusError, match=names):
        imported(folder, tmp_path / "a.zarr")


def test_a_name_that_leaves_the_folder_is_refused(tmp_path):
    database().save(str(tmp_path / "db"))
    header = tmp_path / "db" / "db.yaml"
    header.write_text(header.read_text().replace("  files:", "  ../../files:"))
    (tmp_path / "files.csv").write_text("file,speaker\nwav/a.wav,3\n")
    with pytest.raises(CorpusError, match=r"no db\.\.\./\.\./files\.csv"):
        read_database(tmp_path / "db")
