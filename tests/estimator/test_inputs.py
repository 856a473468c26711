"""Ways of the layers into a network, and what training may choose."""

from typing import Any

import pytest
import torch

from gensr.estimator.balance import class_weights, smoothed
from gensr.estimator.config import from_plain
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.inputs import InputsConfig, LayerFusion
from gensr.estimator.models.registry import MODELS
from gensr.estimator.network import NetworkConfig
from gensr.estimator.optimizer import Update, Weights
from gensr.estimator.resident import Resident
from gensr.estimator.stack import Member
from gensr.estimator.targets.target import draw_times
from gensr.estimator.together import fit_together
from gensr.estimator.tokens import TokenAttention, TokenEstimator
from gensr.estimator.training import fit
from support.contracts.model import ModelContract
from support.toy import CLASSES, K, L, clips

SMALL = {"hidden": 32, "depth": 1, "heads": 2, "dropout": 0.1}


def fresh(model: str = "gen-ser", seed: int = 0, **options: Any) -> Any:
    torch.manual_seed(seed)
    config = from_plain(MODELS[model].Config, {"network": SMALL, **options}, model)
    return MODELS[model](len(CLASSES), K + 1, L, config)


def one_telling(n: int = 240) -> Resident:
    """Clips of which layer 1 alone tells the class."""
    g = torch.Generator().manual_seed(0)
    given = clips(n)
    x = torch.randn(given.x.shape, generator=g)
    x[:, 1] = given.x[:, 1]
    return Resident(x, given.y, groups=given.groups)


class TestConcat(ModelContract):
    model = "gen-ser"
    options = {"network": SMALL, "inputs": {"way": "concat", "layers": "auto"}, "times": 4}


class TestTokens(ModelContract):
    model = "transformer-mse"
    options = {"network": SMALL, "inputs": {"way": "tokens", "layers": "auto", "dropout": 0.2}}


@pytest.mark.parametrize("way", ["sum", "concat", "tokens", "one"])
def test_scores_are_of_the_training_part_and_saved(way: str) -> None:
    model = fresh(inputs={"way": way, "layers": "auto"})
    model.prepare(one_telling())
    scores = model.weights()["network.fusion.scores"]
    assert scores.argmax() == 1
    assert scores.sum().item() == pytest.approx(1, abs=1e-5)
    if way == "sum":
        assert torch.allclose(model.network.fusion.weight, scores[:-1] / scores[:-1].sum())
    if way == "one":
        x = torch.randn(3, K + 1, L)
        assert torch.equal(model.network.fusion(x), x[:, 1])


@pytest.mark.parametrize("way", ["sum", "concat", "tokens", "one"])
def test_models_of_other_scores_train_as_one_program(way: str) -> None:
    """Each by its own."""
    inputs = {"way": way, "layers": "auto", **({} if way == "one" else {"dropout": 0.3})}
    budget = TrainingConfig(steps=6, batch_size=16, evaluate_every=3)
    parts = [clips(120), one_telling(120)]
    made = [
        Member(model=fresh(seed=e, inputs=inputs, balance=True), train=part, config=budget, seed=e)
        for e, part in enumerate(parts)
    ]
    fit_together(made)
    for e, each in enumerate(made):
        alone = fresh(seed=e, inputs=inputs, balance=True)
        fit(alone, parts[e], budget, seed=e)
        for mine, theirs in zip(each.model.parameters(), alone.parameters(), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-5)


def test_queries_and_keys_of_tokens_live_and_a_dropped_layer_is_out_of_reach() -> None:
    torch.manual_seed(0)
    config = NetworkConfig(hidden=16, depth=2, heads=2, dropout=0.0)
    net = TokenEstimator(K, L, config, InputsConfig(way="tokens"))
    x, X, t = torch.randn(4, L), torch.randn(4, K + 1, L), torch.rand(4)
    net(x, X, t).square().sum().backward()
    attention = net.blocks[0].attention
    assert isinstance(attention, TokenAttention)
    assert attention.inner.weight.grad is not None
    assert attention.inner.weight.grad[:32].abs().max() > 0
    counts = torch.full((4, K + 1), 0.5)
    counts[:, 0] = 0
    other = X.clone()
    other[:, 0] += 5
    assert torch.allclose(net(x, X, t, None, counts), net(x, other, t, None, counts), atol=1e-5)
    once = net.estimate(x, net.condition(X), torch.tensor([0.3]))
    assert torch.allclose(once, net(x, X, torch.full((4,), 0.3)), atol=1e-5)


def test_the_sum_has_a_rate_of_its_own_and_does_not_decay() -> None:
    moved = []
    for rate in (1.0, 20.0):
        fusion = LayerFusion(3, L, InputsConfig(rate=rate))
        config = TrainingConfig(learning_rate=1e-3, warmup=0.0, weight_decay=1.0)
        update = Update(Weights(fusion), config)
        update.gradient.fill_(0.01)
        before = fusion.weight.detach().clone()
        update.take(0)
        moved.append((before - fusion.weight.detach()).mean().item())
    assert moved[1] == pytest.approx(20 * moved[0], rel=1e-3)
    assert moved[0] == pytest.approx(1e-3, rel=1e-3)


def test_the_twin_has_gen_ser_s_weights_times_and_noise_and_no_label() -> None:
    one, twin = fresh(), fresh("transformer-mse")
    for mine, theirs in zip(one.parameters(), twin.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    draws = []
    for model in (one, twin):
        torch.manual_seed(3)
        draws.append(model.draw(50))
    for name in ("t", "z", "sigma", "kept"):
        assert torch.equal(draws[0][name], draws[1][name]), name
    seen: list[torch.Tensor] = []

    def forward(state: torch.Tensor, *rest: object) -> torch.Tensor:
        seen.append(state)
        return torch.zeros_like(state)

    twin.network.forward = forward
    x = torch.randn(50, K + 1, L)
    for label in (0, 1):
        twin.loss(x, torch.full((50,), label), draws[1])
    assert torch.equal(*seen)


def test_the_classifier_with_the_twin_s_noise_differs_from_it_by_the_loss_alone() -> None:
    """Its weights, times, noise and state; and clean, it draws nothing, as before."""
    noise: dict[str, Any] = {"sigma": 8.0, "times": 4.0}
    one, twin = fresh("transformer-ce", state="noisy", **noise), fresh("transformer-mse", **noise)
    for mine, theirs in zip(one.network.parameters(), twin.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    seen: list[tuple[torch.Tensor, ...]] = []
    x, y = torch.randn(50, K + 1, L), torch.randint(len(CLASSES), (50,))
    for model in (one, twin):

        def forward(state: torch.Tensor, layers: torch.Tensor, t: torch.Tensor, *_: object):
            seen.append((state, layers, t))
            return torch.zeros_like(state)

        torch.manual_seed(3)
        draws = model.draw(50)
        model.network.forward = forward
        model.loss(x, y, draws)
    for mine, theirs in zip(*seen, strict=True):
        assert torch.allclose(mine, theirs)
    assert "noise" not in fresh("transformer-ce").draw(5)


def test_the_classifier_answers_at_the_last_time_without_noise() -> None:
    model = fresh("transformer-ce", state="noisy", T=0.9)
    seen: list[torch.Tensor] = []

    def forward(state: torch.Tensor, layers: object, t: torch.Tensor, *_: object) -> torch.Tensor:
        seen.extend([state, t])
        return torch.zeros_like(state)

    model.network.forward = forward
    x = torch.randn(5, K + 1, L)
    model.logits(x)
    assert torch.equal(seen[0], x[:, -1])
    assert seen[1].tolist() == pytest.approx([0.9])


def test_times_near_the_end_have_the_density_that_is_said() -> None:
    torch.manual_seed(0)
    t = draw_times(40_000, 0.0, 1.0, torch.device("cpu"), 4.0)
    assert t.mean().item() == pytest.approx(4 / 5, abs=0.005)  # of density 4 t^3


def test_classes_weigh_the_same_and_smoothing_keeps_the_argmax() -> None:
    y = torch.tensor([0] * 30 + [1] * 10)
    weights = class_weights(y, 3)
    assert weights[2] == 0
    assert weights[y].mean().item() == pytest.approx(1)
    assert (30 * weights[0]).item() == pytest.approx((10 * weights[1]).item())
    codes = torch.eye(4)
    soft = smoothed(codes, 0.2)
    assert torch.allclose(soft.sum(-1), torch.ones(4))
    assert torch.equal(soft.argmax(-1), torch.arange(4))
    assert smoothed(codes, 0.0) is codes


WEIGHED = [name for name in MODELS if hasattr(MODELS[name].Config(), "balance")]


@pytest.mark.parametrize("model", WEIGHED)
def test_a_loss_is_the_mean_of_the_clips_by_what_their_classes_count(model: str) -> None:
    few = {"balance": True} if model == "mlp" else {"balance": True, "network": SMALL}
    torch.manual_seed(0)
    one: Any = MODELS[model](3, K + 1, L, from_plain(MODELS[model].Config, few, model))
    y = torch.tensor([0, 0, 0, 2])
    x = one.prepare(Resident(torch.randn(4, K + 1, L), y)).x
    draws = one.draw(4)
    each = [one.loss(x[i : i + 1], y[i : i + 1], rows(draws, i)) for i in range(4)]
    counted = torch.tensor([2 / 3, 2 / 3, 2 / 3, 2])
    alone = torch.stack([cost / weight for cost, weight in zip(each, counted, strict=True)])
    assert torch.allclose(one.loss(x, y, draws), (alone * counted).mean(), rtol=1e-4)
    unweighed = {name: drawn for name, drawn in draws.items() if name != "balance"}
    assert torch.allclose(one.loss(x, y, unweighed), alone.mean(), rtol=1e-4)
    assert alone.std() > 0.01


def rows(draws: dict[str, torch.Tensor], i: int) -> dict[str, torch.Tensor]:
    """Those of one clip; what dropout keeps has its batch elsewhere."""
    return {name: drawn[i : i + 1] for name, drawn in draws.items()}


@pytest.mark.parametrize("model", WEIGHED)
def test_a_loss_smoothed_to_the_mean_of_all_classes_asks_for_none(model: str) -> None:
    few = {} if model == "mlp" else {"network": SMALL}

    def cost(label: int, e: float) -> float:
        torch.manual_seed(0)
        options = from_plain(MODELS[model].Config, {**few, "smoothing": e}, model)
        one: Any = MODELS[model](3, K + 1, L, options)
        x, y = torch.randn(6, K + 1, L), torch.full((6,), label)
        found: float = one.loss(x, y, one.draw(6)).item()
        return found

    apart = [abs(cost(0, e) - cost(1, e)) for e in (0.0, 0.99999)]
    assert apart[0] > 1e-3
    assert apart[1] < 1e-4


@pytest.mark.parametrize(
    "wrong",
    [
        {"way": "mean"},
        {"layers": "best"},
        {"way": "one"},
        {"way": "one", "layer": 1, "layers": "auto"},
        {"layer": 1},
        {"way": "concat", "rate": 2.0},
        {"dropout": 1.0},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        InputsConfig(**wrong)
