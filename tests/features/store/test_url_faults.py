"""Stores at URLs that do not answer, or answer with what is not theirs: one line."""

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.features.store.verify import verify
from support import synthetic as made
from support.trees import tree

pytestmark = pytest.mark.usefixtures("memory")


class DriverError(Exception):
    """What a driver raises of its own, as botocore does."""


def test_damage_is_told(rows, memory):
    url = "memory://s.zarr"
    made.make(url, rows)
    files = MemoryFileSystem()
    files.rm("/s.zarr/vectors/c/0/0/0")
    files.pipe_file("/s.zarr/vectors/c/1/0/0", memory()["/s.zarr/vectors/c/1/0/0"][:-1])
    files.rm("/s.zarr/clips/emotion/c/0")
    told = verify(url).faults
    assert any("shard 0 is missing" in line for line in told)
    assert any("shard 1 has" in line for line in told)
    assert any("clips/emotion has lost its data" in line for line in told)


@pytest.mark.parametrize("how", ["exchanged", "doubled", "flipped"])
def test_vectors_are_bound_to_their_rows_there_too(rows, memory, tmp_path, how):
    url = "memory://s.zarr"
    made.make(url, rows)
    names = [f"/s.zarr/vectors/c/{shard}/0/0" for shard in (0, 1)]
    first, second = (memory()[name] for name in names)
    files = MemoryFileSystem()
    files.pipe_file(names[0], first[:5] + b"!" + first[6:] if how == "flipped" else second)
    if how == "exchanged":
        files.pipe_file(names[1], first)
    before = memory()
    assert any("rows 0 to 3" in line for line in verify(url).faults)
    for attempt in (
        lambda: convert(url, tmp_path / "t.zarr"),
        lambda: convert(url, "memory://t.h5"),
        lambda: merge([url, url], "memory://m.h5"),
        lambda: open_store(url).vectors(),
    ):
        with pytest.raises(StoreError, match="rows 0 to 3") as told:
            attempt()
        assert "\n" not in str(told.value)
    assert memory() == before
    assert not (tmp_path / "t.zarr").exists()


@pytest.mark.parametrize("torn", [b"", bytes(100), b'{"attr'])
def test_a_header_that_says_nothing_is_no_store(rows, url, torn):
    """Objects are put whole, so no kill leaves one: what is there is left alone, in one line."""
    made.make(url, rows)
    root = "/" + url.removeprefix("memory://")
    header = f"{root}/zarr.json" if url.endswith(".zarr") else root
    MemoryFileSystem().pipe_file(header, torn)
    for attempt in (
        lambda: open_store(url),
        lambda: verify(url),
        lambda: made.make(url, rows),
        lambda: made.make(url, rows, overwrite=True),
    ):
        with pytest.raises(StoreError, match="is not a gensr store") as told:
            attempt()
        assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DriverError("cannot connect to http://me:secret@host/b"), "connect to http://host/b;"),
        (PermissionError("Forbidden"), "Forbidden"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_a_url_that_does_not_answer_is_one_line(rows, url, memory, monkeypatch, error, said):
    """It is never taken for an absent store, nor for a damaged one."""
    made.make(url, rows)
    before = memory()

    class Refusing(dict):
        def refuse(self, *_):
            raise error

        __getitem__ = __contains__ = __iter__ = refuse

    opened = open_store(url)
    calls = [lambda: open_store(url), lambda: made.make(url, rows), lambda: verify(url)]
    if url.endswith(".zarr"):
        calls += [opened.vectors, lambda: opened.table, lambda: list(opened.layout_faults())]
    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "store", Refusing())
        for call in calls:
            with pytest.raises(StoreError, match=f"{url} cannot be reached: .*{said}") as told:
                call()
            assert "secret" not in str(told.value)
    assert memory() == before


def test_a_put_that_is_refused_is_one_line(rows, url, monkeypatch, out, at):
    expected = tree(made.make(out, rows))
    with made.started(url, rows) as (job, _):
        first, second, _ = job.pending
        job.writer.write(first, made.encoded(rows, first))

        def refuse(*_, **__):
            raise DriverError("SlowDown")

        with monkeypatch.context() as patch:
            patch.setattr(MemoryFileSystem, "pipe_file", refuse)
            with pytest.raises(StoreError, match="cannot be written or read: SlowDown; what was"):
                job.writer.write(second, made.encoded(rows, second))
    with made.started(url, rows) as (job, _):
        assert [shard.index for shard in job.finished] == [0]
    made.make(url, rows)
    assert at() == expected


def test_our_own_mistakes_are_not_the_url_s(rows, url, monkeypatch):
    def wrong(*_, **__):
        raise AttributeError("a mistake")

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", wrong)
    with pytest.raises(AttributeError, match="a mistake"):
        made.make(url, rows)
