"""Stores at URLs: what a local store holds, object for object, killed and resumed or not."""

import itertools
import pickle
from contextlib import suppress

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from gensr.features.hearing.verdict import Verdict
from gensr.features.store import open_store, side_log
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.job import open_job
from gensr.features.store.merge import merge
from gensr.features.store.verify import verify
from gensr.features.store.where import locate
from gensr.pipeline.extraction import survey_log
from gensr.pipeline.extraction.survey_log import SurveyLog
from support import stub
from support import synthetic as made
from support.steps import At, Killed, Steps, every, killed, of, status_of
from support.trees import tree

pytestmark = pytest.mark.usefixtures("memory")
HOW = {"sample_rate": 16_000}
CHANGES = of(MemoryFileSystem, "pipe_file", "put_file", "rm")
"""What changes an object."""


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


class TestSurvey:
    """The log of a survey, in pieces."""

    log = locate("memory://s.zarr.work/survey.jsonl")
    good = Verdict(samples=16_000, audio_sha256="x")

    def write(self, names, how=HOW):
        log = SurveyLog(self.log, how)
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
        monkeypatch.setattr(side_log, "_PIECE_LINES", 100)
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
        monkeypatch.setattr(side_log, "_PIECE_SECONDS", 0.0)
        log = SurveyLog(self.log, HOW)
        log.add("a", self.good)
        assert survey_log.read(self.log, HOW) == {"a": self.good}

    def test_a_survey_that_breaks_off_is_kept(self):
        def break_off():
            with (
                open_job("memory://s.zarr", overwrite=False) as job,
                survey_log.keeping(job, HOW, {}) as keep,
            ):
                keep("a", self.good)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            break_off()
        with open_job("memory://s.zarr", overwrite=False) as job:
            assert survey_log.known(job, HOW) == {"a": self.good}
