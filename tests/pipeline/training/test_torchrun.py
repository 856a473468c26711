"""`torchrun`: two processes, one run."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from gensr.pipeline.runs.run import Run


@pytest.mark.slow
def test_two_processes_write_the_run_of_one(fit, store, tiny, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "--", "gensr.cli.main", "train", str(store)]
    command += ["--run", str(run), "--model", "gen-ser", "--config", str(tiny)]
    command += ["--steps", "12", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("emodb-loso") == 1  # one line, of the first process
    assert done.stderr.count("fold 1: learn: 12/12 in") == 1  # on a busy machine a line before it
    one = fit(tmp_path / "one").run
    asked, same = (each.config.to_plain() for each in (Run.open(run), one))
    of_its_own = {"run", "hashes"}
    assert {key: asked[key] for key in asked.keys() - of_its_own} == {
        key: same[key] for key in same.keys() - of_its_own
    }
    assert [row.path for row in Run.open(run).predictions()] == [
        row.path for row in one.predictions()
    ]
    for path in one.folder.rglob("*.safetensors"):
        mine, theirs = load_file(path), load_file(run / path.relative_to(one.folder))
        for name, weight in mine.items():
            torch.testing.assert_close(weight, theirs[name], atol=1e-5, rtol=0)
    assert not list(run.rglob("*.checkpoint*"))
    assert not (run / "lock").exists()


@pytest.mark.slow
def test_an_error_of_the_first_ends_all(store, tiny, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "thesis.txt").write_text("years of work")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "--", "gensr.cli.main", "train", str(store)]
    command += ["--run", str(run), "--model", "gen-ser", "--config", str(tiny)]
    command += ["--steps", "12", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode != 0
    assert "is no run, and not empty; pass another --run" in done.stderr
    assert [path.name for path in run.iterdir()] == ["thesis.txt"]
