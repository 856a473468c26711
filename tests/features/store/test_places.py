"""Vectors are decoded where they are to lie: one array, one shard beside it, every byte once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gensr.features.store import open_store, schema, transfer
from gensr.features.store.errors import StoreError
from gensr.features.store.table import tables_sha256
from support import synthetic as made

NAMES = ("s.zarr", "s.h5")
LAYERS, WIDTH, SHARD, CLIPS = 5, 64, 512, 10_000
"""A shard of 0.6 MiB, vectors of 12.2."""


class Big:
    """A store to be written, of no audio: see `transfer.Source`."""

    def __init__(self, dtype="float32", clips=CLIPS, width=WIDTH, shard=SHARD):
        self.table = made.table(made.clips(f"{number:05}" for number in range(clips)))
        self.failed = dict.fromkeys(schema.FAILED_COLUMNS, self.table["path"][:0])
        self.header = schema.Header(
            clips=clips,
            failed=0,
            audios=clips,
            layers=("a", "b", "c", "d", "x1"),
            width=width,
            shard_clips=shard,
            columns=tuple(self.table),
            encoder={"name": "made"},
            preprocessing={},
            dtype=dtype,
            table_sha256=tables_sha256(self.table, self.failed),
        )
        rng, size = np.random.default_rng(0), (clips, LAYERS, width)
        self.vectors = rng.standard_normal(size, np.float32).astype(dtype).astype(np.float32)

    def confirm(self):
        pass

    def blocks(self):
        for start in range(0, self.header.clips, self.header.shard_clips):
            rows = slice(start, min(start + self.header.shard_clips, self.header.clips))
            yield rows, self.vectors[rows]


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """big(name) -> (path of a large store, its vectors)."""
    folder, whole = tmp_path_factory.mktemp("big"), Big()
    transfer.write_zarr(whole, folder / "s.zarr")
    transfer.write_hdf5(whole, folder / "s.h5")
    return lambda name: (folder / name, whole.vectors)


@pytest.fixture(params=NAMES)
def small(request, tmp_path):
    return made.make(tmp_path / request.param, made.clips("abcdefghij"))


ROWS = [
    None,
    slice(100, 5_000),
    slice(None, None, -1),
    slice(3, 9_999, 700),
    np.arange(CLIPS) % 3 > 0,
    np.arange(CLIPS) % 5_000 < 600,
    [9_999, 0, 0, 512, 511, 4],
    np.random.default_rng(1).permutation(CLIPS)[:3_000],
    [],
    7,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", ROWS, ids=range(len(ROWS)))
@pytest.mark.parametrize("layers", [None, ["x1"], ["d", "x1"], ["x1", "b", "c"], []])
def test_vectors_are_put_where_they_are_wanted(big, name, rows, layers):
    path, every = big(name)
    with open_store(path) as store:
        index = [store.layers.index(one) for one in (store.layers if layers is None else layers)]
        chosen = slice(None) if rows is None else rows
        chosen = np.atleast_1d(np.array(chosen, int)) if isinstance(rows, int | list) else chosen
        wanted = every[chosen][:, index]
        out = np.full(wanted.shape, np.nan, np.float32)
        assert store.vectors(rows, layers, out=out) is out
        np.testing.assert_array_equal(out, wanted)
        np.testing.assert_array_equal(store.vectors(rows, layers), wanted)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_narrow_is_put_into_the_same_place(tmp_path, name):
    narrow = Big("float16")
    (transfer.write_zarr if name == "s.zarr" else transfer.write_hdf5)(narrow, tmp_path / name)
    with open_store(tmp_path / name) as store:
        out = np.empty((CLIPS, LAYERS, WIDTH), np.float32)
        np.testing.assert_array_equal(store.vectors(out=out), narrow.vectors)
        np.testing.assert_array_equal(store.vectors(layers=["b"]), narrow.vectors[:, 1:2])


def test_a_place_that_does_not_fit_is_refused(small):
    shape = 10, 2, 3
    read_only = np.empty(shape, np.float32)
    read_only.flags.writeable = False
    with open_store(small) as store:
        for out in (
            np.empty((10, 2, 4), np.float32),
            np.empty(shape, np.float64),
            np.empty(shape, ">f4"),
            np.empty((20, 2, 3), np.float32)[::2],
            read_only,
        ):
            with pytest.raises(ValueError, match=r"it must be float32 \(10, 2, 3\), C-contiguous"):
                store.vectors(out=out)


@pytest.mark.parametrize("rows", ROWS, ids=range(len(ROWS)))
@pytest.mark.parametrize("name", NAMES)
def test_a_selection_comes_shard_by_shard(big, name, rows):
    path, every = big(name)
    with open_store(path) as store:
        chosen = slice(None) if rows is None else rows
        chosen = np.atleast_1d(np.array(rows, int)) if isinstance(rows, int | list) else chosen
        wanted = np.sort(np.arange(CLIPS)[chosen])
        for layers in (None, ["x1", "a"]):
            parts = list(store.selected(rows, layers))
            shards = [set((numbers // SHARD).tolist()) for numbers, _ in parts]
            assert all(len(shard) == 1 for shard in shards)
            assert len(set.union(set(), *shards)) == len(parts)  # each read once
            found = np.concatenate([[], *(numbers for numbers, _ in parts)])
            np.testing.assert_array_equal(found, wanted)
            for numbers, vectors in parts:
                expected = every[numbers] if layers is None else every[numbers][:, [4, 0]]
                np.testing.assert_array_equal(vectors, expected)


def test_a_shard_is_compared_where_some_of_its_rows_are_chosen(small):
    damage(small)
    with open_store(small) as store:
        assert len(list(store.selected([0, 3, 8, 9]))) == 2
        with pytest.raises(StoreError, match="rows 4 to 7 are not those whose hash"):
            list(store.selected([5]))
        assert [len(part) for _, part in store.selected([5], ["x1"])] == [1]  # no hash of a layer
        with pytest.raises(StoreError, match="rows 4 to 7 are not those whose hash"):
            store.vectors(out=np.empty((10, 2, 3), np.float32))


MEASURE = """
import re, sys
from pathlib import Path
from gensr.features.store import open_store

def status(key):
    return 1024 * int(re.search(key + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

with open_store(sys.argv[1]) as store:
    store.vectors([0])
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = status("VmRSS")
    nbytes = store.vectors().nbytes
    print(status("VmHWM") - before, nbytes, nbytes * store.header.shard_clips // len(store))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are asked of Linux")
@pytest.mark.parametrize("name", NAMES)
def test_memory_is_the_vectors_and_a_shard(tmp_path, name):
    whole = Big(width=2_048, clips=4_000, shard=100)
    (transfer.write_zarr if name == "s.zarr" else transfer.write_hdf5)(whole, tmp_path / name)
    command = [sys.executable, "-c", MEASURE, str(tmp_path / name)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    peak, vectors, shard = map(int, answer.split())
    assert vectors > 150 * 2**20
    assert vectors < peak < vectors + shard + 2**21  # and what is small


def damage(path):
    """Write a value into shard 1 with the container's own library: its checksum is right."""
    if path.suffix == ".zarr":
        import zarr

        zarr.open_group(path, mode="r+")["vectors"][5, 0, 0] = 9.0
    else:
        import h5py

        with h5py.File(path, "r+") as file:
            file["vectors"][5, 0, 0] = 9.0
