"""Any damage, anywhere in a store: told by `verify`, or all that can be read is as before.

Bytes are flipped, exchanged, doubled, cleared and cut off; files of a Zarr store change places,
go, or take each other's content.
"""

import random
import shutil
from pathlib import Path

import pytest

from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.verify import verify
from support import synthetic as made

FEW, MANY = 30, 500
AMOUNTS = [FEW, pytest.param(MANY, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A store in both containers: text of all kinds, numbers with many zeros, failed files."""
    folder = tmp_path_factory.mktemp("built")
    rows = made.clips("abcdefghij", speaker="grün", mood="")
    failed = [("x.wav", "empty"), ("y.wav", "silent")]
    for name in ("s.zarr", "s.h5"):
        with made.started(folder / name, rows, failed=failed, shard_clips=3) as (job, _):
            for shard in job.pending:
                encoded = made.encoded(rows, shard)
                job.writer.write(shard, {row: encoded[row].round() for row in encoded})
            job.commit()
    return folder


def flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def fill(data: bytearray, rng: random.Random) -> None:
    start, size = rng.randrange(len(data)), rng.choice((1, 2, 4, 8, 64, 512))
    part = data[start : start + size]
    data[start : start + size] = bytes([rng.choice((0, 0, 255))]) * len(part)


def exchange(data: bytearray, rng: random.Random) -> None:
    """Two parts that do not overlap change places; parts often begin at even places."""
    size = min(rng.choice((1, 2, 4, 8, 24, 64, 256)), len(data) // 2)
    step = rng.choice((1, 2, 4, 8))
    one, two = (rng.randrange(len(data) - size + 1) // step * step for _ in range(2))
    if abs(one - two) >= size:
        first, second = data[one : one + size], data[two : two + size]
        data[one : one + size], data[two : two + size] = second, first


def double(data: bytearray, rng: random.Random) -> None:
    size = min(rng.choice((2, 4, 8, 24, 64, 256)), len(data) // 2)
    one, two = (rng.randrange(len(data) - size + 1) // 4 * 4 for _ in range(2))
    data[two : two + size] = data[one : one + size]


def cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def grow(data: bytearray, rng: random.Random) -> None:
    data += rng.randbytes(rng.choice((1, 8, 100)))


BYTES = (flip, flip, flip, fill, fill, exchange, exchange, exchange, double, cut, grow)


def content(path: Path) -> object:
    """All that a reader can get out of a store; the reason where it cannot."""
    with open_store(path) as store:
        tables = [
            {name: values.tolist() for name, values in table.items()}
            for table in (store.table, store.failed)
        ]
        parts = [store.vectors(slice(row, row + 1)).tobytes() for row in range(len(store))]
        return store.attributes, tables, store.vectors().tobytes(), parts


def assert_told_or_same(path: Path, before: object, what: object) -> bool:
    """Whether the damage was told; nothing but a `StoreError` of one line comes out of either."""
    try:
        told = verify(path).faults
    except StoreError as error:
        told = (str(error),)
    refused, found = "", None
    try:
        found = content(path)
    except StoreError as error:
        refused = str(error)
    assert told or found == before, (what, refused)
    assert not any("\n" in line for line in (*told, refused)), what
    return bool(told)


@pytest.mark.parametrize("count", AMOUNTS)
def test_of_an_hdf5_store(built, tmp_path, count):
    whole, before = (built / "s.h5").read_bytes(), content(built / "s.h5")
    out, rng = tmp_path / "s.h5", random.Random(count)
    told = 0
    for number in range(count):
        data, how = bytearray(whole), rng.choice(BYTES)
        how(data, rng)
        out.write_bytes(data)
        told += assert_told_or_same(out, before, (number, how.__name__))
    assert told > count / 4


def files_changed(files: list[Path], rng: random.Random) -> dict[Path, bytes | None]:
    """Return what some files of a store hold now; None is a file that is gone."""
    one = rng.choice(files)
    alike = [file for file in files if file != one and file.name == one.name]
    two = rng.choice(alike)
    if rng.random() < 0.7:
        data = bytearray(one.read_bytes())
        rng.choice(BYTES)(data, rng)
        return {one: bytes(data)}
    changes: list[dict[Path, bytes | None]] = [
        {one: two.read_bytes(), two: one.read_bytes()},
        {one: two.read_bytes()},
        {one: None},
        {one: b""},
    ]
    return rng.choice(changes)


@pytest.mark.parametrize("count", AMOUNTS)
def test_of_a_zarr_store(built, tmp_path, count):
    before = content(built / "s.zarr")
    out = Path(shutil.copytree(built / "s.zarr", tmp_path / "s.zarr"))
    files = sorted(path for path in out.rglob("*") if path.is_file())
    # As often a shard's file, or the header's, as all the others.
    files += [file for file in files if "vectors" in file.parts or file.parent == out] * 3
    rng = random.Random(count)
    told = 0
    for number in range(count):
        changes = files_changed(files, rng)
        kept = {file: file.read_bytes() for file in changes}
        for file, data in changes.items():
            if data is None:
                file.unlink()
            else:
                file.write_bytes(data)
        what = number, [file.relative_to(out) for file in changes]
        told += assert_told_or_same(out, before, what)
        for file, data in kept.items():
            file.write_bytes(data)
    assert told > count / 2
    assert verify(out).faults == ()
