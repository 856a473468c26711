"""Which vectors an audformat database speaks of: tables and arrays, files and their parts."""

import subprocess
import sys

import audformat
import numpy as np
import pandas as pd
import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.store import open_store
from support.databases import EMOTIONS, FILES, add, database, empty, imported, with_vectors

# What the library is warned of by pandas, where the tests use it themselves.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


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


def test_which_table_holds_vectors_is_not_guessed(tmp_path):
    folder = with_vectors(database(), tmp_path / "db")
    names = r"give the table that holds the vectors, one of db\.egemaps\.csv, db\.emotion\.csv"
    with pytest.raises(CorpusError, match=names):
        imported(folder, tmp_path / "a.zarr")


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


def test_utterances_without_an_emotion_are_there_and_have_none(tmp_path):
    db = database()
    db["emotion"]["emotion"].set(["anger", None, "anger", None])
    folder = with_vectors(db, tmp_path / "db")
    report, table = imported(folder / "db.egemaps.csv", tmp_path / "a.zarr")
    assert report.failed == ()
    assert table["emotion"] == ["anger", "", "anger", ""]
    assert table["speaker"] == ["3", "8", "3", "8"]


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
