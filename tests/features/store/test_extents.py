"""An HDF5 file that promises more than is in it: chunks at one place, beyond the end, in holes."""

import math
import os

import h5py
import numpy as np
import pytest

from gensr.estimator.errors import ConfigError
from gensr.features.store import bounds, files, open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.hdf5_extents import Extents
from gensr.features.store.merge import merge
from gensr.features.store.verify import verify
from gensr.pipeline.extraction.config import ExtractConfig
from support import synthetic as made

WIDE = 2**12


@pytest.fixture
def wide(tmp_path, monkeypatch):
    """Stores of 2.5 MiB of vectors: wide(name) -> path."""
    monkeypatch.setattr(made, "WIDTH", WIDE)
    names = [f"{number:03}" for number in range(80)]
    return lambda name: made.make(tmp_path / name, made.clips(names), shard_clips=20)


def refused(path, match):
    for attempt in (lambda store: store.vectors(), lambda store: list(store.blocks())):
        with open_store(path) as store, pytest.raises(StoreError, match=match) as told:
            attempt(store)
        assert "\n" not in str(told.value)
    assert any("vectors" in fault or "rows" in fault for fault in verify(path).faults)


@pytest.mark.parametrize("change", [lambda places: places[0], lambda places: 2**40])
def test_chunks_that_are_not_each_its_own(wide, change):
    """The index of the chunks leads elsewhere: to one place for all, or beyond the end."""
    path = wide("s.h5")
    with h5py.File(path) as file:
        found = file["vectors"].id
        places = [found.get_chunk_info(n).byte_offset for n in range(found.get_num_chunks())]
    data = path.read_bytes()
    for place in places[1:]:
        old = place.to_bytes(8, "little")
        assert old in data
        data = data.replace(old, change(places).to_bytes(8, "little"))
    path.write_bytes(data)
    # The index has a checksum of its own, in which HDF5 may find it first.
    refused(path, "lie where others do|beyond the end|chunks of|checksum|cannot be read")


def older(path, **options):
    """Write the vectors anew in the oldest format, whose index of chunks has no checksum."""
    with h5py.File(path) as file:
        vectors, header = file["vectors"][:], file.attrs["gensr"]
        clips = {name: (data[:], data.dtype) for name, data in file["clips"].items()}
        failed = {name: data.dtype for name, data in file["failed"].items()}
    with h5py.File(path, "w", libver=("earliest", "v108")) as file:
        chunks = (20, 1, WIDE)
        made = file.create_dataset("vectors", data=vectors, chunks=chunks, **options)
        for name, (data, dtype) in clips.items():
            file.create_dataset(f"clips/{name}", data=data, dtype=dtype)
        for name, dtype in failed.items():
            file.create_dataset(f"failed/{name}", shape=(0,), dtype=dtype)
        file.attrs["gensr"] = header
        count = made.id.get_num_chunks()
        return [made.id.get_chunk_info(n).byte_offset for n in range(count)]


@pytest.mark.parametrize("target", [None, 2**40])
def test_an_index_without_a_checksum(wide, target):
    path = wide("s.h5")
    places = older(path, fletcher32=True)
    assert open_store(path).vectors().shape == (80, 2, WIDE)
    data = path.read_bytes()
    for place in places[1:]:
        new = places[0] if target is None else target
        data = data.replace(place.to_bytes(8, "little"), new.to_bytes(8, "little"))
    path.write_bytes(data)
    refused(path, "lie where others do" if target is None else "beyond the end|cannot be read")


def test_chunks_that_were_never_written(wide):
    path = wide("s.h5")
    with h5py.File(path, "r+") as file:
        shape = file["vectors"].shape
        del file["vectors"]
        file.create_dataset("vectors", shape, "f4", chunks=(20, 1, WIDE), fletcher32=True)
    refused(path, "it holds 0 chunks of 8")


def punch(path, spans):
    """Make holes of spans of a file, as a sparse copy does of zeros."""
    data = path.read_bytes()
    with path.open("wb") as file:
        file.truncate(len(data))
        place = 0
        for start, size in [*spans, (len(data), 0)]:
            file.seek(place)
            file.write(data[place:start])
            place = start + size
    if files.held(path) == len(data):
        pytest.skip("the file system has no holes")


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_a_sparse_file_counts_by_what_is_in_it(wide, name):
    path = wide(name)
    if name == "s.h5":
        with h5py.File(path) as file:
            found = file["vectors"].id
            chunks = [found.get_chunk_info(n) for n in range(found.get_num_chunks())]
        punch(path, sorted((chunk.byte_offset, chunk.size) for chunk in chunks))
    else:
        for shard in (path / "vectors/c").glob("*/0/0"):
            punch(shard, [(4096, shard.stat().st_size - 8192)])
    refused(path, "the rest is a hole")


def test_bytes_that_are_there(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(os.urandom(100_000))
    assert files.held(file) == 100_000
    os.truncate(file, 50_000_000)
    assert files.held(file) <= 110_000 or files.held(file) == 50_000_000
    file.write_bytes(b"")
    assert files.held(file) == 0


def test_two_datasets_at_one_place(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"], file["b"] = np.arange(100), np.arange(100)
        extents = Extents(file.id.get_filesize())
        extents.claim("a", file["a"])
        extents.claim("a", file["a"])
        extents.claim("b", file["b"])
        with pytest.raises(OSError, match="lie where others do"):
            extents.claim("another", file["a"])
        with pytest.raises(OSError, match="beyond the end"):
            Extents(100).claim("a", file["a"])


def test_a_shard_has_a_largest_size(run, tmp_path):
    bounds.check_shard(2**32 // (4 * 25 * 1024), 25, 1024)
    for attempt in (
        lambda: bounds.check_shard(99_999_999_999, 25, 1024),
        lambda: run(tmp_path / "s.zarr", shard_clips=99_999_999_999),
        lambda: merge(
            [made.make(tmp_path / f"{x}.zarr", made.clips(x)) for x in "ab"],
            tmp_path / "s.h5",
            shard_clips=10**30,
        ),
    ):
        with pytest.raises(ConfigError, match=r"it must be at most \d+ \(4 GiB") as told:
            attempt()
        assert "\n" not in str(told.value)
    assert not (tmp_path / "s.zarr.work").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("max_seconds", "batch_seconds", "shard_clips", "workers")
        for value in (math.nan, math.inf, -1, 0, 1e308, 10**400)
        if isinstance(value, int) or name in ("max_seconds", "batch_seconds")
    ],
)
def test_numbers_beyond_reason_are_one_line(name, value):
    def settle():
        settings = ExtractConfig(encoder="fbank", **{name: value})
        bounds.check_shard(settings.shard_clips, 1, 80)

    with pytest.raises(ConfigError, match=name) as told:
        settle()
    assert "\n" not in str(told.value)
