"""A shard file by its layout: the bytes are zarr's own, and what is broken is not read."""

import io

import google_crc32c
import numpy as np
import pytest
import zarr

from gensr.features.store import zarr_layout
from gensr.features.store.zarr_shard import shard_format
from support import synthetic as made


def header(dtype):
    return made.plan(made.clips("abcdefghij"), dtype=dtype).header


@pytest.fixture(params=["float32", "float16"])
def written(request, tmp_path):
    """(array of 10 rows that zarr wrote, its vectors, the files of its shards)."""
    group = zarr_layout.create_group(zarr.storage.LocalStore(tmp_path), header(request.param))
    zarr_layout.create_vectors(group, header(request.param))
    vectors = np.random.default_rng(0).normal(size=group["vectors"].shape).astype(request.param)
    vectors[4:8, 0] = 0  # a chunk that zarr leaves out, unless it is told to write it
    group["vectors"][:] = vectors
    files = [tmp_path / f"vectors/c/{number}/0/0" for number in range(3)]
    return group["vectors"], vectors, files


def test_bytes_are_those_of_zarr(written):
    array, vectors, files = written
    shards = shard_format(array)
    for number in (0, 2):  # the last one is filled up
        assert files[number].read_bytes() == shards.encode(vectors[4 * number : 4 * number + 4])
        assert files[number].stat().st_size == shards.size


def test_zarr_reads_what_was_written(written):
    array, vectors, files = written
    for number, file in enumerate(files):
        file.write_bytes(shard_format(array).encode(vectors[4 * number : 4 * number + 4]))
    np.testing.assert_array_equal(array[:], vectors)


def test_a_part_is_put_into_its_place(written):
    array, vectors, files = written
    room = np.full((2, 2, 3), np.nan, np.float32)[:, :1]  # its rows lie apart
    with files[0].open("rb") as file:
        shard_format(array).read(file, slice(1, 3), slice(1, 2), room)
    np.testing.assert_array_equal(room, vectors[1:3, 1:2])


def test_what_is_broken_is_not_read(written):
    array, vectors, _ = written
    shards = shard_format(array)
    whole = bytes(shards.encode(vectors[:4]))
    room = np.empty((4, 2, 3), np.float32)

    def read(data):
        shards.read(io.BytesIO(data), slice(0, 4), slice(0, 2), room)

    read(whole)
    for place in range(len(whole)):
        with pytest.raises(OSError, match="has another checksum"):
            read(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(OSError, match="is cut off"):
        read(whole[:-1])
    index = 2 * 16 + 4
    same = np.array([[0, 52], [0, 52]], "<u8") if array.dtype.itemsize == 4 else None
    for entries in (same, np.full((2, 2), 2**64 - 1, "<u8")):
        if entries is not None:
            tail = np.zeros(index, np.uint8)
            tail[:-4] = entries.reshape(-1).view(np.uint8)
            seal(tail)
            with pytest.raises(OSError, match="does not lead to one chunk a layer"):
                read(whole[:-index] + tail.tobytes())


def seal(tail):
    tail[-4:] = np.frombuffer(google_crc32c.value(tail[:-4]).to_bytes(4, "little"), np.uint8)


def test_another_layout_is_not_taken_for_ours():
    group = zarr.create_group(zarr.storage.MemoryStore())
    settings = {"shape": (4, 2, 3), "dtype": "float32", "chunks": (4, 1, 3), "shards": (4, 2, 3)}
    crc = zarr.codecs.Crc32cCodec()
    ours = group.create_array("ours", compressors=crc, **settings)
    assert shard_format(ours) is not None
    for number, changed in enumerate(
        (
            {"compressors": None},
            {"compressors": [zarr.codecs.ZstdCodec(), crc]},
            {"compressors": crc, "serializer": zarr.codecs.BytesCodec(endian="big")},
            {"compressors": crc, "chunks": (2, 1, 3)},
            {"compressors": crc, "shards": None},
        )
    ):
        array = group.create_array(f"other{number}", **{**settings, **changed})
        assert shard_format(array) is None
