"""Vectors of others: what comes in stands in the store bit for bit, what does not is named."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gensr.estimator.errors import GensrError
from gensr.features.corpora.errors import CorpusError
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.pipeline.importing.importing import ImportConfig, import_features
from gensr.pipeline.importing.tables import read_features

EMOTIONS = ("angry", "happy", "sad")
NAMES = [
    f"s{speaker}/{emotion}{take}" for speaker in range(4) for emotion in EMOTIONS for take in (0, 1)
]
RNG = np.random.default_rng(0)
VECTORS = {name: RNG.normal(size=(3, 5)).astype(np.float32) for name in NAMES}


def write_labels(path: Path, names=NAMES, suffix=".wav") -> Path:
    rows = [f"{name}{suffix},{name[3:-1]},{name[:2]}" for name in names]
    path.write_text("\n".join(["file,emotion,speaker", *rows]) + "\n")
    return path


@pytest.fixture
def arrays(tmp_path):
    """A folder of vectors and a manifest of wav files that are not there."""
    folder = tmp_path / "e2v"
    for name, vectors in VECTORS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{name}.npy", vectors)
    write_labels(folder / "manifest.csv")
    return folder


def imported(place, out, **settings):
    report = import_features(place, out, ImportConfig(**settings))
    with open_store(out) as store:
        table = {name: values.tolist() for name, values in store.table.items()}
        return report, store.header, table, store.vectors()


@pytest.mark.parametrize("container", ["zarr", "h5"])
def test_vectors_are_the_files_own(arrays, tmp_path, container):
    report, header, table, vectors = imported(arrays, tmp_path / f"a.{container}")
    assert (report.clips, report.failed, report.ok) == (24, (), True)
    assert header.layers == ("0", "1", "last")
    assert header.encoder["family"] == "imported"
    assert header.encoder["name"] == "e2v"
    for row, path in enumerate(table["path"]):
        assert np.array_equal(vectors[row], VECTORS[path.removesuffix(".wav")])
        assert table["emotion"][row] == path[3:-5]
        assert table["speaker"][row] == path[:2]
        assert table["canonical"][row] in ("anger", "happiness", "sadness")


def test_one_vector_a_file_is_one_layer(tmp_path):
    for name in NAMES[:3]:
        (tmp_path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "x" / f"{name}.npy", VECTORS[name][0].astype(np.float64))
    labels = write_labels(tmp_path / "labels.csv", NAMES[:3], suffix="")
    _, header, table, vectors = imported(tmp_path / "x", tmp_path / "a.zarr", corpus=labels)
    assert header.layers == ("last",)
    assert vectors.shape == (3, 1, 5)
    assert np.array_equal(vectors[0, 0], VECTORS[table["path"][0]][0])


def test_files_in_one_folder_are_found_by_their_names_where_these_are_one_s_own(tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    names = NAMES[:6]  # of one speaker
    for name in names:
        np.save(flat / f"{name[3:]}.npy", VECTORS[name])
    labels = write_labels(tmp_path / "labels.csv", names)
    report, _, table, vectors = imported(flat, tmp_path / "a.zarr", corpus=labels)
    assert report.ok
    assert np.array_equal(vectors[2], VECTORS[table["path"][2].removesuffix(".wav")])
    both = write_labels(tmp_path / "both.csv", [*names, "s9/angry0"])
    report, _, table, _ = imported(flat, tmp_path / "b.zarr", corpus=both, allow_errors=9)
    assert "s0/angry0.wav" not in table["path"]  # whose of the two it is, nobody knows
    assert {problem.path for problem in report.failed} >= {"s0/angry0.wav", "s9/angry0.wav"}


def test_nothing_is_left_out_in_silence(arrays, tmp_path):
    np.save(arrays / "stray.npy", VECTORS[NAMES[0]])
    np.save(arrays / f"{NAMES[1]}.npy", np.full((3, 5), np.nan))
    np.save(arrays / f"{NAMES[2]}.npy", np.zeros((4, 5)))
    np.save(arrays / f"{NAMES[3]}.npy", np.array(["a", "b"]))
    np.save(arrays / f"{NAMES[4]}.npy", np.array([{}], dtype=object), allow_pickle=True)
    (arrays / f"{NAMES[5]}.npy").unlink()
    report, header, table, _ = imported(arrays, tmp_path / "a.zarr")
    said = {problem.path: problem.reason for problem in report.failed}
    assert not report.ok
    assert len(table["path"]) == header.clips == 24 - 5
    assert "no utterance" in said["stray"]
    assert "not finite" in said[f"{NAMES[1]}.wav"]
    assert "(4, 5)" in said[f"{NAMES[2]}.wav"]
    assert "no vectors" in said[f"{NAMES[5]}.wav"]
    for name in NAMES[3:5]:
        assert any(path.startswith(name) for path in said)
    with open_store(tmp_path / "a.zarr") as store:
        assert dict(zip(store.failed["path"], store.failed["reason"], strict=True)) == said


def test_the_same_vectors_are_copies_and_shards_are_filled(arrays, tmp_path):
    np.save(arrays / f"{NAMES[7]}.npy", VECTORS[NAMES[0]])
    _, header, table, vectors = imported(arrays, tmp_path / "a.zarr")
    assert header.audios == 23
    rows = dict(zip(table["path"], vectors, strict=True))
    assert np.array_equal(rows[f"{NAMES[7]}.wav"], VECTORS[NAMES[0]])
    assert np.array_equal(rows[f"{NAMES[0]}.wav"], VECTORS[NAMES[0]])


def frame(**more):
    flat = {f"f{d}": [float(VECTORS[name][0, d]) for name in NAMES] for d in range(5)}
    return {
        "file": [f"{name}.wav" for name in NAMES],
        "emotion": [name[3:-1] for name in NAMES],
        "speaker": [int(name[1]) for name in NAMES],
        "take": [int(name[-1]) for name in NAMES],
        **flat,
        **more,
    }


@pytest.mark.parametrize("suffix", ["parquet", "csv", "tsv"])
def test_columns_of_numbers_are_one_layer(tmp_path, suffix):
    place, content = tmp_path / f"egemaps.{suffix}", frame()
    if suffix == "parquet":
        pq.write_table(pa.table(content), place)
    else:
        between = "," if suffix == "csv" else "\t"
        rows = zip(*content.values(), strict=True)
        lines = [between.join(map(str, row)) for row in (content, *rows)]
        place.write_text("\n".join(lines) + "\n")
    report, header, table, vectors = imported(place, tmp_path / "a.zarr")
    assert header.layers == ("last",)
    assert header.encoder["columns"] == 5
    assert table["take"] == [path[-5] for path in table["path"]]  # kept, not learnt from
    assert any("whole numbers, taken for no features: take" in note for note in report.notes)
    assert table["speaker"][0] == "0"
    for row, path in enumerate(table["path"]):
        assert np.array_equal(vectors[row, 0], VECTORS[path.removesuffix(".wav")][0])


def test_lists_are_layers_and_labels_may_lie_elsewhere(tmp_path):
    lists = {f"layer{k}": [VECTORS[name][k].tolist() for name in NAMES] for k in range(3)}
    pq.write_table(
        pa.table({"file": [f"{name}.wav" for name in NAMES], **lists}), tmp_path / "l.parquet"
    )
    labels = write_labels(tmp_path / "labels.csv")
    _, header, table, vectors = imported(tmp_path / "l.parquet", tmp_path / "a.zarr", corpus=labels)
    assert header.layers == ("layer0", "layer1", "layer2")
    assert set(table["emotion"]) == set(EMOTIONS)
    assert np.array_equal(vectors[3], VECTORS[table["path"][3].removesuffix(".wav")])


def test_lists_of_lists_are_the_layers_of_a_row_and_keep_their_type(tmp_path):
    nested = pa.array([VECTORS[name].tolist() for name in NAMES], pa.list_(pa.list_(pa.float32())))
    files = [f"{name}.wav" for name in NAMES]
    table = pa.concat_tables(  # of two chunks, as a file of several row groups has
        pa.table({"file": files[start:stop], "x": nested[start:stop]})
        for start, stop in ((0, 2), (2, None))
    )
    pq.write_table(table, tmp_path / "l.parquet")
    given = read_features(tmp_path / "l.parquet")
    assert given.layers == ("0", "1", "last")
    assert all(np.array_equal(given.read(file), VECTORS[file[:-4]]) for file in files)


@pytest.mark.parametrize(
    ("lists", "row"),
    [
        ([[1.0, 2.0], [3.0]], 2),
        ([[1.0, 2.0], None], 2),
        ([[], []], 1),
        ([["a"], ["b"]], 1),
        ([[[1.0], [2.0]], [[1.0], [2.0, 3.0]]], 2),
    ],
)
def test_lists_that_are_no_layers_are_told_by_their_row(lists, row, tmp_path):
    pq.write_table(pa.table({"file": ["a.wav", "b.wav"], "x": lists}), tmp_path / "l.parquet")
    with pytest.raises(CorpusError, match=rf"row {row}: the list of 'x' is missing, holds no"):
        read_features(tmp_path / "l.parquet")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"x": [[1.0, 2.0]], "z": [[1.0]]}, "the lists of 'z' have 1 numbers, those of 'x' 2"),
        ({"x": [[1.0, 2.0]], "z": [[[1.0, 2.0]]]}, "'z' holds lists of lists beside another"),
        ({"x": [[True, False]]}, "row 1: the list of 'x' is missing, holds no numbers"),
    ],
)
def test_columns_of_lists_that_do_not_fit_are_told_by_name(columns, told, tmp_path):
    pq.write_table(pa.table({"file": ["a.wav"], **columns}), tmp_path / "l.parquet")
    with pytest.raises(CorpusError, match=told):
        read_features(tmp_path / "l.parquet")


def test_times_of_parquet_are_those_of_audformat(tmp_path):
    """Which writes them as durations, in ns, missing where a file is meant to its end."""
    seconds = [timedelta(seconds=0), timedelta(seconds=1.5), timedelta(seconds=0)]
    ends = [timedelta(seconds=1.5), None, None]
    table = {
        "file": ["a.wav", "a.wav", "b.wav"],
        "start": pa.array(seconds, pa.duration("ns")),
        "end": pa.array(ends, pa.duration("ns")),
        "emotion": ["angry", "sad", "sad"],
        "f0": [1.5, 2.5, 3.5],
    }
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    given = read_features(tmp_path / "t.parquet")
    assert given.names == ("a.wav#t=0,1.5", "a.wav#t=1.5", "b.wav")
    assert given.seconds["a.wav#t=0,1.5"] == 1.5


def test_patterns_choose_features(tmp_path):
    pq.write_table(pa.table(frame()), tmp_path / "t.parquet")
    _, header, _, vectors = imported(
        tmp_path / "t.parquet", tmp_path / "a.zarr", columns=("f[12]", "take")
    )
    assert header.width == 3
    assert set(vectors[:, 0, 0].tolist()) == {0.0, 1.0}  # take comes first, as in the table


def test_parts_of_a_file_are_called_as_parts(tmp_path):
    text = (
        "file,start,end,emotion,speaker,f0,f1\n"
        "a.wav,0 days 00:00:00,0 days 00:00:01.500000,angry,s0,1.5,2.5\n"
        "a.wav,0 days 00:00:01.500000,0 days 00:00:04,sad,s0,3.5,4.5\n"
        "b.wav,0 days,0 days 00:00:02,sad,s1,5.5,6.5\n"
    )
    (tmp_path / "os.csv").write_text(text)
    _, _, table, vectors = imported(tmp_path / "os.csv", tmp_path / "a.zarr")
    assert table["path"] == ["a.wav#t=0,1.5", "a.wav#t=1.5,4", "b.wav#t=0,2"]
    assert table["seconds"] == [1.5, 2.5, 2.0]
    assert vectors[1].tolist() == [[3.5, 4.5]]


def test_another_set_of_columns_is_another_encoder(tmp_path):
    for name, keep in (("one", "f[01]"), ("two", "f[12]")):
        pq.write_table(pa.table(frame()), tmp_path / "t.parquet")
        imported(tmp_path / "t.parquet", tmp_path / f"{name}.zarr", columns=(keep,))
    from gensr.pipeline.training.vectors import open_vectors

    with pytest.raises(StoreError, match="not made alike"):
        open_vectors([tmp_path / "one.zarr", tmp_path / "two.zarr"])


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("a.csv", "emotion,f0\nangry,1.5\n", "no column for the file"),
        ("a.csv", "file,emotion\na,angry\n", "no column of features"),
        ("a.csv", "file,emotion,f0\na,angry\n", "cannot be read as a table"),
        ("a.csv", "file,path,f0\na,b,1.5\n", "both mean the file"),
        ("a.csv", "file,f0,f0\na,1.5,2.5\n", "two columns are called"),
        ("a.csv", "file,split,f0\na,maybe,1.5\n", "split 'maybe'"),
        ("a.csv", "file,start,f0\na,soon,1.5\n", "start is no time"),
        ("a.csv", ",file,f0\n0,a,1.5\n", r"column 1 has no name, .*to_csv\(index=False\)"),
        ("a.csv", "file,emotion,f0\na,angry,inf\n", "none of 1 can be used"),
        ("a.parquet", "no parquet", "cannot be read as a table"),
        ("a.arff", "x", "expected a folder"),
    ],
)
def test_every_mistake_is_one_line(tmp_path, file, content, told):
    (tmp_path / file).write_text(content)
    with pytest.raises(CorpusError, match=told) as raised:
        import_features(tmp_path / file, tmp_path / "a.zarr")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "a.zarr").exists()


def test_places_that_hold_nothing_and_stores_that_are_there(arrays, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="holds no"):
        import_features(tmp_path / "empty", tmp_path / "a.zarr")
    with pytest.raises(CorpusError, match="no such folder or table"):
        import_features(tmp_path / "nowhere", tmp_path / "a.zarr")
    (arrays / "manifest.csv").unlink()
    with pytest.raises(CorpusError, match="pass --corpus"):
        import_features(arrays, tmp_path / "a.zarr")
    labels = ImportConfig(corpus=write_labels(tmp_path / "labels.csv"))
    import_features(arrays, tmp_path / "a.zarr", labels)
    with pytest.raises(StoreError, match="is there already"):
        import_features(arrays, tmp_path / "a.zarr", labels)
    with pytest.raises(GensrError, match="--columns is for tables"):
        import_features(arrays, tmp_path / "b.zarr", ImportConfig(columns=("f*",)))


def test_an_import_made_again_is_the_same_to_the_byte(arrays, tmp_path):
    first = imported(arrays, tmp_path / "a.zarr")[1]
    again = imported(arrays, tmp_path / "a.zarr", overwrite=True)[1]
    assert json.dumps(first.as_json()) == json.dumps(again.as_json())


def test_dots_in_names_tell_apart(tmp_path):
    """`a.1.npy` and `a.2.npy` are of a.1.wav and a.2.wav, and neither is of a.wav."""
    for number, name in enumerate(("a.1", "a.2", "b.wav")):
        (tmp_path / "x").mkdir(exist_ok=True)
        np.save(tmp_path / "x" / f"{name}.npy", np.full((3, 5), number, np.float32))
    labels = tmp_path / "labels.csv"
    text = "file,emotion\na.1.wav,sad\na.2.wav,happy\na.wav,angry\nb.wav,sad\n"
    labels.write_text(text)
    report, _, table, vectors = imported(
        tmp_path / "x", tmp_path / "a.zarr", corpus=labels, allow_errors=1
    )
    found = {path: vectors[row, 0, 0] for row, path in enumerate(table["path"])}
    assert found == {"a.1.wav": 0, "a.2.wav": 1, "b.wav": 2}
    assert [(bad.path, "no vectors of it" in bad.reason) for bad in report.failed] == [
        ("a.wav", True)
    ]


def test_names_and_labels_are_what_is_written(tmp_path):
    """0012 is not 12, and speaker 03 not 3, though both could be numbers."""
    (tmp_path / "t.csv").write_text("file,speaker,emotion,f0\n0012,03,sad,1.5\n1e5,04,happy,2\n")
    _, _, table, vectors = imported(tmp_path / "t.csv", tmp_path / "a.zarr")
    assert table["path"] == ["0012", "1e5"]
    assert table["speaker"] == ["03", "04"]
    assert vectors[:, 0, 0].tolist() == [1.5, 2.0]


def test_names_that_are_no_utf_8_are_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes("file,emotion,f0\na,\u00c4rger,1.5\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"emotion.* is no UTF-8|cannot be read as a table"):
        import_features(tmp_path / "t.csv", tmp_path / "a.zarr")


def test_vectors_that_change_while_they_are_read_are_noticed(arrays, tmp_path, monkeypatch):
    from gensr.pipeline.importing import importing

    real, seen = importing.hash_of, []

    def other(vectors):
        seen.append(real(vectors))
        return "other" if len(seen) > len(NAMES) else seen[-1]

    monkeypatch.setattr(importing, "hash_of", other)
    with pytest.raises(CorpusError, match="was changed while it was read; import again"):
        import_features(arrays, tmp_path / "a.zarr")
