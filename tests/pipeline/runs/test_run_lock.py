"""One training a run folder; nobody reads what is being written; nothing of two runs mixes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gensr.estimator.errors import RunError
from gensr.pipeline.runs.lock import held, idle
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.use.describe import describe
from gensr.pipeline.use.predict import predict
from support.told import Told

HOLDS = """
import sys, pathlib
from gensr.pipeline.runs.lock import held
with held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def trained_elsewhere(finished, copied):
    """A run whose lock another process holds; (run, that process)."""
    run = copied(finished)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, run],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield run, process
        process.kill()


def test_a_run_that_is_trained_is_neither_written_nor_read(trained_elsewhere, fit, corpus):
    run, process = trained_elsewhere
    before = sorted(run.rglob("*"))
    for attempt in (
        lambda: fit(run),
        lambda: fit(run, resume=True),
        lambda: fit(run, overwrite=True),
        lambda: evaluate(Run.open(run), device="cpu"),
        lambda: predict([corpus], Run.open(run), device="cpu"),
    ):
        with pytest.raises(RunError, match="is being trained by another process: wait for it"):
            attempt()
    assert ("state", "being trained by another process") in describe(run).facts
    assert sorted(run.rglob("*")) == before
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (run / "lock").exists()
    fit(run, resume=True)  # a killed owner locks nobody out
    assert not (run / "lock").exists()


def test_resume_thrice_at_once_is_one_line_twice(finished, fit, copied):
    run = copied(finished)
    (run / "predictions.csv").unlink()
    shutil.rmtree(run / "folds/4")
    gate, said = threading.Barrier(3), []

    class Waiting:
        def stage(self, name, units, seconds=0.0):
            gate.wait(60)

        def advance(self, units, seconds=0.0):
            pass

    def resume():
        try:
            fit(run, resume=True, progress=Waiting())
            said.append("done")
        except RunError as error:
            said.append(str(error))
            gate.wait(60)

    threads = [threading.Thread(target=resume) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("done") == 1
    assert sum("being trained by another process" in one for one in said) == 2
    assert (run / "predictions.csv").read_bytes() == (finished / "predictions.csv").read_bytes()


def test_the_lock_is_gone_after_an_interruption(fit, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", progress=Told("4 folds"))
    assert not (tmp_path / "run/lock").exists()


def test_asking_leaves_nothing_behind(tmp_path):
    assert idle(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path):
        assert not idle(tmp_path)
    assert list(tmp_path.iterdir()) == []


class TestMixtures:
    """Files of one run in the folder of another, of equal settings but another seed."""

    @pytest.fixture
    def other(self, fit, tmp_path):
        return fit(tmp_path / "other", seed=1).run.folder

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("folds/2", "holds a model that is not this run's: run is"),
            ("folds/2/model.safetensors", "its SHA-256 is another"),
            ("predictions.csv", r"predictions\.csv cannot be read \(it was changed, or is another"),
            ("seal.json", r"predictions\.csv is damaged \(it is of run"),
            ("protocol.json", ""),
            ("manifest.json", r"manifest\.json cannot be read \(it was changed, or is another"),
            ("config.json", "cannot be read|is damaged|is another"),
        ],
    )
    def test_a_file_of_another_run_is_noticed(self, name, said, finished, copied, other, fit):
        run = copied(finished)
        if (run / name).is_dir():
            shutil.rmtree(run / name)
            shutil.copytree(other / name, run / name)
        else:
            shutil.copy(other / name, run / name)
        if name == "protocol.json":  # the same question
            evaluate(Run.open(run), steps=(1,), device="cpu")
            return
        with pytest.raises(RunError, match=said):
            evaluate(Run.open(run), steps=(1,), device="cpu")
        if name.startswith("folds"):
            with pytest.raises(RunError, match=said):
                fit(run, resume=True)

    def test_a_checkpoint_of_another_run_is_refused(self, finished, fit, copied, tmp_path):
        for name, choose in (("one", "beforehand"), ("two", "looks")):
            with pytest.raises(KeyboardInterrupt):
                fit(tmp_path / name, choose=choose, fold="1", progress=Told("fold 1: learn"))
        shutil.copy(tmp_path / "two/folds/1/learn.checkpoint", tmp_path / "one/folds/1")
        with pytest.raises(RunError, match=r"learn\.checkpoint: made with .* run=.*asked for"):
            fit(tmp_path / "one", fold="1", resume=True)

    def test_a_run_that_was_replaced_meanwhile_gets_no_numbers(self, finished, copied, fit):
        run = Run.open(copied(finished))
        assert run.config.seed == 0
        fit(run.folder, overwrite=True, fold="1", steps=1)
        with pytest.raises(RunError, match="was replaced by another run meanwhile"):
            run.write_numbers({})
        assert not (run.folder / "numbers.json").exists()


def test_everything_that_settles_a_result_is_in_the_identity(finished, copied):
    path = copied(finished) / "config.json"
    config = json.loads(path.read_text())
    for key in config.keys() - {"run", "stores"}:
        path.write_text(json.dumps({**config, key: "changed"}))
        with pytest.raises(RunError, match=r"config\.json cannot be read"):
            _ = Run(path.parent).config
    path.write_text(json.dumps({**config, "stores": ["elsewhere.zarr"]}))
    assert Run(Path(path.parent)).config.stores == ("elsewhere.zarr",)
