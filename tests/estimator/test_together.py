"""Models that are trained as one program are those that are trained one after another."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from gensr.estimator.checkpoint import Checkpoint
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import LogEntry, TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.network import NetworkConfig
from gensr.estimator.paths.logistic import LogisticMean
from gensr.estimator.stack import Member
from gensr.estimator.targets.x0 import X0Target
from gensr.estimator.together import fit_together
from gensr.estimator.training import fit
from support.contracts.model import same
from support.toy import CLASSES, K, L, clips

TINY = NetworkConfig(hidden=32, depth=2, heads=2, dropout=0.1)
BUDGET = TrainingConfig(steps=40, batch_size=16, evaluate_every=10, learning_rate=3e-3)


class Shifted(X0Target):
    """Another target, as far as anybody can tell."""


def fresh(model: str, seed: int, **options: Any) -> Any:
    torch.manual_seed(seed)
    network = {} if model in ("linear", "mlp") else {"network": TINY}
    return MODELS[model](len(CLASSES), K + 1, L, MODELS[model].Config(**network, **options))


def members(model: str, count: int = 4, **config: Any) -> list[Member]:
    """Folds of one set of clips, a seed each."""
    whole, rows = clips(200), torch.arange(200)
    return [
        Member(
            model=fresh(model, seed=e),
            train=whole.take(rows[rows % count != e]),
            dev=whole.take(rows[rows % count == e]),
            config=replace(BUDGET, **config),
            seed=10 + e,
        )
        for e in range(count)
    ]


def alone(each: Member, model: Any) -> list[LogEntry]:
    return fit(model, each.train, each.config, seed=each.seed, dev=each.dev, stop=each.stop)


def close(one: Any, other: Any) -> None:
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("model", ["gen-ser", "linear", "mlp", "transformer-ce", "transformer-mse"])
def test_each_ends_as_on_its_own(model: str) -> None:
    together = members(model)
    logs = fit_together(together)
    for e, (each, log) in enumerate(zip(together, logs, strict=True)):
        one = fresh(model, seed=e)
        for mine, theirs in zip(log, alone(each, one), strict=True):
            assert (mine.step, mine.dev_accuracy) == (theirs.step, theirs.dev_accuracy)
            assert mine.loss == pytest.approx(theirs.loss, abs=1e-5)
            assert mine.dev_loss == pytest.approx(theirs.dev_loss, abs=1e-5)
        close(each.model, one)
        assert not each.model.training


def test_settings_that_only_draws_know_may_differ_and_so_may_rates() -> None:
    """And each may end at a step of its own."""
    ways: list[dict[str, Any]] = [{}, {"mean": LogisticMean(k=2.0)}, {"t_eps": 0.2}, {"T": 0.7}]
    rates = [3e-3, 3e-3, 1e-3, 3e-2]
    stops = [None, 20, 30, 10]
    base = members("gen-ser")
    together = [
        replace(
            each,
            model=fresh("gen-ser", e, **way),
            config=replace(BUDGET, learning_rate=rate, clip_norm=0.1 + e, ema=0.5 + e / 10),
            stop=stop,
        )
        for e, (each, way, rate, stop) in enumerate(zip(base, ways, rates, stops, strict=True))
    ]
    logs = fit_together(together)
    for e, (each, way) in enumerate(zip(together, ways, strict=True)):
        one = fresh("gen-ser", e, **way)
        assert [line.step for line in alone(each, one)] == [line.step for line in logs[e]]
        close(each.model, one)


def test_a_resumed_one_is_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit, those that ended early too."""
    file, saved = tmp_path / "checkpoint", Checkpoint.save

    def made() -> list[Member]:
        return [replace(each, stop=[None, 10][e % 2]) for e, each in enumerate(members("gen-ser"))]

    whole = made()
    logs = fit_together(whole)

    def dies(checkpoint: Checkpoint, path: Path, log: Any) -> None:
        saved(checkpoint, path, log)
        if log[-1][1] == 10 and max(line[1] for line in log) == 20:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", dies)
        with pytest.raises(KeyboardInterrupt):
            fit_together(made(), checkpoint=file, owner="a")
    again, told = made(), list[int]()
    torch.manual_seed(99)
    assert fit_together(again, checkpoint=file, owner="a", report=told.append) == logs
    assert told == [20, 10, 10]
    for one, other in zip(whole, again, strict=True):
        same(one.model, other.model)  # type: ignore[arg-type]
    with pytest.raises(RunError, match=r"run=a.*asked for.*run=b"):
        fit_together(made(), checkpoint=file, owner="b")


def test_the_generator_is_left_as_it_was() -> None:
    before = torch.get_rng_state()
    made = members("linear", steps=3)
    torch.set_rng_state(before)
    fit_together(made)
    assert torch.equal(torch.get_rng_state(), before)


def test_one_that_diverges_is_an_error() -> None:
    made = members("linear")
    made[2] = replace(made[2], config=replace(BUDGET, learning_rate=1.0, clip_norm=1e30))
    broken = clips(50)
    broken.x[3] = float("nan")
    made[1] = replace(made[1], train=broken)
    with pytest.raises(RunError, match="diverged: loss nan at step 1, seen at 10"):
        fit_together(made)


def test_when_nobody_waits_it_ends() -> None:
    with pytest.raises(InterruptedError):
        fit_together(members("linear"), over=lambda: True)


@pytest.mark.parametrize(
    "other",
    [
        {"model": fresh("linear", 0)},
        {"model": fresh("gen-ser", 0, target=Shifted())},
        {"config": replace(BUDGET, steps=41)},
        {"train": clips(15)},
    ],
    ids=["class", "target", "steps", "batch"],
)
def test_what_is_not_alike_is_refused(other: dict[str, Any]) -> None:
    made = members("gen-ser")
    with pytest.raises(ConfigError, match="train these one after another"):
        fit_together([*made, replace(made[0], **other)])


def test_of_another_target_paths_may_not_differ() -> None:
    """It may ask the path for more than `draw` gives."""
    one = fresh("gen-ser", 0, target=Shifted())
    assert one.trains_with(fresh("gen-ser", 1, target=Shifted()))
    assert not one.trains_with(fresh("gen-ser", 1, target=Shifted(), T=0.5))


def test_some_with_dropout_and_some_without_are_refused() -> None:
    """One would draw a mask, and one none."""
    still = NetworkConfig(hidden=32, depth=2, heads=2, dropout=0.0)
    much = NetworkConfig(hidden=32, depth=2, heads=2, dropout=0.4)
    assert fresh("gen-ser", 0).trains_with(_of(much))
    assert not fresh("gen-ser", 0).trains_with(_of(still))
    assert not _of(still).trains_with(fresh("gen-ser", 0))


def _of(network: NetworkConfig) -> Any:
    return MODELS["gen-ser"](4, K + 1, L, MODELS["gen-ser"].Config(network=network))


def test_of_other_classes_is_refused() -> None:
    made = members("gen-ser")
    other: Any = MODELS["gen-ser"](3, K + 1, L, MODELS["gen-ser"].Config(network=TINY))
    with pytest.raises(ConfigError, match="train these one after another"):
        fit_together([*made, replace(made[0], model=other)])


def test_two_may_learn_from_one_part_whoever_owns_it() -> None:
    """A part that may be changed in place is not, where others learn from it too."""
    part = clips(100).take(torch.arange(90), alone=True)
    before = part.x.clone()
    made = [Member(model=fresh("linear", e), train=part, config=BUDGET, seed=e) for e in range(2)]
    fit_together(made)
    assert torch.equal(part.x, before)
    for e, each in enumerate(made):
        one = fresh("linear", e)
        fit(one, clips(100).take(torch.arange(90)), BUDGET, seed=e)
        close(each.model, one)


def test_one_that_ends_between_looks_changes_nobody_s_log() -> None:
    made = members("linear")
    made[1] = replace(made[1], stop=15)
    logs = fit_together(made)
    assert [[line.step for line in log] for log in logs[:2]] == [[10, 20, 30, 40], [10, 15]]
    for e in (0, 1):
        for mine, theirs in zip(logs[e], alone(made[e], fresh("linear", e)), strict=True):
            assert mine.loss == pytest.approx(theirs.loss, abs=1e-5)


def test_no_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="no model"):
        fit_together([])
