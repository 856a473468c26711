"""Markers of finished shards: asked for at once, read some at a time, and told where they fail."""

import threading
import time
from contextlib import contextmanager

import pytest

from gensr.features.store.errors import StoreError
from gensr.features.store.journal import Journal
from gensr.features.store.shard_writer import ShardWriter
from support import synthetic as made


class DriverError(Exception):
    """What a driver raises of its own, as botocore does."""


@pytest.fixture(params=["local", "url"])
def place(request, out, memory):
    if request.param == "local":
        return out
    return f"memory://a/{out.name}"


@pytest.fixture
def rows():
    return made.clips([f"{number:02}" for number in range(24)])


@pytest.fixture
def asked(monkeypatch):
    """Shards whose marker was read."""
    read, asked = Journal._marker, []

    def noting(self, shard):
        asked.append(shard)
        return read(self, shard)

    monkeypatch.setattr(Journal, "_marker", noting)
    return asked


@contextmanager
def half_done(place, rows, finished):
    """Finish some of the six shards, break off, and begin again."""
    with made.started(place, rows) as (job, _):
        for shard in job.pending[:finished]:
            job.writer.write(shard, made.encoded(rows, shard))
    with made.started(place, rows) as (job, _):
        yield job


def test_markers_that_are_not_there_are_not_asked_for(place, rows, asked):
    with made.started(place, rows) as (job, _):
        assert len(job.pending) == 6
        assert asked == []
        for shard in job.pending[:2]:
            job.writer.write(shard, made.encoded(rows, shard))
        with pytest.raises(StoreError, match="4 shards are not finished, the first of them 2;"):
            job.commit()
        assert sorted(asked) == [0, 1]
    asked.clear()
    with made.started(place, rows) as (job, _):
        assert [shard.index for shard in job.finished] == sorted(asked) == [0, 1]


def test_finished_shards_are_read_side_by_side(place, rows, monkeypatch):
    """Each reading waits for another: one after the other they would wait for ever."""
    read, meeting = ShardWriter.is_finished, threading.Barrier(2, timeout=20)

    def waiting(self, shard):
        meeting.wait()
        return read(self, shard)

    monkeypatch.setattr(ShardWriter, "is_finished", waiting)
    with half_done(place, rows, finished=4) as job:
        assert [shard.index for shard in job.finished] == [0, 1, 2, 3]
        assert [shard.index for shard in job.pending] == [4, 5]


def test_what_stops_a_reading_stops_the_call(place, rows, monkeypatch):
    """Ctrl-C, or an error, ends it before all of what is waiting was read."""
    read = []

    def stop(self, shard):
        read.append(shard.index)
        time.sleep(0.05)
        raise KeyboardInterrupt

    many = made.clips([f"{number:03}" for number in range(400)])
    with made.started(place, many) as (job, _):
        for shard in job.pending:
            job.writer.write(shard, made.encoded(many, shard))
    monkeypatch.setattr(ShardWriter, "is_finished", stop)
    with pytest.raises(KeyboardInterrupt), made.started(place, many):
        pass
    assert len(read) < 100


@pytest.mark.parametrize("asking", ["marked", "_marker"])
def test_a_commit_that_cannot_ask_is_one_line(place, rows, monkeypatch, asking):
    error = DriverError("SlowDown") if isinstance(place, str) else PermissionError(13, "SlowDown")
    with made.started(place, rows) as (job, _):
        for shard in job.pending:
            job.writer.write(shard, made.encoded(rows, shard))

        def refuse(*_):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(Journal, asking, refuse)
            with pytest.raises(StoreError, match="cannot be written or read: SlowDown; what was"):
                job.commit()
        job.commit()
