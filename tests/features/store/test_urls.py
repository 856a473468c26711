"""Stores at URLs: what a local store holds, object for object, killed and resumed or not."""

import itertools
import json
import pickle
from contextlib import suppress

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from gensr.estimator.errors import StoreError
from gensr.features.hearing.verdict import Verdict
from gensr.features.store import open_store, survey_log
from gensr.features.store.convert import convert
from gensr.features.store.job import open_job
from gensr.features.store.merge import merge
from gensr.features.store.verify import verify
from gensr.features.store.where import locate
from support import stub
from support import synthetic as made
from support.steps import At, Killed, Steps, every, killed, of, status_of
from support.trees import tree

HOW = {"sample_rate": 16_000}


class DriverError(Exception):
    """What a driver raises of its own, as botocore does."""


@pytest.fixture(autouse=True)
def memory(monkeypatch, tmp_path):
    """memory() -> {name: bytes} of all that is in memory://, empty at first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    return lambda: {name: file.getvalue() for name, file in MemoryFileSystem.store.items()}


@pytest.fixture
def url(out):
    return f"memory://some/where/{out.name}"


@pytest.fixture
def rows():
    return made.clips("abcdefghij", emotion="angry")


@pytest.fixture
def at(memory, url):
    """at() -> the bytes of the store at the URL, as `tree` gives those of a local one."""

    def at(place=url):
        root = "/" + place.removeprefix("memory://")
        found = {name: data for name, data in memory().items() if name.startswith(root)}
        return {name.removeprefix(root).lstrip("/"): data for name, data in found.items()}

    return at


def test_a_url_holds_what_a_local_store_holds(run, out, url, at, memory):
    local, remote = run(out), run(url)
    assert (remote.clips, remote.encoded, remote.shards) == (20, 20, local.shards)
    assert str(remote.out) == url
    assert at() == tree(out)  # and no work folder: its name begins with the store's
    with open_store(url) as one, open_store(out) as other:
        assert one.fingerprint() == other.fingerprint()
        np.testing.assert_array_equal(one.vectors([7, 2], ["x1"]), other.vectors([7, 2], ["x1"]))
        np.testing.assert_array_equal(one.mean_std()[1], other.mean_std()[1])
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).vectors(), other.vectors())
    assert verify(url).faults == ()
    before = memory()
    assert run(url).skipped == 20  # the same call again is no mistake
    assert memory() == before


@pytest.mark.parametrize("batch", [0, 6])
def test_an_encoder_that_breaks(run, out, url, at, batch):
    run(out)
    with pytest.raises(RuntimeError, match="broke"):
        run(url, stub.StubEncoder(fail_at=batch))
    with pytest.raises(StoreError, match=r"is not finished.*again resumes it"):
        open_store(url)
    encoder = stub.StubEncoder()
    report = run(url, encoder)
    assert report.encoded == encoder.clips == 20 - report.skipped
    assert report.skipped > 0 or batch == 0
    assert at() == tree(out)


CHANGES = of(MemoryFileSystem, "pipe_file", "put_file", "rm")
"""What changes an object."""


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_between_any_two_objects(rows, out, url, at, stride):
    expected = tree(made.make(out, rows))

    def attempt(step):
        MemoryFileSystem.store.clear()
        with Steps(CHANGES, At(step, killed)):
            return status_of(lambda: made.make(url, rows))

    for _ in every(itertools.count(0, stride), attempt, least=5 * stride):
        with suppress(StoreError):  # where only the work folder's removal was left to do
            made.make(url, rows)
        assert at() == expected
    assert at() == expected


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


def test_there_and_back(rows, out, url, at):
    made.make(out, rows)
    other = f"{url.rpartition('.')[0]}-2{'.h5' if out.suffix == '.zarr' else '.zarr'}"
    convert(out, url)
    convert(url, other)
    convert(other, out.with_stem("back"))
    assert tree(out.with_stem("back")) == tree(out) == at()


def test_a_conversion_that_breaks_is_no_store(rows, out, url, at):
    made.make(out, rows)
    step = 10 if out.suffix == ".zarr" else 1
    with Steps(CHANGES, At(step, killed)), pytest.raises(Killed):
        convert(out, url)
    with pytest.raises(StoreError, match="is not finished"):
        open_store(url)
    convert(out, url, overwrite=True)
    assert at() == tree(out)


def test_merged_from_urls(out, url, tmp_path):
    made.make(url, made.clips("abc"))
    made.make(tmp_path / "l.h5", made.clips("cde"))
    merge([url, tmp_path / "l.h5"], f"memory://all{out.suffix}")
    with open_store(f"memory://all{out.suffix}") as store:
        assert store.table["path"].tolist() == [f"{name}.wav" for name in "abcde"]
        assert verify(store.path).faults == ()


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


def test_nothing_but_a_store_is_touched(run, url, memory):
    MemoryFileSystem().pipe_file(url.removeprefix("memory:/") + "/notes.txt", b"mine")
    before = memory()
    with pytest.raises(StoreError, match=r"not a gensr store.*Nothing is replaced"):
        run(url, overwrite=True)
    assert memory() == before


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


class TestSurvey:
    """The log of a survey, in pieces."""

    log = locate("memory://s.zarr.work/survey.jsonl")
    good = Verdict(samples=16_000, audio_sha256="x")

    def write(self, names, how=HOW):
        log = survey_log.begin(self.log, how)
        for name in names:
            log.add(name, self.good)
        log.close()

    def test_read_back(self):
        assert survey_log.read(self.log, HOW) == {}
        self.write("ab")
        self.write("")
        self.write("c")
        assert survey_log.read(self.log, HOW) == dict.fromkeys("abc", self.good)

    def test_another_preprocessing_replaces_it(self):
        self.write("ab")
        assert survey_log.read(self.log, HOW | {"more": 1}) == {}
        self.write("c", HOW | {"more": 1})
        assert survey_log.read(self.log, HOW) == {}
        assert survey_log.read(self.log, HOW | {"more": 1}) == {"c": self.good}

    def test_pieces_are_few_and_never_written_again(self, monkeypatch, memory):
        monkeypatch.setattr(survey_log, "_PIECE_LINES", 100)
        put = []
        pipe = MemoryFileSystem.pipe_file

        def counted(self, path, *args, **options):
            put.append(path)
            return pipe(self, path, *args, **options)

        monkeypatch.setattr(MemoryFileSystem, "pipe_file", counted)
        self.write(map(str, range(1050)))
        assert len(put) == len(set(put)) == len(memory()) == 11
        assert len(survey_log.read(self.log, HOW)) == 1050

    def test_a_quick_piece_of_time(self, monkeypatch):
        """What was heard long enough ago outlives a kill."""
        monkeypatch.setattr(survey_log, "_PIECE_SECONDS", 0.0)
        log = survey_log.begin(self.log, HOW)
        log.add("a", self.good)
        assert survey_log.read(self.log, HOW) == {"a": self.good}

    def test_a_survey_that_breaks_off_is_kept(self):
        def break_off():
            with (
                open_job("memory://s.zarr", overwrite=False) as job,
                job.keeping(HOW) as keep,
            ):
                keep("a", self.good)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            break_off()
        with open_job("memory://s.zarr", overwrite=False) as job:
            assert job.verdicts(HOW) == {"a": self.good}
