"""Stores at URLs, which several machines may write to: one of them wins, nothing finished goes."""

import json
import pickle

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from support import synthetic as made
from support.trees import tree

pytestmark = pytest.mark.usefixtures("memory")


def test_what_is_finished_stays_as_it_is(rows, url, memory):
    """Adding and replacing are refused in one line, before anything is changed."""
    made.make(url, rows)
    made.make("memory://other.zarr", rows[:5])
    before = memory()
    for call in (
        lambda: made.make(url, made.clips("kl")),
        lambda: made.make(url, rows, overwrite=True),
        lambda: convert("memory://other.zarr", url, overwrite=True),
    ):
        with pytest.raises(StoreError, match=r"neither added to nor replaced: extract.*merge"):
            call()
    with pytest.raises(StoreError, match="exists: pass --overwrite"):
        convert("memory://other.zarr", url)
    with pytest.raises(StoreError, match="same store"):
        convert(url, url)
    assert memory() == before


def test_relabelled_at_a_url_is_refused_too(run, url, corpus, memory):
    run(url)
    before = memory()
    (corpus / "sad").rename(corpus / "calm")
    with pytest.raises(StoreError, match="neither added to nor replaced"):
        run(url)
    assert memory() == before


def test_other_settings_need_a_fresh_beginning(rows, url, out, at):
    with made.started(url, rows) as (job, _):
        job.writer.write(job.pending[0], made.encoded(rows, job.pending[0]))
        old = pickle.loads(pickle.dumps(job.writer)), job.pending[1]
    with pytest.raises(StoreError, match="half done with other settings"):
        made.make(url, rows, encoder="another")
    expected = tree(made.make(out, rows, encoder="another"))
    with made.started(url, rows, encoder="another", overwrite=True) as (job, _):
        with pytest.raises(StoreError, match="was begun anew; nothing was written"):
            old[0].write(old[1], made.encoded(rows, old[1]))
        for shard in job.pending:
            job.writer.write(shard, made.encoded(rows, shard))
        job.commit()
    with pytest.raises(StoreError, match="has ended; nothing was written"):
        old[0].write(old[1], made.encoded(rows, old[1]))
    assert at() == expected


def test_one_machine_at_a_time(rows, url, monkeypatch, tmp_path, out, at):
    """Here the lock holds; on another machine, whose locks are elsewhere, the plan does."""
    with made.started(url, rows) as (job, _):
        with pytest.raises(StoreError, match="is being written by another process"):
            made.make(url, rows)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
        with pytest.raises(StoreError, match="half done for other clips"):
            made.make(url, rows[:7])
        for shard in job.pending:
            job.writer.write(shard, made.encoded(rows, shard))
        made.make(url, rows)  # the same plan writes the same
        with pytest.raises(StoreError, match="has ended; nothing was written"):
            job.commit()
    assert at() == tree(made.make(out, rows))


def test_a_plan_that_loses_the_race_commits_nothing(rows, url, memory):
    with made.started(url, rows) as (job, _):
        for shard in job.pending:
            job.writer.write(shard, made.encoded(rows, shard))
        name = next(name for name in memory() if name.endswith("plan.json"))
        theirs = json.loads(memory()[name]) | {"id": "of another machine"}
        MemoryFileSystem().pipe_file(name, json.dumps(theirs).encode())
        with pytest.raises(StoreError, match="was begun anew; nothing was written"):
            job.commit()
    with pytest.raises(StoreError, match="is not finished"):
        open_store(url)


def test_a_lock_needs_no_cache(rows, url, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made.make(url, rows)
    assert list(tmp_path.glob("gensr-locks-*/*.lock"))


def test_nothing_but_a_store_is_touched(run, url, memory):
    MemoryFileSystem().pipe_file(url.removeprefix("memory:/") + "/notes.txt", b"mine")
    before = memory()
    with pytest.raises(StoreError, match=r"not a gensr store.*Nothing is replaced"):
        run(url, overwrite=True)
    assert memory() == before
