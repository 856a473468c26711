"""Stores of half the bytes: float16 all the way, float32 for whoever reads."""

import h5py
import numpy as np
import pytest
import zarr

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from support import synthetic as made
from support.trees import tree


@pytest.fixture
def rows():
    return made.clips("abcdefghij")


def stored_type(path):
    if path.is_dir():
        return zarr.open_group(path, mode="r")["vectors"].dtype
    with h5py.File(path) as file:
        return file["vectors"].dtype


def test_half_is_stored_and_single_is_read(rows, out):
    made.make(out, rows, dtype="float16")
    exact = np.stack([made.vector(row["audio"]) for row in rows])
    assert stored_type(out) == np.float16
    with open_store(out) as store:
        assert store.attributes["dtype"] == "float16"
        assert store.vectors().dtype == np.float32
        np.testing.assert_array_equal(store.vectors(), exact.astype(np.float16))
        assert store.lazy().compute().dtype == np.float32
        half = store.fingerprint()
    made.make(out, rows, overwrite=True)
    with open_store(out) as store:
        assert store.attributes["dtype"] == "float32"
        np.testing.assert_array_equal(store.vectors(), exact)
        assert store.fingerprint() != half  # these are other numbers


def test_half_stays_half_there_and_back(rows, tmp_path):
    a, b, c = (tmp_path / name for name in ("a.zarr", "b.h5", "c.zarr"))
    made.make(a, rows, dtype="float16")
    convert(a, b)
    convert(b, c)
    assert stored_type(b) == np.float16
    assert tree(a) == tree(c)
    made.make(tmp_path / "d.h5", rows, dtype="float16")
    assert tree(b) == tree(tmp_path / "d.h5")


def test_half_is_resumed_and_added_to(rows, out):
    made.make(out, rows, dtype="float16")
    expected = tree(out)
    resumed = out.with_stem("resumed")
    with made.started(resumed, rows, dtype="float16") as (job, _):
        for shard in job.pending[:2]:
            job.writer.write(shard, made.encoded(rows, shard))
    with made.started(resumed, rows, dtype="float16") as (job, _):
        assert [shard.index for shard in job.finished] == [0, 1]
    made.make(resumed, rows, dtype="float16")
    assert tree(resumed) == expected
    more = made.clips("xy")
    made.make(out, more, dtype="float16")
    assert stored_type(out) == np.float16
    with open_store(out) as store:
        exact = np.stack([made.vector(row["audio"]) for row in (*rows, *more)])
        np.testing.assert_array_equal(store.vectors(), exact.astype(np.float16))
    with pytest.raises(StoreError, match="dtype: 'float16' there, 'float32' here"):
        made.make(out, made.clips("z"))


def test_values_beyond_half_are_named(rows, out):
    with made.started(out, rows, dtype="float16") as (job, _):
        first, second, _ = job.pending
        job.writer.write(first, made.encoded(rows, first))
        found = made.encoded(rows, second)
        found[6][1, 2] = -70_000.0
        with pytest.raises(
            StoreError,
            match=r"^g\.wav: layer x1 holds -70000, beyond float16: .* --store-dtype float32$",
        ):
            job.writer.write(second, found)
        found[6][1, 2] = 65_504.0  # the largest there is
        job.writer.write(second, found)
        assert job.stored([6])[0, 1, 2] == 65_504.0


def test_the_extraction_stores_half(run, out):
    report = run(out, store_dtype="float16")
    assert report.encoded == 20
    with open_store(out) as store:
        half = store.vectors()
    assert stored_type(out) == np.float16
    run(out.with_stem("whole"))
    with open_store(out.with_stem("whole")) as store:
        np.testing.assert_array_equal(half, store.vectors().astype(np.float16))
