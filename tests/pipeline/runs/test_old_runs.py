"""Runs of earlier versions open, are evaluated, answer and go on (tests/fixtures)."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gensr.estimator.errors import RunError
from gensr.pipeline.runs.files import plain_bytes
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.train import train
from gensr.pipeline.use.describe import describe
from gensr.pipeline.use.predict import predict
from support import kept


@pytest.fixture(params=["0.1.0", "0.2.0"])
def version(request):
    return request.param


@pytest.fixture
def old(version, tmp_path):
    return kept.unpack(version, "runs", tmp_path)


def go_on(old, protocol=None, **options):
    settings = {
        "model": "gen-ser",
        "layers": ("p50",),
        "steps": 12,
        "device": "cpu",
        "settings": old / "tiny.toml",
        "protocol": protocol,
    }
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


def test_an_interrupted_run_is_refused_and_left_as_it_was(old):
    """Its steps were others: what went on from them would be neither version's."""
    left = {path: path.read_bytes() for path in (old / "interrupted").rglob("*.*")}
    with pytest.raises(RunError, match=r"begun by an earlier version.*--overwrite"):
        go_on(old, resume=True)
    assert left == {path: path.read_bytes() for path in (old / "interrupted").rglob("*.*")}
    go_on(old, overwrite=True, protocol="savee-loso")
    assert answers(old / "interrupted")


def test_a_model_of_other_settings_is_noticed(old):
    shutil.rmtree(old / "gen-ser/folds/2")
    shutil.copytree(old / "linear/folds/2", old / "gen-ser/folds/2")
    with pytest.raises(RunError, match="not this run's: model is linear, expected gen-ser"):
        evaluate(Run.open(old / "gen-ser"), stores=[old / "tones.h5"], device="cpu")
