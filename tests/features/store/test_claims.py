"""What a header claims costs no memory before the files bear it out."""

import json
import os
import tracemalloc

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from gensr.features.store import (
    files,
    lazy,  # noqa: F401  imported before memory is counted
    open_store,
)
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.features.store.rows import by_shard, row_numbers
from gensr.features.store.verify import verify
from support import hostile
from support import synthetic as made

CLAIMED = 2**27
_LITTLE = 2**25
"""Bytes; the numbers of the rows that are claimed would be 2^30."""


@pytest.fixture
def claiming(tmp_path):
    """claiming(name, arrays, **header) -> a store whose header, and arrays if so, claim rows."""

    def claiming(name, *, arrays, **changes):
        out = made.make(tmp_path / name, made.clips("abcdefghij"))
        changes = {"version": 1, "clips": CLAIMED} | changes

        def change(header):
            del header["shards_sha256"]
            return hostile.seal(header | changes)

        if name == "s.h5":
            with h5py.File(out, "r+") as file:
                header = change(json.loads(file.attrs["gensr"]))
                file.attrs["gensr"] = json.dumps(header)
                if arrays:
                    file["vectors"].resize(CLAIMED, axis=0)
            return out
        attributes = zarr.open_group(out, mode="r+").attrs
        attributes["gensr"] = change(dict(attributes["gensr"]))
        if arrays:
            hostile.array(out, "vectors", keep=True, shape=lambda old: [CLAIMED, *old[1:]])
            for column in attributes["gensr"]["columns"]:
                grid = hostile.grid(CLAIMED)
                how = {"shape": lambda _: [CLAIMED], "chunk_grid": grid}
                hostile.array(out, f"clips/{column}", keep=True, **how)
        return out

    return claiming


def one_line(attempt):
    """The attempt is refused in one line, and took little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(StoreError) as told:
            attempt()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "\n" not in str(told.value)
    assert peak < _LITTLE, f"{peak:,}"


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_rows_that_are_claimed(claiming, tmp_path, name, arrays):
    out = claiming(name, arrays=arrays)
    with open_store(out) as store:
        few = [slice(5, None), slice(None, None, -1)] if arrays else []
        for attempt in (
            store.vectors,
            lambda: store.vectors(layers=["x1"]),
            *(lambda rows=rows: store.vectors(rows) for rows in (slice(None, -5), *few)),
            lambda: store.whole_shards(None),
            lambda: store.numbers(None),
            lambda: list(store.blocks()),
            store.mean_std,
            lambda: store.mean_std(slice(None)),
            store.lazy,
            store.fingerprint,
        ):
            one_line(attempt)
    for target in ("t.zarr", "t.h5"):
        one_line(lambda target=target: convert(out, tmp_path / target))
        one_line(lambda target=target: merge([out, out], tmp_path / target))
    assert 0 < len(verify(out).faults) < 50


def hole(path, size):
    """Make a file a hole of so many bytes."""
    path.write_bytes(b"")
    os.truncate(path, size)
    if files.held(path) == size:
        pytest.skip("the file system has no holes")


def test_columns_that_are_holes(claiming):
    """Numbers, paths and hashes are no zeros; labels may be, and count by their size."""
    out = claiming("s.zarr", arrays=True, clips=CLAIMED)
    for column in ("row", "seconds", "path", "audio_sha256"):
        hole(out / f"clips/{column}/c/0", 8 * CLAIMED)
    with open_store(out) as store:
        for attempt in (
            store.mean_std,
            lambda: store.numbers(None),
            lambda: store.column("seconds"),
            lambda: store.column("path"),
        ):
            one_line(attempt)
    assert 0 < len(verify(out).faults) < 50


def test_a_shard_that_is_a_hole(tmp_path):
    """What fills the last shard up may be one, but not of gigabytes: a reader holds a shard."""
    out = made.make(tmp_path / "s.zarr", made.clips("abc"), shard_clips=4)
    rows = 2**31
    attributes = zarr.open_group(out, mode="r+").attrs
    attributes["gensr"] = hostile.seal(dict(attributes["gensr"]) | {"shard_clips": rows})
    file = out / "vectors/zarr.json"
    found = json.loads(file.read_bytes())
    found["chunk_grid"]["configuration"]["chunk_shape"][0] = rows
    found["codecs"][0]["configuration"]["chunk_shape"][0] = rows
    file.write_text(json.dumps(found))
    chunk = rows * made.WIDTH * 4 + 4
    layers = len(made.LAYERS)
    shard = out / "vectors/c/0/0/0"
    hole(shard, layers * chunk + 16 * layers + 4)
    index = np.array([[layer * chunk, chunk] for layer in range(layers)], "<u8").tobytes()
    with shard.open("r+b") as opened:
        opened.seek(layers * chunk)
        opened.write(index + _crc32c(index))
    with open_store(out) as store:
        one_line(store.vectors)
    assert any("the rest is a hole" in fault for fault in verify(out).faults)


def _crc32c(data):
    import google_crc32c

    return google_crc32c.value(data).to_bytes(4, "little")


LENGTH = 23
SLICES = st.slices(LENGTH)
NUMBERS = st.lists(st.integers(-LENGTH, LENGTH - 1), max_size=30)
MASKS = st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH)


@settings(max_examples=200, deadline=None)
@given(rows=st.none() | SLICES | NUMBERS | MASKS, size=st.integers(1, LENGTH + 2))
def test_rows_are_those_that_numpy_would_take(rows, size):
    every = np.arange(LENGTH)
    chosen = slice(None) if rows is None else rows
    index = chosen if isinstance(chosen, slice) or chosen else np.zeros(0, int)
    expected = every[index]
    found = row_numbers(rows, LENGTH)
    np.testing.assert_array_equal(np.array(found, int), expected)
    result = np.full(len(found), -1)
    for where, wanted in by_shard(found, size):
        assert len(set((wanted // size).tolist())) == 1
        result[where] = wanted
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("rows", [[5], [-6], [0, 7], [True], [True] * 6, [1.0], ["a"]])
def test_rows_that_are_none(rows):
    with pytest.raises(IndexError):
        row_numbers(rows, 5)
