"""The survey, kept line by line: nothing heard twice, whatever became of the last line."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import time
import tracemalloc
from contextlib import contextmanager
from dataclasses import replace

import pytest

from gensr.features.audio.errors import AudioError
from gensr.features.hearing import decode_child
from gensr.features.hearing.decoders import Decoders
from gensr.features.hearing.verdict import Verdict, refused
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.job import open_job
from gensr.features.store.open import work_folder
from gensr.pipeline.extraction import survey_log
from gensr.pipeline.extraction.survey_log import SurveyLog
from support import stub
from support import synthetic as made
from support.trees import tree

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
    head = json.loads(path.read_text().splitlines()[0])
    assert head == {"preprocessing": HOW, "decoders": survey_log.decoder_versions()}
    sound = {"hearing", "numpy", "libsndfile", "soundfile", "scipy"}
    assert set(head["decoders"]) - {"av", "ffmpeg"} == sound


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


@pytest.mark.parametrize("name", ["hearing", "numpy", "libsndfile", "soundfile", "scipy", "av"])
def test_other_decoders_begin_anew(path, monkeypatch, name):
    add(path, {"a": GOOD})
    with monkeypatch.context() as patch:
        other = survey_log.decoder_versions() | {name: "0.0.1"}
        patch.setattr(survey_log, "decoder_versions", lambda: other)
        assert survey_log.read(path, HOW) == {}
        add(path, {"b": BAD})
        assert survey_log.read(path, HOW) == {"b": BAD}
    assert survey_log.read(path, HOW) == {}


def test_versions_are_told_without_importing_what_is_slow():
    code = (
        "import sys; from gensr.pipeline.extraction import survey_log\n"
        "survey_log.decoder_versions()\n"
        "print({'torch', 'scipy'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


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
        head = {"preprocessing": HOW, "decoders": survey_log.decoder_versions()}
        file.write(json.dumps(head) + "\n")
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


def test_a_job_keeps_a_survey_that_breaks_off(tmp_path):
    out = made.make(tmp_path / "s.zarr", made.clips("ab"))
    with pytest.raises(KeyboardInterrupt), open_job(out, overwrite=False) as job:  # noqa: PT012
        assert list(survey_log.known(job, HOW)) == [made.sha("file a.wav"), made.sha("file b.wav")]
        with survey_log.keeping(job, HOW, {}) as keep:
            keep("new", BAD)
            raise KeyboardInterrupt
    assert survey_log.read(job.side_log("survey"), HOW) == {"new": BAD}
    for _ in range(2):  # a call that ends before it hears anything does no harm
        with open_job(out, overwrite=False) as job:
            assert survey_log.known(job, HOW)["new"] == BAD
    with open_job(out, overwrite=False) as job:
        job.drop()
    assert not work_folder(out).exists()  # this one ended


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_may_pass_is_tried_again(tmp_path, overwrite):
    """A decoder that ran out of time or memory says nothing of the file, unless a plan does."""
    out, rows = tmp_path / "s.zarr", made.clips("ab")
    late = refused("the decoder did not finish within 30 s", passing=True)
    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        open_job(out, overwrite=False) as job,
        survey_log.keeping(job, HOW, {}) as keep,
    ):
        keep("good", GOOD)
        keep("bad", BAD)
        keep("late", late)
        raise KeyboardInterrupt
    with open_job(out, overwrite=overwrite) as job:
        assert survey_log.known(job, HOW) == {"good": GOOD} | ({} if overwrite else {"bad": BAD})
        with survey_log.keeping(job, HOW, {}) as keep:
            keep("late", late)  # once more
        job.start(made.plan(rows, failed=[("c.wav", late.reason)]))
    with open_job(out, overwrite=overwrite) as job:
        known = survey_log.known(job, HOW)
        assert ("late" in known) == (not overwrite)  # --overwrite may begin anew
        assert known.get("late", late) == late
        with survey_log.keeping(job, HOW, {}) as keep:
            keep("late", GOOD)
        assert survey_log.known(job, HOW)["late"] == GOOD


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (OSError(errno.EIO, os.strerror(errno.EIO)), True),
        (MemoryError(), True),
        (ValueError("a header that no one foresaw"), True),
        (AudioError("silent"), False),
    ],
)
def test_which_verdicts_may_pass(tmp_path, monkeypatch, error, passing):
    def failing(file, segment=None):
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


def test_an_interrupted_survey_goes_on(run, out):
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


def by_heart(paths, known):
    """Hear nothing: every file must be known."""
    for path in paths:
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        yield sha, known[sha]


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoreError("a label contradicts another")])
@pytest.mark.parametrize("step", ["clip_table", "plan_of"])
@pytest.mark.parametrize("before", [False, True])
def test_a_survey_outlives_an_error_after_it(run, out, monkeypatch, step, error, before):
    """Into nothing, and into a store that is there."""
    run(out.with_stem("expected"))
    if before:
        run(out)

    def breaking(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(f"gensr.pipeline.extraction.extract.{step}", breaking)
        with pytest.raises(error if isinstance(error, type) else StoreError):
            run(out)
    log = out.with_name(out.name + ".work") / "survey.jsonl"
    assert len(log.read_text().splitlines()) == (1 if before else 1 + 20)
    with monkeypatch.context() as patch:
        patch.setattr("gensr.pipeline.extraction.extract.open_job", _refusing(open_job))
        with pytest.raises(StoreError, match="before anything is heard"):
            run(out)
    assert log.exists()
    monkeypatch.setattr("gensr.pipeline.extraction.local.hear_in_children", by_heart)
    run(out)
    assert tree(out) == tree(out.with_stem("expected"))
    assert not log.parent.exists()


def _refusing(open_job):
    """A job that ends right after it was opened, as where the encoder cannot be loaded."""

    @contextmanager
    def opened(*args, **options):
        with open_job(*args, **options):
            raise StoreError("before anything is heard")
            yield

    return opened


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_another_decoder_heard_does_not_stick(run, out, monkeypatch, overwrite):
    """Killed while encoding, and then the library was upgraded: a file is decoded otherwise."""
    from gensr.pipeline.extraction.local import hear_in_children

    run(out.with_stem("expected"))

    def otherwise(paths, known):
        for number, (sha, verdict) in enumerate(hear_in_children(paths, known)):
            stale = number == 17 and not known
            yield sha, (replace(verdict, audio_sha256="0" * 64) if stale else verdict)

    with monkeypatch.context() as patch:
        old = survey_log.decoder_versions() | {"libsndfile": "1.0.31"}
        patch.setattr(survey_log, "decoder_versions", lambda: old)
        patch.setattr("gensr.pipeline.extraction.local.hear_in_children", otherwise)
        for _ in range(2):  # with that decoder's log the same call cannot help itself
            with pytest.raises(StoreError, match=r"decoded otherwise .*--overwrite"):
                run(out)
    report = run(out, overwrite=overwrite)
    assert report.skipped == (0 if overwrite else 16)  # all but the shard with that file
    assert tree(out) == tree(out.with_stem("expected"))


def test_versions_are_not_in_the_store(run, out, monkeypatch):
    run(out)
    before = tree(out)
    monkeypatch.setattr(survey_log, "decoder_versions", lambda: {"libsndfile": "9"})
    assert run(out).skipped == 20
    run(out, overwrite=True)
    assert tree(out) == before
