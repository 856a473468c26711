"""The loss at t = T, where every answer begins: in the log, beside the mean loss."""

from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from gensr.estimator.checkpoint import read_state, write_state
from gensr.estimator.config import from_plain
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import LogEntry, TrainingConfig
from gensr.estimator.models.gen_ser import GenSER, GenSERConfig
from gensr.estimator.models.linear import Linear, LinearConfig
from gensr.estimator.network import NetworkConfig
from gensr.estimator.resident import Resident
from gensr.estimator.stack import Member
from gensr.estimator.together import fit_together
from gensr.estimator.training import fit
from support.contracts.model import same
from support.toy import CLASSES, K, L, clips

BUDGET = TrainingConfig(steps=60, batch_size=64, evaluate_every=20, learning_rate=3e-3)
OPTIONS = GenSERConfig(network=NetworkConfig(hidden=32, depth=1, heads=2))


def fresh() -> GenSER:
    torch.manual_seed(0)
    return GenSER(len(CLASSES), K + 1, L, OPTIONS)


def test_it_is_the_loss_of_the_averaged_weights_at_t_alone() -> None:
    model = fresh()
    log = fit(model, clips(64), BUDGET, seed=0)  # a batch is all of them
    assert log[-1].start_loss is not None
    x = model.scale(clips(64).x)
    torch.manual_seed(7)  # x_T has hardly any noise: any will do
    t = torch.full((64,), OPTIONS.T)
    a, sigma = model.path.at(t)
    draws = {"t": t, "a": a, "sigma": sigma, "z": torch.randn(64, L)}
    mine = model.loss(x, clips(64).y, draws).item()
    assert log[-1].start_loss == pytest.approx(mine, rel=0.05)


def test_where_speech_has_no_label_the_mean_loss_falls_and_this_one_does_not() -> None:
    """What the mean hides: x_t gives the label away in most steps, and nothing is learnt at T."""
    model = fresh()
    budget = replace(BUDGET, steps=300, evaluate_every=100)
    last = fit(model, clips(4000, informative=False), budget, seed=0)[-1]
    assert last.start_loss is not None
    assert last.loss < 0.5
    assert last.start_loss > 0.65  # the best that knows nothing is 1 - 1/C


def test_a_model_without_a_path_has_none() -> None:
    model = Linear(len(CLASSES), K + 1, L, LinearConfig())
    assert [line.start_loss for line in fit(model, clips(64), BUDGET, seed=0)] == [None] * 3


def test_it_is_the_same_of_models_trained_together() -> None:
    alone = fit(fresh(), clips(128), BUDGET, seed=3)
    members = [Member(model=fresh(), train=clips(128), config=BUDGET, seed=3) for _ in range(2)]
    for log in fit_together(members):
        for mine, theirs in zip(log, alone, strict=True):
            assert mine.start_loss == pytest.approx(theirs.start_loss, abs=1e-4)


def test_a_checkpoint_that_knows_nothing_of_it_is_gone_on_with(tmp_path: Path) -> None:
    """As earlier versions wrote it: a line of the log is four numbers."""
    whole, again, file = fresh(), fresh(), tmp_path / "checkpoint"
    log = fit(whole, clips(128), BUDGET, seed=0)

    def stop(entry: LogEntry) -> None:
        if entry.step == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(fresh(), clips(128), BUDGET, seed=0, checkpoint=file, report=stop)
    state = read_state(file)
    write_state(file, state | {"log": [entry[:4] for entry in state["log"]]})
    resumed = fit(again, clips(128), BUDGET, seed=0, checkpoint=file)
    assert [astuple(line)[:4] for line in resumed] == [astuple(line)[:4] for line in log]
    assert [line.start_loss for line in resumed] == [None, None, log[-1].start_loss]
    same(whole, again)


WIDE = 64
LABELLESS = 1 - 1 / len(CLASSES)
"""What the best guess costs that knows nothing: the mean of the codes."""


def labelless(n: int, seed: int) -> Resident:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, K + 1, WIDE, generator=g)
    return Resident(x, torch.randint(len(CLASSES), (n,), generator=g))


def loss_at_start(steps: int, **options: Any) -> float:
    """Of fresh clips without a label, after a training on such, with x1 among the inputs."""
    plain = {"network": {"hidden": 64, "depth": 1, "heads": 2}, "inputs": {"way": "concat"}}
    config = from_plain(GenSERConfig, {**plain, **options}, "asked")
    torch.manual_seed(0)
    model = GenSER(len(CLASSES), K + 1, WIDE, config)
    budget = TrainingConfig(steps=steps, batch_size=64, learning_rate=3e-3, evaluate_every=steps)
    fit(model, labelless(4000, seed=1), budget, seed=0)
    fresh = labelless(4000, seed=2)
    with torch.inference_mode():
        return model.start_loss(model.standardized(fresh.x), fresh.y).item()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sigma": 8.0, "times": 4.0},
        {"sigma": 8.0, "mean": "linear"},
        {"sigma": 8.0, "mean": "ve"},
        {"variance": "constant"},
        {"variance": "constant", "mean": "vp"},
        {"variance": {"name": "exploding", "gamma": 0.0}},
    ],
    ids=str,
)
def test_no_allowed_path_tells_the_label_at_the_start_to_a_network_that_knows_x1(
    options: Any,
) -> None:
    from_plain(GenSERConfig, options, "asked").check_sizes(len(CLASSES), WIDE)
    assert loss_at_start(100, **options) > LABELLESS - 0.05


def test_the_oracle_can_fail() -> None:
    """A mean that keeps a third of x0 at T."""
    leaks = {"mean": "linear", "T": 0.7}
    config = from_plain(GenSERConfig, {**leaks, "inputs": {"way": "concat"}}, "asked")
    with pytest.raises(ConfigError, match=r"knows x1 reads the class in x_T .* raise T"):
        config.check_sizes(len(CLASSES), WIDE)
    assert loss_at_start(100, **leaks) < LABELLESS - 0.2
