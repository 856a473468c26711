"""Vectors are bound to their rows: what is sound in itself, but elsewhere's, is damage."""

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.job import open_job
from gensr.features.store.merge import merge
from gensr.features.store.plan import plan_shards
from gensr.features.store.verify import verify
from gensr.features.store.zarr_store import ZarrWriter
from support import synthetic as made
from support.loaded import load_vectors

SHARD, SHARDS = 3, 4
ROWS = SHARD * SHARDS - 1  # the last shard has a row less, and is filled up


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A store in both containers, and one of other recordings under the same names."""
    folder = tmp_path_factory.mktemp("built")
    rows = made.clips("abcdefghijk")
    others = [made.clip(row["path"], audio=f"other {row['path']}") for row in rows]
    for name in ("s.zarr", "s.h5"):
        made.make(folder / name, rows, shard_clips=SHARD)
    made.make(folder / "other.zarr", others, shard_clips=SHARD)
    return folder


@pytest.fixture(scope="module")
def held(built):
    """The vectors of every shard, as both containers have them: (rows, layers, width)."""
    with open_store(built / "s.zarr") as store:
        return [block for _, block in store.blocks()]


@pytest.fixture(params=["s.zarr", "s.h5"])
def rewritten(request, built, tmp_path):
    """rewritten(shards) -> a copy that holds other vectors, every checksum right."""
    return lambda shards: rewrite(built / request.param, tmp_path / request.param, shards)


def rewrite(source: Path, out: Path, shards) -> Path:
    """Copy a store, and write some of its shards anew: {number: (rows, layers, width)}."""
    convert(source, out, overwrite=True)
    for number, vectors in shards.items():
        if out.suffix == ".zarr":
            ZarrWriter(out).write(number * SHARD, vectors)
        else:
            with h5py.File(out, "r+") as file:
                start = number * SHARD
                file["vectors"][start : start + len(vectors)] = vectors
    return out


def assert_damaged(path: Path, shards: set[int], reads: Callable[[Path], object]) -> None:
    told = verify(path).faults
    assert len(told) == len(shards)
    for number, fault in zip(sorted(shards), told, strict=True):
        last = min((number + 1) * SHARD, ROWS) - 1
        said = f"rows {number * SHARD} to {last} are not those whose hash the header holds"
        assert said in fault
        assert "\n" not in fault
    with pytest.raises(StoreError, match="not those whose hash the header holds"):
        reads(path)


def test_the_hashes_are_those_that_are_documented(built, held):
    for name in ("s.zarr", "s.h5"):
        with open_store(built / name) as store:
            hashes = [hashlib.sha256(block.astype("<f4").tobytes()) for block in held]
            assert store.attributes["shards_sha256"] == [sha.hexdigest() for sha in hashes]
        assert verify(built / name).notes == ()


@pytest.fixture(scope="module")
def shuffled(built, tmp_path_factory):
    """Copies whose shards are given another order, again and again."""
    folder = tmp_path_factory.mktemp("shuffled")
    return [(name, folder / name) for name in ("s.zarr", "s.h5")]


@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(SHARDS)))
def test_no_order_of_shards_but_their_own(shuffled, built, held, order):
    full = [np.concatenate([block, block[:1]])[:SHARD] for block in held]  # of one size
    for name, out in shuffled:
        moved = {
            place: full[number][: len(held[place])]
            for place, number in enumerate(order)
            if place != number
        }
        rewrite(built / name, out, moved)
        if moved:
            assert_damaged(out, set(moved), lambda path: load_vectors([path]))
        else:
            assert verify(out).faults == ()


def test_files_of_shards_that_change_places(built, tmp_path):
    """As the bytes lie: no writer of ours takes part."""
    out = tmp_path / "s.zarr"
    convert(built / "s.zarr", out)
    chunks = out / "vectors/c"
    (chunks / "0").rename(chunks / "t")
    (chunks / "1").rename(chunks / "0")
    (chunks / "t").rename(chunks / "1")
    assert_damaged(out, {0, 1}, lambda path: convert(path, tmp_path / "t.h5"))
    out = tmp_path / "s.h5"
    convert(built / "s.h5", out)
    with h5py.File(out, "r+") as file:
        chunks = file["vectors"].id
        one, two = (chunks.read_direct_chunk((start, 1, 0)) for start in (0, SHARD))
        chunks.write_direct_chunk((0, 1, 0), two[1], two[0])
        chunks.write_direct_chunk((SHARD, 1, 0), one[1], one[0])
    assert_damaged(out, {0, 1}, lambda path: convert(path, tmp_path / "t.zarr"))
    assert not (tmp_path / "t.h5").exists()
    assert not (tmp_path / "t.zarr").exists()


def test_doubled_empty_foreign_and_exchanged_rows(rewritten, built, held, tmp_path):
    with open_store(built / "other.zarr") as store:
        foreign = store.vectors(slice(0, SHARD))
    cases = {
        "doubled": {2: held[1]},
        "zero": {1: np.zeros_like(held[1])},
        "of another store": {0: foreign},
        "rows exchanged": {3: held[3][::-1]},
        "layers exchanged": {2: held[2][:, ::-1]},
        "one number": {1: np.where(held[1] == held[1].max(), 0, held[1])},
    }
    for shards in cases.values():
        out = rewritten(shards)
        assert_damaged(out, set(shards), lambda path: merge([path, path], tmp_path / "t.zarr"))
        with open_store(out) as store:
            for number in set(range(SHARDS)) - set(shards):  # the others can be read
                store.vectors(slice(number * SHARD, (number + 1) * SHARD))


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_an_index_that_says_a_chunk_is_missing(built, tmp_path):
    """Zarr would answer with zeros, every checksum right."""
    out = tmp_path / "s.zarr"
    convert(built / "s.zarr", out)
    file = out / "vectors/c/1/0/0"
    data = bytearray(file.read_bytes())
    index = len(data) - 4 - 16 * 2  # two layers
    assert struct.unpack("<I", data[-4:])[0] == crc32c(data[index:-4])
    data[index : index + 16] = b"\xff" * 16
    data[-4:] = struct.pack("<I", crc32c(data[index:-4]))
    file.write_bytes(data)
    (fault,) = verify(out).faults
    assert "rows 3 to 5 cannot be read (its index does not lead to one chunk a layer)" in fault
    with pytest.raises(StoreError, match="does not lead to one chunk"):
        load_vectors([out])
    with open_store(out) as store, pytest.raises(StoreError, match="does not lead to one chunk"):
        store.vectors([3], ["x1"])  # of one layer there is no hash


def test_what_fletcher_32_does_not_see(tmp_path):
    """It is a sum modulo 65535: there 0x0000 is 0xffff."""
    rows = made.clips("abcdefgh")
    with made.started(tmp_path / "s.h5", rows) as (job, _):
        for shard in job.pending:
            whole = {row: np.full((2, 3), row + 1, np.float32) for row in shard.encode}
            job.writer.write(shard, whole)
        job.commit()
    data = bytearray((tmp_path / "s.h5").read_bytes())
    place = data.index(np.full(3, 2, "<f4").tobytes())
    data[place : place + 2] = b"\xff\xff"  # 2.0 becomes 2.0156248
    (tmp_path / "s.h5").write_bytes(data)
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["vectors"][1, 0, 0] == np.float32(2.0156248)
    assert any("rows 0 to 3 are not those" in fault for fault in verify(tmp_path / "s.h5").faults)


def test_adding_keeps_the_hashes_of_shards_that_stay(tmp_path):
    rows = made.clips("abcdef")
    more = [*rows, *made.clips("gh")]
    for name in ("s.zarr", "s.h5"):
        out = made.make(tmp_path / name, rows)
        before = open_store(out).header.shards_sha256
        made.make(out, more[len(rows) :])
        with open_store(out) as store:
            assert store.header.shards_sha256[0] == before[0]
            assert store.header.shards_sha256[1] != before[1]
        assert verify(out).faults == ()


def test_a_damaged_table_is_not_added_to_nor_merged(tmp_path):
    """It would become sound: its hash is made anew."""
    out = made.make(tmp_path / "s.zarr", made.clips("abcd", speaker="one", gender="two"))
    file, other = out / "clips/speaker/c/0", out / "clips/gender/c/0"
    one, two = file.read_bytes(), other.read_bytes()
    file.write_bytes(two)
    other.write_bytes(one)
    made.make(tmp_path / "t.zarr", made.clips("xy"))
    for call in (
        lambda: made.make(out, made.clips("ef")),
        lambda: merge([tmp_path / "t.zarr", out], tmp_path / "u.zarr"),
        lambda: convert(out, tmp_path / "u.zarr"),
        lambda: load_vectors([out]),
    ):
        with pytest.raises(StoreError, match="tables are not those whose hash the header holds"):
            call()
    assert not (tmp_path / "u.zarr").exists()


def test_float16_is_hashed_as_it_is_stored(tmp_path):
    made.make(tmp_path / "s.zarr", made.clips("abcdef"), dtype="float16")
    convert(tmp_path / "s.zarr", tmp_path / "s.h5")
    for name in ("s.zarr", "s.h5"):
        assert verify(tmp_path / name).faults == ()
        with open_store(tmp_path / name) as store:
            first = store.vectors(slice(0, 4)).astype("<f2").tobytes()
            assert store.header.shards_sha256[0] == hashlib.sha256(first).hexdigest()


def test_thousands_of_shards(tmp_path):
    """The header is then beyond 64 KiB, where HDF5 keeps attributes in another way."""
    for name in "ab":
        names = (f"{name}{number:03}" for number in range(500))
        made.make(tmp_path / f"{name}.zarr", made.clips(names), shard_clips=500)
    merge([tmp_path / "a.zarr", tmp_path / "b.zarr"], tmp_path / "c.h5", shard_clips=1)
    with open_store(tmp_path / "c.h5") as store:
        assert len(set(store.header.shards_sha256)) == 1000
        assert len(json.dumps(store.attributes)) > 2**16
    assert verify(tmp_path / "c.h5").faults == ()
    data = bytearray((tmp_path / "c.h5").read_bytes())
    place = data.index(store.header.shards_sha256[600].encode())
    data[place : place + 2] = b"zz"
    (tmp_path / "c.h5").write_bytes(data)
    with pytest.raises(StoreError, match="header is damaged"):
        open_store(tmp_path / "c.h5")


@pytest.mark.parametrize(
    "hashes", [[], ["0" * 64] * 5, ["0" * 63] * 4, ["G" * 64] * 4, [7] * 4, 4, None, "0" * 256]
)
def test_hashes_that_cannot_be(built, hashes):
    from gensr.features.store.schema import HASH, Header, sha256_of

    with open_store(built / "s.zarr") as store:
        header = {**store.attributes, "shards_sha256": hashes}
    del header[HASH]
    with pytest.raises(StoreError, match="header is damaged") as told:
        Header.from_json({**header, HASH: sha256_of(header)}, "s.zarr")
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_zeros_are_vectors_like_any_other(tmp_path, dtype):
    """A layer of zeros, or all layers, in whole shards, in the last one, in half of one."""
    rows = made.clips("abcdefghij")
    for name in ("s.zarr", "s.h5"):
        with made.started(tmp_path / name, rows, dtype=dtype) as (job, _):
            for shard in job.pending:
                encoded = {row: np.zeros((2, 3), np.float32) for row in shard.encode}
                if shard.index == 1:
                    for row in encoded:
                        encoded[row][1] = row
                job.writer.write(shard, encoded)
            job.commit()
        assert verify(tmp_path / name).faults == ()
        with open_store(tmp_path / name) as store:
            assert np.flatnonzero(store.vectors().any(axis=(1, 2))).tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_what_is_added_to_is_compared_where_some_rows_of_a_shard_stay(tmp_path, name):
    """A file changed, so its shard is written anew: its other rows are not taken on trust."""
    rows = made.clips("abcdef")
    made.make(tmp_path / "before.zarr", rows, shard_clips=SHARD)
    with open_store(tmp_path / "before.zarr") as store:
        first, second = (block for _, block in store.blocks())
    out = rewrite(tmp_path / "before.zarr", tmp_path / name, {0: second, 1: first})
    rows[0] = made.clip("a.wav", audio="another")
    columns = made.table(rows)
    with open_job(out, overwrite=False) as job:
        plan = made.plan(rows, shard_clips=SHARD)
        plan = replace(plan, shards=plan_shards(columns, job.base.table, SHARD))
        job = job.start(plan)
        shard = job.pending[0]
        assert (shard.encode, shard.base) == ((0,), {1: 1, 2: 2})
        with pytest.raises(StoreError, match="rows 0 to 2 are not those whose hash the header"):
            job.writer.write(shard, made.encoded(rows, shard))
