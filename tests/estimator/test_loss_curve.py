"""The steps learn as the plain eager loop: its losses, but for the draws of a seed."""

import statistics

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.gen_ser import GenSER, GenSERConfig
from gensr.estimator.network import NetworkConfig
from gensr.estimator.optimizer import decayed, rate_at
from gensr.estimator.training import fit
from support.toy import CLASSES, K, L, clips

SEEDS = range(12)
OPTIONS = GenSERConfig(network=NetworkConfig(hidden=32, depth=2, heads=2))
BUDGET = TrainingConfig(steps=100, batch_size=32, evaluate_every=20, learning_rate=3e-3)
LOOKS = BUDGET.steps // BUDGET.evaluate_every

Curve = list[float]
"""Mean loss between looks."""


def fresh(seed: int) -> GenSER:
    torch.manual_seed(seed)
    return GenSER(len(CLASSES), K + 1, L, OPTIONS)


def gensr(seed: int) -> Curve:
    return [line.loss for line in fit(fresh(seed), clips(300), BUDGET, seed=seed)]


def plain(seed: int, rate: float = 1.0) -> Curve:
    """DataLoader, backward, clip_grad_norm_, AdamW: eager, in float32.

    Args:
        seed: of weights, order and draws.
        rate: times the learning rate, for a loop that is not the same.
    """
    model = fresh(1000 + seed)
    train = model.prepare(clips(300))
    pairs = TensorDataset(train.batch(torch.arange(len(train))), train.y)
    loader = DataLoader(pairs, BUDGET.batch_size, shuffle=True, drop_last=True)
    matrices = decayed(model)
    optimizer = torch.optim.AdamW(
        [
            {
                "params": [p for n, p in model.named_parameters() if (n in matrices) == decays],
                "weight_decay": BUDGET.weight_decay * decays,
            }
            for decays in (True, False)
        ]
    )
    losses: list[float] = []
    model.train()
    while len(losses) < BUDGET.steps:
        for x, y in loader:
            if len(losses) == BUDGET.steps:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate * rate_at(len(losses), BUDGET)
            optimizer.zero_grad()
            loss = model.loss(x, y, model.draw(len(x)))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), BUDGET.clip_norm)
            optimizer.step()
            losses.append(loss.item())
    each = BUDGET.evaluate_every
    return [statistics.mean(losses[i * each : (i + 1) * each]) for i in range(LOOKS)]


def worst(some: list[Curve], others: list[Curve]) -> float:
    """The largest difference of mean losses at any look, in its standard errors over seeds."""
    return max(
        abs(statistics.mean(a) - statistics.mean(b))
        / ((statistics.variance(a) + statistics.variance(b)) / len(SEEDS)) ** 0.5
        for a, b in zip(zip(*some, strict=True), zip(*others, strict=True), strict=True)
    )


def test_the_curve_is_the_eager_loop_s_within_the_noise_of_seeds() -> None:
    ours = [gensr(seed) for seed in SEEDS]
    assert worst(ours, [plain(seed) for seed in SEEDS]) < 4.5
    assert worst(ours, [plain(seed, rate=0.5) for seed in SEEDS]) > 8
