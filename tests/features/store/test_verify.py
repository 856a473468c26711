"""Damage anywhere in a store is told, all of it; what is not told, changes nothing."""

import hashlib
import json
import random
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr

from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.verify import verify
from support import synthetic as made

TOLD = {"clips": 4, "batches": 2, "error": 1e-7, "bound": 1e-5, "layer": "x1"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """One store in both containers; tests take copies."""
    folder = tmp_path_factory.mktemp("built")
    rows = made.clips("abcdefghij", speaker="grün", mood="")
    for name in ("s.zarr", "s.h5"):
        failed = [("x.wav", "empty"), ("y.wav", "silent")]
        made.make(folder / name, rows, failed=failed, verification=TOLD)
    return folder


@pytest.fixture
def copy(built, tmp_path):
    def copy(name):
        target = tmp_path / name
        if target.is_dir():
            shutil.rmtree(target)
        return Path(
            (shutil.copytree if name.endswith(".zarr") else shutil.copy)(built / name, target)
        )

    return copy


def damage(path):
    """All that is told of a store: lines, or the reason why it cannot be opened."""
    try:
        told = verify(path).faults
    except StoreError as error:
        told = (str(error),)
    assert not any("\n" in fault for fault in told)
    return told


def content(path):
    """All that a reader can get out of a store."""
    with open_store(path) as store:
        tables = [
            {name: values.tolist() for name, values in table.items()}
            for table in (store.table, store.failed)
        ]
        return store.attributes, tables, store.vectors().tobytes()


def seal(header):
    """Return a header with the hash that belongs to it: an edit, not a flipped bit."""
    rest = {key: value for key, value in header.items() if key != "header_sha256"}
    found = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return {**rest, "header_sha256": found}


def edit(path, **changes):
    if path.suffix == ".zarr":
        attributes = zarr.open_group(path, mode="r+").attrs
        attributes["gensr"] = seal({**attributes["gensr"], **changes})
        return
    with h5py.File(path, "r+") as file:
        file.attrs["gensr"] = json.dumps(seal({**json.loads(file.attrs["gensr"]), **changes}))


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_a_sound_store_is_counted(built, name):
    told = []
    found = verify(built / name, advance=told.append)
    assert found.faults == ()
    assert (found.clips, found.shards, found.columns, found.heard) == (10, 3, 17, 0)
    assert told == [4, 4, 2]


@pytest.mark.parametrize("column", ["..", "", "a/b", "zarr.json", 7, ["path"]])
@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_a_header_with_a_column_that_cannot_be(copy, name, column):
    out = copy(name)
    with open_store(out) as store:
        columns = [*store.header.columns, column]
    edit(out, columns=columns)
    with pytest.raises(StoreError, match=r"the store's header is damaged \(.*column") as told:
        verify(out)
    assert "\n" not in str(told.value)


def flips(size, count, seed):
    """Yield places and bits to flip: every place of a small file, else a random choice."""
    rng = random.Random(seed)
    places = range(size) if size <= count else rng.sample(range(size), count)
    for place in places:
        yield place, 1 << rng.randrange(8)


def flipped(file, whole, place, bit):
    file.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])


@pytest.mark.parametrize("count", [12, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "file",
    [
        "vectors/c/0/0/0",
        "vectors/c/2/0/0",  # half of it is padding
        "clips/path/c/0",
        "clips/seconds/c/0",
        "clips/mood/c/0",
        "failed/reason/c/0",
        "zarr.json",
        "vectors/zarr.json",
        "clips/zarr.json",
        "clips/path/zarr.json",
        "clips/row/zarr.json",
        "failed/zarr.json",
        "failed/path/zarr.json",
    ],
)
def test_a_flipped_bit_in_a_zarr_store(copy, file, count):
    out = copy("s.zarr")
    target = out / file
    whole = target.read_bytes()
    for place, bit in flips(len(whole), count, seed=len(file)):
        flipped(target, whole, place, bit)
        if not damage(out):  # JSON that says the same otherwise: one white space for another
            assert target.name == "zarr.json", (place, bit)
            assert json.loads(target.read_bytes()) == json.loads(whole), (place, bit)


@pytest.mark.parametrize("ways", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_every_file_of_a_zarr_store_counts(copy, ways):
    """Emptied, cut in half, a byte short, or gone: one of them each, or all."""
    out = copy("s.zarr")
    for number, file in enumerate([path for path in out.rglob("*") if path.is_file()]):
        whole = file.read_bytes()
        for way in range(number, number + ways):
            left = (b"", whole[: len(whole) // 2], whole[:-1], None)[way % 4]
            if left is None:
                file.unlink()
            else:
                file.write_bytes(left)
            assert damage(out), (file, way % 4)
            file.write_bytes(whole)
    assert damage(out) == ()


@pytest.mark.parametrize("count", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_a_flipped_bit_in_an_hdf5_store(copy, count):
    """What is not found is padding: all that can be read is as before."""
    out = copy("s.h5")
    whole, before = out.read_bytes(), content(out)
    unseen = 0
    for place, bit in flips(len(whole), count, seed=5):
        flipped(out, whole, place, bit)
        if not damage(out):
            unseen += 1
            assert content(out) == before, (place, bit)
    assert unseen < count


def test_content_of_an_hdf5_store_is_covered_bit_by_bit(copy, built):
    """Each kind of content, sought by its bytes."""
    out = copy("s.h5")
    whole = out.read_bytes()
    with open_store(built / "s.h5") as store:
        vector = store.vectors([5])[0, 1].tobytes()
        audio = store.table["audio_sha256"][3].encode()
        header = b'"encoder": {"name": "made"}'
    numbers = np.arange(10, dtype="<i8").tobytes()
    for content in (vector, audio, header, "grün".encode(), numbers, b"silent"):
        start = whole.index(content)
        for place in range(start, start + len(content), max(1, len(content) // 8)):
            flipped(out, whole, place, 1 << place % 8)
            assert damage(out), (content, place - start)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_hdf5_store(copy, part):
    out = copy("s.h5")
    whole = out.read_bytes()
    out.write_bytes(whole[: int(len(whole) * part)])
    assert damage(out)


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clips": 9}, "not laid out as the header says"),
        ({"failed": 1}, "2 rows, the header says 1"),
        ({"audios": 9}, "10 distinct recordings, the header says 9"),
        ({"shard_clips": 5}, "header is damaged (3 hashes of 2 shards)"),
        ({"dtype": "float16"}, "not laid out as the header says"),
        ({"layers": ["x1"]}, "not laid out as the header says"),
        ({"table_sha256": "0" * 64}, "tables are not those"),
    ],
)
def test_a_header_that_says_otherwise(copy, name, changes, said):
    """Even where somebody has given the edited header its hash."""
    out = copy(name)
    edit(out, **changes)
    assert any(said in fault for fault in damage(out))


def test_all_damage_is_told(copy):
    out = copy("s.zarr")
    (out / "vectors/c/0/0/0").unlink()
    file = out / "vectors/c/2/0/0"
    flipped(file, file.read_bytes(), 5, 1)
    (out / "clips/speaker/c/0").write_bytes(b"")
    told = verify(out).faults
    assert len(told) == 3
    assert "shard 0 is missing" in told[0]
    assert "rows 8 to 9 cannot be read" in told[1]
    assert "column clips/speaker cannot be read" in told[2]


def test_values_that_are_no_numbers(tmp_path):
    rows = made.clips("abcdef")
    out = tmp_path / "s.zarr"
    with made.started(out, rows) as (job, _):
        for shard in job.pending:
            found = made.encoded(rows, shard)
            for row in {1, 5} & found.keys():
                found[row][0, 2] = np.nan if row == 1 else np.inf
            job.writer.write(shard, found)
        job.commit()
    told = verify(out).faults
    assert [fault.split(": ")[1] for fault in told] == [
        "row 1 holds values that are no numbers",
        "row 5 holds values that are no numbers",
    ]


def test_tables_that_were_written_wrong(tmp_path):
    out = made.make(tmp_path / "s.zarr", [*made.clips("ab"), made.clip("a.wav", audio="other")])
    assert any("1 rows have the path of another" in fault for fault in verify(out).faults)


def test_audio_that_changed_or_is_gone(run, corpus, out):
    run(out)
    told = []
    found = verify(out, audio=corpus, advance=told.append)
    assert (found.faults, found.heard, sum(told)) == ((), 20, 40)
    (corpus / "sad/002.wav").write_bytes(b"other")
    (corpus / "happy/001.wav").unlink()
    (corpus / "angry/000.wav").unlink()
    (corpus / "angry/000.wav").mkdir()
    told = verify(out, audio=corpus).faults
    assert [fault.split(" under")[0].split(" since")[0] for fault in told] == [
        "angry/000.wav is missing",
        "happy/001.wav is missing",
        "sad/002.wav has changed",
    ]


def test_ctrl_c_does_not_wait_for_files_half_hashed(tmp_path, monkeypatch):
    out, left = made.make(tmp_path / "s.zarr", made.clips("ab")), []

    def hash_file(path, stopped):
        if path.name == "a.wav":
            raise KeyboardInterrupt
        until = time.monotonic() + 30
        while not stopped() and time.monotonic() < until:
            time.sleep(0.01)
        left.append(stopped())
        return ""

    monkeypatch.setattr("gensr.features.store.verify.hash_file", hash_file)
    with pytest.raises(KeyboardInterrupt):
        verify(out, audio=tmp_path)
    assert all(left)


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        verify(tmp_path / "s.zarr")
    with (
        made.started(tmp_path / "s.zarr", made.clips("ab")),
        pytest.raises(StoreError, match="not finished"),
    ):
        verify(tmp_path / "s.zarr")
