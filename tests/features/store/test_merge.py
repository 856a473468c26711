"""Several stores as one, and what stops a merge."""

import numpy as np
import pytest

from gensr.estimator.errors import ConfigError
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.features.store.verify import verify
from support import stub
from support import synthetic as made
from support.trees import tree

TOLD = {"clips": 4, "batches": 2, "error": 1e-7, "bound": 1e-5, "layer": "x1"}


@pytest.fixture
def store(tmp_path):
    """Write a store of rows: store(name, rows, ...) -> path."""
    return lambda name, rows, **options: made.make(tmp_path / name, rows, **options)


def expect(path, rows):
    """These rows, in this order, each with its own vectors; nothing else; sound."""
    with open_store(path) as found:
        assert found.table["path"].tolist() == [row["path"] for row in rows]
        assert found.table["row"].tolist() == list(range(len(rows)))
        exact = np.stack([made.vector(row["audio"]) for row in rows])
        np.testing.assert_array_equal(found.vectors(), exact)
        assert found.header.audios == len({row["audio"] for row in rows})
    assert verify(path).faults == ()
    assert not path.with_name(path.name + ".work").exists()


@pytest.mark.parametrize("shard_clips", [None, 1, 3, 100])
def test_rows_follow_each_other(store, out, tmp_path, shard_clips):
    parts = [made.clips("wxyza", corpus="one"), made.clips("bc"), made.clips("defghijkl")]
    paths = [
        store("1.zarr", parts[0]),
        store("2.h5", parts[1], shard_clips=7),
        store("3.zarr", parts[2], shard_clips=2),
    ]
    told = []
    merge(paths, out, shard_clips=shard_clips, advance=told.append)
    expect(out, [row for part in parts for row in part])
    assert sum(told) == 16
    with open_store(out) as found:
        assert found.header.shard_clips == (shard_clips or 4)
        assert found.table["corpus"].tolist() == ["one"] * 5 + ["made"] * 11


def test_a_merge_is_the_extraction_of_all(store, tmp_path, out):
    rows = [*made.clips("abcde", mood="bright"), *made.clips("fghijk", mood="dark")]
    store(out.with_stem("whole").name, rows)
    merge([store("1.h5", rows[:5]), store("2.zarr", rows[5:])], out)
    assert tree(out) == tree(out.with_stem("whole"))


def test_a_clip_of_two_stores_is_one_row(store, out):
    a = store("a.zarr", made.clips("abcdef", speaker="1"))
    b = store("b.h5", made.clips("xcyfz", speaker="1"))
    c = store("c.zarr", made.clips("zab", speaker="1"))
    merge([a, b, c], out)
    expect(out, made.clips("abcdefxyz"))


def test_columns_of_one_store_are_empty_in_the_other(store, out):
    a = store("a.zarr", made.clips("ab", mood="bright"))
    b = store("b.zarr", made.clips("bc", room="small"))
    merge([a, b], out)
    with open_store(out) as found:
        assert found.table["mood"].tolist() == ["bright", "bright", ""]
        assert found.table["room"].tolist() == ["", "small", "small"]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"audio": "another"}, r"b\.wav is in .*a\.zarr and in .*b\.zarr, other audio: two"),
        ({"corpus": "else"}, r"b\.wav is in .*, of corpus 'made' and 'else': two corpora"),
        ({"emotion": "sad"}, r"b\.wav: emotion is 'happy' in .*a\.zarr and 'sad' in .*b\.zarr"),
        ({"mood": "dark"}, r"b\.wav: mood is 'bright' in .*a\.zarr and 'dark' in .*b\.zarr"),
    ],
)
def test_what_two_stores_say_differently_stops_it(store, out, other, said):
    labels = {"emotion": "happy", "mood": "bright"}
    a = store("a.zarr", made.clips("abc", **labels))
    b = store("b.zarr", [made.clip("b.wav", **(labels | other)), *made.clips("d", **labels)])
    with pytest.raises(StoreError, match=said) as told:
        merge([a, b], out)
    assert "\n" not in str(told.value)
    assert not out.exists()
    assert not out.with_name(out.name + ".work").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"encoder": "other"}, r"encoder: 'made' .*in .*a\.zarr, 'other' .*in .*b\.h5"),
        ({"dtype": "float16"}, r"dtype: 'float32' in .*a\.zarr, 'float16' in .*b\.h5"),
    ],
)
def test_stores_of_different_encoders_are_no_one_store(store, out, options, said):
    a, b = store("a.zarr", made.clips("ab")), store("b.h5", made.clips("cd"), **options)
    with pytest.raises(StoreError, match=rf"a\.zarr and .*b\.h5 cannot be one store \({said}"):
        merge([a, b], out)


def test_failed_files_are_joined(store, out):
    a = store("a.zarr", made.clips("ab"), failed=[("c.wav", "empty"), ("x.wav", "silent")])
    b = store("b.zarr", made.clips("cd"), failed=[("a.wav", "broken"), ("x.wav", "other")])
    merge([a, b], out)
    with open_store(out) as found:
        assert found.header.failed == 1
        assert found.failed["path"].tolist() == ["x.wav"]
        assert found.failed["reason"].tolist() == ["silent"]


def test_the_worst_verification_is_kept_if_all_have_one(store, out):
    worse = TOLD | {"error": 3e-7, "clips": 8, "layer": "layer_0"}
    a = store("a.zarr", made.clips("a"), verification=TOLD)
    b = store("b.zarr", made.clips("b"), verification=worse)
    c = store("c.zarr", made.clips("c"))
    d = store("d.zarr", made.clips("d"), verification=TOLD | {"bound": 1e-3})
    merge([a, b], out)
    with open_store(out) as found:
        assert found.header.verification == worse | {"clips": 12, "batches": 4}
    for others in ([a, b, c], [a, d]):
        merge(others, out, overwrite=True)
        with open_store(out) as found:
            assert found.header.verification is None


def test_half_stays_half(store, out):
    a = store("a.zarr", made.clips("abc"), dtype="float16")
    merge([a, store("b.zarr", made.clips("def"), dtype="float16")], out)
    with open_store(out) as found:
        exact = np.stack([made.vector(f"{name}.wav") for name in "abcdef"])
        np.testing.assert_array_equal(found.vectors(), exact.astype(np.float16))
        assert found.header.dtype == "float16"


def test_targets_are_kept_unless_asked(store, tmp_path, out):
    a, b = store("a.zarr", made.clips("ab")), store("b.zarr", made.clips("cd"))
    merge([a, b], out)
    before = tree(out)
    with pytest.raises(StoreError, match="exists: pass --overwrite"):
        merge([b, a], out)
    assert tree(out) == before
    merge([b, a], out, overwrite=True)
    expect(out, made.clips("cdab"))
    with pytest.raises(StoreError, match="same store"):
        merge([a, b], a, overwrite=True)
    with pytest.raises(ConfigError, match="two stores or more"):
        merge([a], out, overwrite=True)
    with pytest.raises(ConfigError, match="shard_clips is 0"):
        merge([a, b], out, shard_clips=0, overwrite=True)


def test_a_merged_store_is_added_to(run, corpus, tmp_path, out):
    other = tmp_path / "other"
    for number in range(3):
        stub.write_clip(other / f"calm/{number}.wav", seed=200 + number)
    run(tmp_path / "a.zarr")
    run(tmp_path / "b.h5", root=other)
    merge([tmp_path / "a.zarr", tmp_path / "b.h5"], out)
    for root in (corpus, other):  # nothing is new
        encoder = stub.StubEncoder()
        assert run(out, encoder, root=root).encoded == encoder.clips == 0
    stub.write_clip(other / "calm/3.wav", seed=300)
    encoder = stub.StubEncoder()
    report = run(out, encoder, root=other)
    assert (report.encoded, report.clips) == (1, 24)
    assert verify(out).faults == ()
