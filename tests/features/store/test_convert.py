"""Zarr to HDF5 and back without loss."""

import time

import h5py
import numpy as np
import pytest

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from support import stub
from support.trees import tree


def test_there_and_back_is_the_same_store(run, corpus, tmp_path):
    (corpus / "sad/empty.wav").write_bytes(b"")
    a, b, c, d = (tmp_path / name for name in ("a.zarr", "b.h5", "c.zarr", "d.h5"))
    run(a)
    told = []
    convert(a, b, advance=told.append)
    assert told == [4] * 5
    time.sleep(1.1)  # HDF5 time stamps count seconds
    convert(b, c)
    convert(c, d)
    assert tree(a) == tree(c)
    assert tree(b) == tree(d)
    with open_store(a) as zarr, open_store(b) as hdf5:
        assert zarr.attributes == hdf5.attributes
        assert list(zarr.table) == list(hdf5.table)
        for name in zarr.table:
            np.testing.assert_array_equal(zarr.table[name], hdf5.table[name])
            assert zarr.table[name].dtype == hdf5.table[name].dtype
        np.testing.assert_array_equal(zarr.vectors(), hdf5.vectors())
        assert zarr.failed["path"].tolist() == hdf5.failed["path"].tolist() == ["sad/empty.wav"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.zarr",
        "b.h5",
        "c.zarr",
        "corpus",
        "d.h5",
    ]


def test_an_extraction_into_hdf5_is_the_converted_zarr(run, tmp_path):
    run(tmp_path / "a.zarr")
    run(tmp_path / "a.h5")
    convert(tmp_path / "a.zarr", tmp_path / "b.h5")
    assert tree(tmp_path / "a.h5") == tree(tmp_path / "b.h5")


def test_text_beyond_ascii_and_large_headers(run, tmp_path):
    encoder = stub.StubEncoder(revision="ü" * 70_000)  # an HDF5 attribute beyond 64 KiB
    root = tmp_path / "körpus"
    stub.write_clip(root / "wütend/日本.wav", seed=1)
    run(tmp_path / "a.zarr", encoder, root=root)
    convert(tmp_path / "a.zarr", tmp_path / "a.h5")
    with open_store(tmp_path / "a.h5") as store:
        assert store.table["path"].tolist() == ["wütend/日本.wav"]
        assert store.attributes["encoder"]["revision"] == encoder.revision
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["clips/corpus"].asstr()[0] == "körpus"


def test_targets_are_not_overwritten_unasked(run, tmp_path):
    run(tmp_path / "a.zarr")
    run(tmp_path / "b.zarr", shard_clips=5)
    before = tree(tmp_path / "b.zarr")
    with pytest.raises(StoreError, match="pass --overwrite"):
        convert(tmp_path / "a.zarr", tmp_path / "b.zarr")
    assert tree(tmp_path / "b.zarr") == before
    convert(tmp_path / "a.zarr", tmp_path / "b.zarr", overwrite=True)
    assert tree(tmp_path / "b.zarr") == tree(tmp_path / "a.zarr")
    with pytest.raises(StoreError, match="same store"):
        convert(tmp_path / "a.zarr", tmp_path / "a.zarr", overwrite=True)
    (tmp_path / "x.h5").write_text("years")
    with pytest.raises(StoreError, match="Nothing is replaced"):
        convert(tmp_path / "a.zarr", tmp_path / "x.h5", overwrite=True)


def test_the_place_of_an_interrupted_extraction_is_taken(run, tmp_path):
    run(tmp_path / "a.zarr")
    with pytest.raises(RuntimeError, match="broke"):
        run(tmp_path / "b.h5", stub.StubEncoder(fail_at=5))
    with pytest.raises(StoreError, match="being extracted"):
        convert(tmp_path / "a.zarr", tmp_path / "b.h5", overwrite=True)
    assert run(tmp_path / "b.h5").skipped > 0
