"""A precision's cost is known before a training begins: refused, insisted on, or advised."""

import pytest
import torch

from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.features.encoders.precision import Cost
from gensr.pipeline.training import precision
from gensr.pipeline.training.precision import check_precision

CPU = torch.device("cpu")
FLOAT32, BFLOAT16 = TrainingConfig(), TrainingConfig(precision="bfloat16")
PAPER = 71_000_000


def takes(bfloat16, monkeypatch):
    """A CPU on which bfloat16 takes so many times as long as float32."""
    cost = Cost("cpu", {"float32": 1.0, "bfloat16": bfloat16})
    monkeypatch.setattr(precision, "cost_on", lambda device, names: cost)


def test_a_slow_one_is_refused_before_anything_is_written(fit, tmp_path, monkeypatch):
    takes(6.0, monkeypatch)
    with pytest.raises(ConfigError, match=r"^precision bfloat16 takes about 6 times") as told:
        fit(tmp_path / "run", precision="bfloat16", fold="1")
    assert "--allow-slow" in str(told.value)
    assert not (tmp_path / "run").exists()


def test_and_taken_where_one_insists(fit, tmp_path, monkeypatch):
    takes(6.0, monkeypatch)
    done = fit(tmp_path / "run", precision="bfloat16", allow_slow=True, fold="1", steps=2)
    assert done.run.config.training["precision"] == "bfloat16"
    assert not [note for note in done.notes if "bfloat16" in note]


def test_a_faster_one_is_said_of_a_large_model_alone(monkeypatch):
    takes(0.5, monkeypatch)
    (line,) = check_precision(FLOAT32, PAPER, CPU, allow_slow=False)
    assert line.startswith("this CPU computes bfloat16 about twice as fast as float32")
    assert line.endswith("see --precision, and docs/training.md")
    assert not check_precision(BFLOAT16, PAPER, CPU, allow_slow=False)
    assert not check_precision(BFLOAT16, 1000, CPU, allow_slow=False)


def test_what_needs_no_clock_is_not_timed(monkeypatch):
    monkeypatch.setattr(precision, "cost_on", lambda *_, **__: pytest.fail("it was timed"))
    assert not check_precision(FLOAT32, 1000, CPU, allow_slow=False)
    assert not check_precision(None, PAPER, CPU, allow_slow=False)


def test_this_machine_is_timed_in_the_precisions_of_a_training(monkeypatch):
    asked = []

    def cost_on(device, names):
        asked.append((device, names))
        return real(device, names=names)

    real = precision.cost_on
    monkeypatch.setattr(precision, "cost_on", cost_on)
    check_precision(FLOAT32, PAPER, CPU, allow_slow=False)
    assert asked == [("cpu", ("float32", "bfloat16"))]
