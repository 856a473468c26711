"""The survey, kept line by line: nothing heard twice, whatever became of the last line."""

import errno
import json
import os
import sys
import time
import tracemalloc

import pytest

from gensr.estimator.errors import AudioError, StoreError
from gensr.features import decode_child
from gensr.features.decoders import Decoders
from gensr.features.store import open_store, survey_log
from gensr.features.store.job import open_job
from gensr.features.store.survey_log import SurveyLog
from gensr.features.verdict import Verdict, refused

HOW = {"sample_rate": 16_000}
GOOD, BAD = Verdict(16_000, "b" * 64), Verdict(0, "", "empty: körper")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "survey.jsonl"


def add(path, verdicts, how=HOW):
    log = SurveyLog(path, how)
    for sha, verdict in verdicts.items():
        log.add(sha, verdict)
    log.close()


def test_what_was_added_is_read(path):
    assert survey_log.read(path, HOW) == {}
    add(path, {"a": GOOD})
    add(path, {"b": BAD})
    assert survey_log.read(path, HOW) == {"a": GOOD, "b": BAD}
    assert json.loads(path.read_text().splitlines()[0]) == {"preprocessing": HOW}


def test_a_line_is_there_before_the_log_is_closed(path):
    log = SurveyLog(path, HOW)
    log.add("a", GOOD)
    assert survey_log.read(path, HOW) == {"a": GOOD}
    log.close()


def test_another_preprocessing_begins_anew(path):
    add(path, {"a": GOOD})
    other = {"sample_rate": 8_000}
    assert survey_log.read(path, other) == {}
    add(path, {"b": BAD}, other)
    assert survey_log.read(path, other) == {"b": BAD}
    assert survey_log.read(path, HOW) == {}


def test_a_torn_end_is_ignored_and_written_over(path):
    add(path, {"a": GOOD, "b": BAD})
    whole = path.read_bytes()
    first = len(whole.splitlines(keepends=True)[0])
    last = len(whole.splitlines(keepends=True)[-1])
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        known = survey_log.read(path, HOW)
        if cut < first:
            assert known == {}
        else:
            assert known == ({} if cut < len(whole) - last else {"a": GOOD})
        add(path, {"c": GOOD})
        assert survey_log.read(path, HOW) == {**known, "c": GOOD}
    row = b'["d", 1, "e", "", false]\n'
    for rest in (b"\0" * 50, b'["x", 1, "y", ""]\n', b"\xff\xfe\n", b'{"a": 1}\n' + row):
        path.write_bytes(whole + rest)
        assert survey_log.read(path, HOW) == {"a": GOOD, "b": BAD}


@pytest.mark.slow
def test_a_hundred_thousand_lines_cost_little(path):
    line = json.dumps(["{:064x}", 16_000, "b" * 64, "", False]) + "\n"
    with path.open("w") as file:
        file.write(json.dumps({"preprocessing": HOW}) + "\n")
        file.writelines(line.replace("{:064x}", f"{number:064x}") for number in range(100_000))
    began = time.process_time()
    known = survey_log.read(path, HOW)
    assert time.process_time() - began < 5
    assert len(known) == 100_000
    del known
    tracemalloc.start()
    known = survey_log.read(path, HOW)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < held + 1e6  # nothing beside the answer
    assert len(known) == 100_000


def test_a_job_keeps_a_survey_that_breaks_off(made, tmp_path):
    out = made.make(tmp_path / "s.zarr", made.clips("ab"))
    with pytest.raises(KeyboardInterrupt), open_job(out, overwrite=False) as job:  # noqa: PT012
        assert list(job.verdicts(HOW)) == [made.sha("file a.wav"), made.sha("file b.wav")]
        with job.keeping(HOW) as keep:
            keep("new", BAD)
            raise KeyboardInterrupt
    assert survey_log.read(job.folder / "survey.jsonl", HOW) == {"new": BAD}
    with open_job(out, overwrite=False) as job:
        assert job.verdicts(HOW)["new"] == BAD
    assert not job.folder.exists()  # this one ended


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_may_pass_is_tried_again(made, tmp_path, overwrite):
    """A decoder that ran out of time or memory says nothing of the file, unless a plan does."""
    out, rows = tmp_path / "s.zarr", made.clips("ab")
    late = refused("the decoder did not finish within 30 s", passing=True)
    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        open_job(out, overwrite=False) as job,
        job.keeping(HOW) as keep,
    ):
        keep("good", GOOD)
        keep("bad", BAD)
        keep("late", late)
        raise KeyboardInterrupt
    with open_job(out, overwrite=overwrite) as job:
        assert job.verdicts(HOW) == {"good": GOOD} | ({} if overwrite else {"bad": BAD})
        with job.keeping(HOW) as keep:
            keep("late", late)  # once more
        job.start(made.plan(rows, failed=[("c.wav", late.reason)]))
    with open_job(out, overwrite=overwrite) as job:
        known = job.verdicts(HOW)
        assert ("late" in known) == (not overwrite)  # --overwrite may begin anew
        assert known.get("late", late) == late
        with job.keeping(HOW) as keep:
            keep("late", GOOD)
        assert job.verdicts(HOW)["late"] == GOOD


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (OSError(errno.EIO, os.strerror(errno.EIO)), True),
        (MemoryError(), True),
        (ValueError("a header that no one foresaw"), True),
        (AudioError("silent"), False),
    ],
)
def test_which_verdicts_may_pass(stub, tmp_path, monkeypatch, error, passing):
    def failing(file):
        raise error

    stub.write_clip(tmp_path / "a.wav", seed=1)
    told = []
    monkeypatch.setattr(decode_child, "decode", failing)
    verdict = decode_child.judge(tmp_path / "a.wav", lambda *line: told.append(line))
    assert told[0][0] == "hashed"  # so it would be kept
    assert (bool(verdict.reason), verdict.passing) == (True, passing)


@pytest.mark.parametrize("does", ["time.sleep(60)", "os.kill(os.getpid(), 9)"])
def test_a_decoder_that_ends_without_a_verdict_says_nothing_of_the_file(tmp_path, does):
    script = (
        "import os, sys, time\nprint('[\"ready\"]', flush=True)\nsys.stdin.readline()\n"
        f'print(\'["hashed", "h"]\', flush=True)\n{does}'
    )
    decoders = Decoders(1, command=[sys.executable, "-S", "-c", script], seconds=0.5)
    try:
        file_sha, verdict = decoders.hear(tmp_path / "a.wav")
    finally:
        decoders.close()
    assert file_sha == "h"
    assert verdict.reason.startswith("the decoder ")
    assert verdict.passing


class Interrupts:
    """Presses Ctrl-C when so many clips were heard."""

    def __init__(self, after):
        self.left = after

    def stage(self, name, units, seconds=0.0):
        assert name == "survey"

    def advance(self, units, seconds=0.0):
        self.left -= units
        if not self.left:
            raise KeyboardInterrupt


def test_an_interrupted_survey_goes_on(run, out, tree):
    run(out.with_stem("expected"))
    with pytest.raises(KeyboardInterrupt):
        run(out, progress=Interrupts(after=8))
    with pytest.raises(StoreError, match="not finished"):
        open_store(out)
    log = out.with_name(out.name + ".work") / "survey.jsonl"
    assert len(log.read_text().splitlines()) == 1 + 8
    with pytest.raises(KeyboardInterrupt):
        run(out, progress=Interrupts(after=12))
    assert len(log.read_text().splitlines()) == 1 + 12  # eight were not heard again
    run(out)
    assert tree(out) == tree(out.with_stem("expected"))
    assert not log.parent.exists()
