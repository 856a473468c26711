import math
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.gen_ser import GenSER, GenSERConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.spec import ModelSpec, build
from gensr.estimator.network import NetworkConfig
from gensr.estimator.optimizer import Average, rate_at
from gensr.estimator.resident import Resident
from gensr.estimator.stack import Member
from gensr.estimator.together import fit_together
from gensr.estimator.training import fit
from support.toy import CLASSES, K, L, clips

TINY = NetworkConfig(hidden=32, depth=1, heads=2, dropout=0.1)


def spec(model: str) -> ModelSpec:
    options = {"network": TINY} if model != "linear" else {}
    return ModelSpec(
        model=model,
        classes=CLASSES,
        layers=("0", "1", "last"),
        width=L,
        options=MODELS[model].Config(**options),
    )


def fresh(model: str, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return build(spec(model))


def test_a_checkpoint_of_other_settings_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    fit(fresh("linear"), clips(50), TrainingConfig(steps=5), seed=0, checkpoint=file)
    with pytest.raises(RunError, match="steps=6"):
        fit(fresh("linear"), clips(50), TrainingConfig(steps=6), seed=0, checkpoint=file)
    file.write_bytes(b"not a checkpoint")
    with pytest.raises(RunError, match="is damaged"):
        fit(fresh("linear"), clips(50), TrainingConfig(steps=5), seed=0, checkpoint=file)


def test_a_checkpoint_of_other_options_or_clips_is_refused(tmp_path: Path) -> None:
    """Also of one who trains without a run, whose identity would say so."""
    budget, file, both = TrainingConfig(steps=5), tmp_path / "one", tmp_path / "several"

    def alone(model: Any, n: int = 50) -> None:
        fit(model, clips(n), budget, seed=0, checkpoint=file)

    def together(model: Any, n: int = 50) -> None:
        member = Member(model=model, train=clips(n), config=budget, seed=0)
        fit_together([member], checkpoint=both)

    def other() -> Any:
        config = MODELS["linear"].Config(dropout=0.5)
        return build(replace(spec("linear"), options=config))

    for train in (alone, together):
        train(fresh("linear"))
        train(fresh("linear", seed=1))
        for model, n in ((other(), 50), (fresh("linear"), 49)):
            with pytest.raises(RunError, match=r"made with .* asked for"):
                train(model, n)


def test_stopping_early_keeps_to_the_same_schedule() -> None:
    budget = TrainingConfig(steps=40, evaluate_every=10)
    log = fit(fresh("linear"), clips(60), budget, seed=0)
    stopped = fit(fresh("linear"), clips(60), budget, seed=0, stop=20)
    assert stopped == log[:2]


def test_the_loss_of_an_estimate_of_zero_is_one() -> None:
    model = GenSER(len(CLASSES), K + 1, L, GenSERConfig(network=TINY))
    head: Any = model.network.head
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    batch = clips(32)
    assert model.loss(batch.x, batch.y, model.draw(32)).item() == pytest.approx(1, abs=1e-5)


def test_the_euler_sampler_and_the_state_can_be_read_out_too() -> None:
    for sampler in ("euler", "exact"):
        config = GenSERConfig(
            network=NetworkConfig(hidden=32, depth=1, heads=2, dropout=0.0),
            sampler=sampler,
            sampler_steps=20,
            readout="state",
        )
        torch.manual_seed(0)
        model = GenSER(len(CLASSES), K + 1, L, config)
        fit(model, clips(400), TrainingConfig(steps=200, learning_rate=3e-3), seed=0)
        test = clips(200, seed=1)
        assert (model.predict(test.x).argmax(-1) == test.y).float().mean() > 0.9


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0},
        {"batch_size": 0},
        {"warmup": 1.0},
        {"ema": 1.0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"weight_decay": float("inf")},
    ],
)
def test_a_budget_out_of_range_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        TrainingConfig(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"sampler": "huen"},
        {"readout": "mean"},
        {"start": "middle"},
        {"draws": 2},
        {"start": "noisy", "draws": 0},
        {"sampler_steps": 0},
        {"t_eps": 1.0},
        {"t_eps": 0.0},
        {"T": 1.0},
        {"temperature": 0.0},
    ],
)
def test_a_method_that_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        GenSERConfig(**settings)


def test_a_weight_that_no_answer_depends_on_is_left_to_decay() -> None:
    model = fresh("linear")
    model.unused = torch.nn.Parameter(torch.ones(3))
    fit(model, clips(50), TrainingConfig(steps=5), seed=0)
    assert torch.equal(model.unused, torch.ones(3))  # a vector, so it does not even decay


def test_nothing_to_train_on_is_an_error() -> None:
    empty = Resident(torch.empty(0, K + 1, L), torch.empty(0, dtype=torch.long))
    with pytest.raises(ConfigError, match="no clip"):
        fit(fresh("linear"), empty, TrainingConfig(), seed=0)


@pytest.mark.parametrize("ema", [0.0, 0.99, 0.9999])
def test_the_running_average_forgets_its_start_however_short_the_training(ema: float) -> None:
    learner = fresh("gen-ser")
    fit(learner, clips(400), TrainingConfig(steps=60, ema=ema, learning_rate=3e-3), seed=0)
    test = clips(400, seed=1)
    assert (learner.predict(test.x).argmax(-1) == test.y).float().mean() > 0.9


def test_without_a_record_the_answer_is_the_same_and_only_the_last_is_kept() -> None:
    model = fresh("gen-ser")
    assert isinstance(model, GenSER)
    x = clips(5).x
    whole, last = model.transport(x, N=6), model.transport(x, N=6, record=False)
    assert torch.equal(whole.states[-1], last.states[-1])
    assert torch.equal(whole.estimates[-1], last.estimates[-1])
    assert len(last.states) == len(last.estimates) == 1


def test_weights_that_are_not_finite_are_never_kept(tmp_path: Path, monkeypatch) -> None:
    """The loss of a step is that of the weights before it: the last step may still break them."""
    file, update = tmp_path / "checkpoint", Average.update

    def breaking(average, share):
        update(average, share)
        average.row.fill_(float("inf"))

    monkeypatch.setattr(Average, "update", breaking)
    with pytest.raises(RunError, match=r"diverged: .* weights not finite"):
        fit(fresh("linear"), clips(50), TrainingConfig(steps=1), seed=0, checkpoint=file)
    assert not file.exists()


def test_the_step_that_broke_a_training_is_named_and_its_rate(tmp_path: Path) -> None:
    """Not the look at which it is seen, which may be hundreds of steps later."""
    model, taken = fresh("linear"), 0
    loss = model.loss

    def breaking(*given):
        nonlocal taken
        taken += 1
        return loss(*given) * (math.nan if taken == 13 else 1)

    model.loss = breaking
    config = TrainingConfig(steps=20, evaluate_every=5, learning_rate=1e-3, warmup=0.0)
    at = rate_at(12, config)
    with pytest.raises(RunError, match=rf"loss nan at step 13, seen at 15, .* rate {at:.3g} of"):
        fit(model, clips(50), config, seed=0, checkpoint=tmp_path / "c")


def test_a_flipped_bit_of_a_checkpoint_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    config = TrainingConfig(steps=4)
    fit(fresh("linear"), clips(50), config, seed=0, checkpoint=file, owner="a")
    whole = file.read_bytes()
    for at in range(0, len(whole), len(whole) // 40):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(RunError, match=r"is damaged .*remove it, and --resume"):
            fit(fresh("linear"), clips(50), config, seed=0, checkpoint=file, owner="a")
    file.write_bytes(whole)
    with pytest.raises(RunError, match=r"run=a.*asked for.*run=b"):
        fit(fresh("linear"), clips(50), config, seed=0, checkpoint=file, owner="b")


@pytest.mark.parametrize("together", [False, True])
def test_a_training_that_diverges_names_its_last_good_state(together: bool, tmp_path: Path) -> None:
    file, budget = tmp_path / "checkpoint", TrainingConfig(steps=10, evaluate_every=5)
    broken = clips(50)
    broken.x[3] = float("nan")

    def train(some: Resident, stop: int | None) -> None:
        models = [fresh("linear", seed) for seed in (0, 1)]
        if not together:
            fit(models[0], some, budget, seed=0, stop=stop, checkpoint=file)
            return
        members = [Member(model=one, train=some, config=budget, seed=0) for one in models]
        taken = count()
        with suppress(InterruptedError):  # who was killed after so many steps
            fit_together(members, checkpoint=file, over=lambda: next(taken) == stop)

    train(clips(50), 5)
    good = file.read_bytes()
    with pytest.raises(RunError) as told:
        train(broken, None)
    said = str(told.value)
    assert "loss nan at step 6, seen at 10" in said
    assert " of 0.0005" in said
    assert f"its last good state, of step 5, is {file}" in said
    assert file.read_bytes() == good
