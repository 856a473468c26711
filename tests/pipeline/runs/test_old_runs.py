"""Runs of earlier versions open, are evaluated, answer and go on (tests/fixtures)."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gensr.estimator.errors import RunError
from gensr.pipeline.runs.files import plain_bytes
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.training.train import TrainConfig, train
from gensr.pipeline.use.describe import describe
from gensr.pipeline.use.predict import predict
from support import kept

MADE_WITH = "2.11.0"
"""Of torch: with it, and on one thread, the same steps end in the same bits."""


@pytest.fixture(params=["0.1.0", "0.2.0"])
def version(request):
    return request.param


@pytest.fixture
def old(version, tmp_path):
    return kept.unpack(version, "runs", tmp_path)


def go_on(old, **options):
    settings = {"layers": ("p50",), "steps": 12, "device": "cpu", "settings": old / "tiny.toml"}
    return train(
        [old / "tones.h5"], TrainConfig(**settings), folder=old / "interrupted", **options
    ).run


def answers(run):
    return {row.path: row.probabilities for row in Run.open(run).predictions()}


@pytest.mark.parametrize("name", ["gen-ser", "linear"])
def test_a_finished_run_is_evaluated(old, version, name):
    run = Run.open(old / name)
    found = evaluate(run, steps=(4,), stores=[old / "tones.h5"], device="cpu")
    with (old / name / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = np.mean([row["label"] == row["predicted"] for row in rows])
    assert found.numbers.values["accuracy"] == right
    if name == "gen-ser":
        assert found.by_steps[4] == found.numbers
    none = ("identity", "none: of version 0.1.0") in describe(old / name).facts
    assert none == (version == "0.1.0")
    assert plain_bytes(run.config.to_plain()) == (old / name / "config.json").read_bytes()


def test_a_deployed_run_answers(old, corpus):
    expected = json.loads((old / "deployed.json").read_text())["predictions"]
    found = predict(
        [corpus / Path(*Path(one["path"]).parts[1:]) for one in expected],
        Run.open(old / "deployed"),
        device="cpu",
    )
    for answer, known in zip(found.rows, expected, strict=True):
        assert answer.probabilities == pytest.approx(known["probabilities"], abs=1e-4)


def test_an_interrupted_run_goes_on_to_what_it_would_have_been(old):
    assert (old / "interrupted/folds/3/learn.checkpoint").is_file()
    run = go_on(old, resume=True)
    found, whole = answers(run.folder), answers(old / "gen-ser")
    assert found.keys() == whole.keys()
    for path, p in found.items():
        assert p == pytest.approx(whole[path], abs=1e-4)
    if torch.__version__.split("+")[0] == MADE_WITH:
        for weights in (old / "gen-ser").rglob("*.safetensors"):
            again = run.folder / weights.relative_to(old / "gen-ser")
            assert again.read_bytes() == weights.read_bytes()


def test_a_damaged_checkpoint_is_one_line(old):
    path = old / "interrupted/folds/3/learn.checkpoint"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(RunError, match=r"learn\.checkpoint is damaged .*remove it, and --resume"):
        go_on(old, resume=True)
    path.unlink()
    go_on(old, resume=True)


def test_a_model_of_other_settings_is_noticed(old):
    shutil.rmtree(old / "gen-ser/folds/2")
    shutil.copytree(old / "linear/folds/2", old / "gen-ser/folds/2")
    with pytest.raises(RunError, match="not this run's: model is linear, expected gen-ser"):
        evaluate(Run.open(old / "gen-ser"), stores=[old / "tones.h5"], device="cpu")
