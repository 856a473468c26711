"""A step that is captured as a CUDA graph is the eager one, and waits for nothing."""

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import torch

from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.network import NetworkConfig
from gensr.estimator.parallel import ALONE
from gensr.estimator.resident import Resident
from gensr.estimator.step import Step
from gensr.estimator.training import fit, order_of
from support.toy import CLASSES, K, L, clips

BUDGET = TrainingConfig(steps=60, batch_size=16, evaluate_every=20, learning_rate=3e-3)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def fresh(model: str) -> Any:
    torch.manual_seed(0)
    network = NetworkConfig(hidden=32, depth=2, heads=2, dropout=0.1)
    options = {} if model in ("linear", "mlp") else {"network": network}
    made: Any = MODELS[model](len(CLASSES), K + 1, L, MODELS[model].Config(**options))
    return made.to("cuda")


def there(n: int) -> Resident:
    given = clips(n)
    return Resident(given.x.to("cuda"), given.y)


@contextmanager
def no_waiting() -> Iterator[None]:
    """Whatever makes the host wait for the GPU is an error."""
    with warnings.catch_warnings():  # that the mode is a prototype
        warnings.simplefilter("ignore")
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("model", ["gen-ser", "linear", "mlp", "transformer-ce", "transformer-mse"])
def test_gpu_captured_is_eager(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    captured, eager = fresh(model), fresh(model)
    logs = [fit(captured, there(200), BUDGET, seed=0)]
    begin = Step.__init__

    def without(step: Step, *args: Any) -> None:
        begin(step, *args)
        step._graphed = False

    monkeypatch.setattr(Step, "__init__", without)
    logs.append(fit(eager, there(200), BUDGET, seed=0))
    for mine, theirs in zip(*logs, strict=True):
        assert mine.loss == pytest.approx(theirs.loss, abs=1e-4)
    for one, other in zip(captured.parameters(), eager.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_gpu_no_step_waits(precision: str) -> None:
    config = TrainingConfig(steps=200, batch_size=16, precision=precision)
    model, train = fresh("gen-ser"), there(2000)
    ready = model.prepare(train)
    model.train()
    step = Step(model, config, 0, ALONE)
    with closing(ready.windows(order_of(train, config, 0), 0)) as windows:
        window = next(windows)
        for number in range(10):
            step.take(window, number, number)
        with no_waiting():
            for number in range(10, 100):
                step.take(window, number, number)
    assert step.mean_loss()[0] < 2


def test_gpu_a_resumed_training_is_an_uninterrupted_one(tmp_path: Any) -> None:
    whole, again, file = fresh("gen-ser"), fresh("gen-ser"), tmp_path / "checkpoint"
    log = fit(whole, there(200), BUDGET, seed=0)
    fit(fresh("gen-ser"), there(200), BUDGET, seed=0, checkpoint=file, stop=20)
    assert fit(again, there(200), BUDGET, seed=0, checkpoint=file) == log
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
