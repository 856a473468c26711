"""Shards are looked at and written in threads: the order and the errors are those of a loop."""

import threading
import time

import numpy as np
import pytest

from gensr.features.store import ahead, open_store
from gensr.features.store.ahead import Behind, looked_at
from gensr.features.store.convert import convert
from gensr.features.store.verify import verify
from support import synthetic as made


@pytest.mark.parametrize("forward", [True, False])
def test_order_and_errors_are_those_of_a_loop(forward):
    def fetch(item):
        if item == 3:
            raise ValueError("not fetched")
        return 10 * item

    def look(item, found):
        time.sleep(0.01 * (5 - item))
        if item == 1:
            raise ValueError("not liked")
        return found + 1

    told = []
    for item, answer in looked_at(range(5), fetch, look, ahead=forward):
        try:
            told.append((item, *answer()))
        except ValueError as error:
            told.append((item, str(error)))
    assert told == [(0, 0, 1), (1, "not liked"), (2, 20, 21), (3, "not fetched"), (4, 40, 41)]


def test_the_next_is_fetched_while_one_is_looked_at():
    fetched = threading.Event()

    def fetch(item):
        if item == 1:
            fetched.set()
        return item

    def look(item, found):
        return item or fetched.wait(10)  # the first one waits for the second

    answers = [answer() for _, answer in looked_at(range(2), fetch, look, ahead=True)]
    assert answers == [(0, True), (1, 1)]


@pytest.mark.parametrize("forward", [True, False])
def test_what_failed_behind_is_raised_before_what_failed_later(forward):
    done = []

    def write(item):
        time.sleep(0.01)
        if item == 2:
            raise OSError("full")
        done.append(item)

    def go():
        with Behind(write, ahead=forward) as writing:
            for item in range(4):
                writing(item)
                if item == 2:
                    raise ValueError("damaged")

    with pytest.raises(OSError, match="full"):
        go()
    assert done == [0, 1]


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_every_fault_is_told_whatever_is_done_at_once(tmp_path, name, monkeypatch):
    out = made.make(tmp_path / name, made.clips("abcdefghij"))
    for row, value in ((1, 7.0), (9, np.inf)):
        if name == "s.zarr":
            import zarr

            zarr.open_group(out, mode="r+")["vectors"][row, 0, 0] = value
        else:
            import h5py

            with h5py.File(out, "r+") as file:
                file["vectors"][row, 0, 0] = value
    threaded = verify(out).faults
    assert [fault.split(": ")[1][:11] for fault in threaded] == ["rows 0 to 3", "rows 8 to 9"]
    monkeypatch.setattr(ahead, "_LARGE", 0)
    assert verify(out).faults == threaded


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_large_shards_are_taken_one_by_one_and_are_the_same(tmp_path, name, monkeypatch):
    out = made.make(tmp_path / "a.zarr", made.clips("abcdefghij"))
    threads = []
    for large in (None, 0):
        if large is not None:
            monkeypatch.setattr(ahead, "_LARGE", large)
        convert(out, tmp_path / f"{large}-{name}")
        with open_store(tmp_path / f"{large}-{name}") as store:
            threads.append((store.attributes, store.vectors().tobytes()))
    assert threads[0] == threads[1]


@pytest.mark.parametrize("values", [[np.inf], [-np.inf], [np.nan], [np.inf, -np.inf], [3e38, 3e38]])
def test_numbers_that_are_none_are_found_by_their_row(tmp_path, values):
    """A sum that overflows is looked at more closely: large numbers are numbers."""
    rows = made.clips("abcdefgh")
    with made.started(tmp_path / "s.zarr", rows) as (job, _):
        for shard in job.pending:
            encoded = made.encoded(rows, shard)
            for row in encoded:
                if row >= 6:
                    encoded[row][0, : len(values)] = values
            job.writer.write(shard, encoded)
        job.commit()
    told = [fault.split(": ")[1] for fault in verify(tmp_path / "s.zarr").faults]
    wanted = [f"row {row} holds values that are no numbers" for row in (6, 7)]
    assert told == (wanted if not np.isfinite(values).all() else [])
