import math
from typing import Any

import pytest
import torch

from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.optimizer import Average, Update, Weights, decayed, joined, rate_at, share_at


def test_the_rate_rises_then_falls_to_nothing() -> None:
    config = TrainingConfig(steps=100, warmup=0.1, learning_rate=0.5)
    rates = [rate_at(step, config) for step in range(100)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == 0.5
    assert 0 < rates[-1] < 0.005


@pytest.mark.parametrize("model", ["gen-ser", "linear", "transformer-ce"])
def test_biases_norms_and_the_weights_of_layers_do_not_decay(model: str) -> None:
    built: Any = MODELS[model](4, 3, 16, MODELS[model].Config())
    names = decayed(built)
    assert not any(part in name for name in names for part in ("bias", "norm", "fusion"))
    matrices = {name for name, p in built.named_parameters() if p.ndim > 1 and "norm" not in name}
    assert names == matrices
    assert names
    update = Update(Weights(built), TrainingConfig(weight_decay=0.3, steps=4, warmup=0.0))
    before = {name: p.detach().clone() for name, p in built.named_parameters()}
    update.take(0)  # without a gradient decay alone moves a weight
    moved = {name for name, p in built.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name for name in names if before[name].any()}


def test_weights_lie_in_one_row_and_are_released_from_it() -> None:
    layer = torch.nn.Linear(3, 2)
    before = [p.detach().clone() for p in layer.parameters()]
    weights = Weights(layer)
    assert weights.decayed == 6
    for parameter, old in zip(layer.parameters(), before, strict=True):
        assert torch.equal(parameter, old)
    weights.row.fill_(1.0)
    assert all((p == 1).all() for p in layer.parameters())
    weights.release()
    weights.row.fill_(2.0)
    assert all((p == 1).all() for p in layer.parameters())


def test_the_average_is_a_running_mean_of_the_weights() -> None:
    layer = torch.nn.Linear(2, 2)
    weights, config = Weights(layer), TrainingConfig(ema=0.9)
    average = Average(weights)
    expected: torch.Tensor | None = None
    for step in range(20):
        weights.row.fill_(step)
        average.update(share_at(step, config))
        kept = min(0.9, (1 + step) / (10 + step))
        now = weights.row.clone()
        expected = now if expected is None else kept * expected + (1 - kept) * now
    assert expected is not None
    assert torch.allclose(average.row, expected)
    with average.in_place():
        assert torch.allclose(layer.weight.flatten(), expected[:4])
    assert layer.weight[0, 0] == 19
    average.keep()
    assert torch.allclose(layer.weight.flatten(), expected[:4])


def test_a_step_is_that_of_torch_s_own_parts() -> None:
    """Clipping and AdamW, per parameter, with decay on matrices alone."""
    torch.manual_seed(0)
    config = TrainingConfig(steps=50, clip_norm=0.5, weight_decay=0.1, learning_rate=0.01)
    mine, theirs = torch.nn.Linear(5, 4), torch.nn.Linear(5, 4)
    theirs.load_state_dict(mine.state_dict())
    weights = Weights(mine)
    update = Update(weights, config)
    groups: Any = [{"params": [theirs.weight]}, {"params": [theirs.bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.1)
    for step in range(50):
        x = torch.randn(8, 5)
        loss = mine(x).square().sum()
        joined(torch.autograd.grad(loss, weights.parameters), update.gradient)
        update.take(step)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, config)
        optimizer.zero_grad()
        theirs(x).square().sum().backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        optimizer.step()
    assert torch.allclose(mine.weight, theirs.weight, atol=1e-6)
    assert torch.allclose(mine.bias, theirs.bias, atol=1e-6)


def test_without_an_average_the_last_weights_are_kept() -> None:
    config = TrainingConfig(ema=0.0)
    assert [share_at(step, config) for step in (0, 1, 50)] == [1, 1, 1]
    assert math.isclose(share_at(10**6, TrainingConfig(ema=0.99)), 0.01)
