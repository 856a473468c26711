"""What each target wants, the x0 that its answer means, and what it brings with it."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from gensr.estimator.codes.sinusoidal import sinusoidal_codes
from gensr.estimator.config import from_plain
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.models.spec import preset
from gensr.estimator.network import NetworkConfig
from gensr.estimator.paths.bridge import BridgeVariance
from gensr.estimator.paths.exponential import ExponentialMean
from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.paths.registry import MEANS, VARIANCES
from gensr.estimator.samplers.euler import euler
from gensr.estimator.samplers.sampler import time_grid
from gensr.estimator.targets.checks import check_carried, check_estimate
from gensr.estimator.targets.flow import FlowTarget
from gensr.estimator.targets.objective import matching_loss
from gensr.estimator.targets.registry import TARGETS
from gensr.estimator.targets.score import ScoreTarget
from gensr.estimator.targets.target import Target

PATHS = [
    pytest.param(GaussianPath(mean=MEANS[mean](), variance=VARIANCES[var]()), id=f"{mean}-{var}")
    for mean in ("logistic", "linear", "ve", "vp")
    for var in ("bridge", "constant", "exploding")
]
BRIDGE = GaussianPath(mean=MEANS["logistic"](), variance=VARIANCES["bridge"]())
TIMES = torch.tensor([0.03, 0.2, 0.5, 0.8, 0.9], dtype=torch.float64)


def _drawn(B: int = 5, L: int = 16) -> tuple[Tensor, Tensor, Tensor]:
    """x0, x1, z: (B, L) float64."""
    g = torch.Generator().manual_seed(0)
    x0 = sinusoidal_codes(B, L).double()
    x1, z = (torch.randn(B, L, generator=g, dtype=torch.float64) for _ in range(2))
    return x0, x1, z


def _target(name: str) -> Target:
    return ScoreTarget(precondition=False) if name == "plain score" else TARGETS[name]()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["x0", "flow", "score", "plain score"])
def test_of_a_true_answer_x0_is_the_label_s_code(name: str, path: GaussianPath) -> None:
    target, (x0, x1, z) = _target(name), _drawn()
    x_t = path.perturb(x0, x1, TIMES, z)
    given = target.wanted(path, x0, x1, TIMES, z)
    for i, t in enumerate(TIMES):
        found = target.estimate(path, given[i : i + 1], x_t[i : i + 1], x1[i : i + 1], t[None])
        assert torch.allclose(found[0], x0[i], atol=1e-8)


@pytest.mark.parametrize("path", PATHS)
def test_flow_wants_the_field_of_equation_5(path: GaussianPath) -> None:
    x0, x1, z = _drawn()
    x_t = path.perturb(x0, x1, TIMES, z)
    wanted = FlowTarget().wanted(path, x0, x1, TIMES, z)
    assert torch.allclose(wanted, path.velocity(x_t, x0, x1, TIMES), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", PATHS)
def test_euler_integrates_what_flow_gave(path: GaussianPath) -> None:
    """The x0_hat between is a detour that changes nothing: x_s = x_t - (t - s) u."""
    _, x1, _ = _drawn()
    target = FlowTarget()

    def u(x: Tensor, t: Tensor) -> Tensor:  # any field
        return torch.sin(3 * x) + t

    times = time_grid(0.9, 0.03, 5).double()
    way = euler(lambda x, t: target.estimate(path, u(x, t), x, x1, t), path, x1, times)
    x = x1
    for t, s in pairwise(times):
        x = x - (t - s) * u(x, t[None])
    assert torch.allclose(way.states[-1], x, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["x0", "flow", "score", "plain score"])
def test_an_error_grows_as_it_is_said(name: str, path: GaussianPath) -> None:
    target, (x0, x1, z) = _target(name), _drawn()
    x_t = path.perturb(x0, x1, TIMES, z)
    for i, t in enumerate(TIMES):
        here = [each[i : i + 1] for each in (target.wanted(path, x0, x1, TIMES, z), x_t, x1)]
        exact = target.estimate(path, here[0], here[1], here[2], t[None])
        off = target.estimate(path, here[0] + 1e-3, here[1], here[2], t[None])
        grown = (off - exact).abs().mean() / 1e-3
        assert grown == pytest.approx(float(target.amplified(path, t[None]).abs()), rel=1e-6)


@pytest.mark.parametrize("name", ["x0", "flow", "score"])
def test_a_loss_of_one_is_an_answer_of_zero(name: str) -> None:
    x0, x1, z = _drawn()
    y = torch.arange(5)
    zero = lambda x_t, t: torch.zeros_like(x_t)  # noqa: E731
    loss = matching_loss(zero, BRIDGE, TARGETS[name](), x0, y, x1, TIMES, z, BRIDGE.at(TIMES))
    assert loss.item() == pytest.approx(1)


def test_divisors_are_those_of_the_design() -> None:
    """.034 and 7e-5 at T = .999: why neither is read there."""
    t = torch.tensor([0.999], dtype=torch.float64)
    assert 1 / FlowTarget().amplified(BRIDGE, t).item() == pytest.approx(0.034, abs=5e-4)
    left = BRIDGE.variance.sigma(t) / ScoreTarget(precondition=False).amplified(BRIDGE, t)
    assert left.item() == pytest.approx(7e-5, abs=5e-6)


@pytest.mark.parametrize("path", PATHS)
def test_a_preconditioned_network_is_asked_for_unit_variance(path: GaussianPath) -> None:
    """Whatever the time, and what it gets wrong does not grow."""
    g = torch.Generator().manual_seed(0)
    x0 = sinusoidal_codes(200, 512).double()
    x1, z = (torch.randn(200, 512, generator=g, dtype=torch.float64) for _ in range(2))
    for t in torch.tensor([0.03, 0.5, 0.9, 0.99], dtype=torch.float64):
        wanted = ScoreTarget().wanted(path, x0, x1, t.expand(200), z)
        assert wanted.square().mean().item() == pytest.approx(1, rel=0.03)
        assert ScoreTarget().amplified(path, t[None]).item() < 0.71


def test_a_mean_that_still_carries_the_label_is_refused() -> None:
    theirs = GaussianPath(mean=ExponentialMean(gamma=1.5), variance=VARIANCES["exploding"]())
    with pytest.raises(ConfigError, match=r"the mean ve still carries 22\.3 % of the label"):
        check_carried(theirs, 0.999)
    check_carried(GaussianPath(mean=ExponentialMean(), variance=theirs.variance), 0.999)
    with pytest.raises(ConfigError, match=r"carries 30\.0 %"):
        GenSERConfig(mean=MEANS["linear"](), T=0.7).check_training()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["x0", "flow", "score"])
def test_each_is_trained_or_refused_in_one_line(name: str, path: GaussianPath) -> None:
    """Refused is flow where (1 - a) / sigma turns: a mean that never arrives, on a bridge."""
    config = from_plain(
        GenSERConfig,
        {"target": name, "mean": path.mean.name, "variance": path.variance.name},
        "asked",
    )
    refused = name == "flow" and path.mean.name in ("ve", "vp") and path.variance.name == "bridge"
    if not refused:
        config.check_training()
        return
    with pytest.raises(ConfigError, match="the target flow says nothing of x0 at t = ") as error:
        config.check_training()
    assert "\n" not in str(error.value)


def test_a_divisor_of_zero_is_found_between_the_times_too() -> None:
    path = GaussianPath(mean=ExponentialMean(), variance=VARIANCES["bridge"]())
    check_estimate(FlowTarget(), path, 0.03, 0.9)
    with pytest.raises(ConfigError, match=r"at t = 0\.95"):
        check_estimate(FlowTarget(), path, 0.03, 0.99)


OWN = dict(FlowTarget.defaults)


def settled(plain: dict[str, Any], base: GenSERConfig | None = None) -> dict[str, Any]:
    config = from_plain(GenSERConfig, plain, "asked", base=base)
    return {name: getattr(config, name) for name in OWN}


def test_a_target_brings_its_own_settings_and_what_is_asked_for_stands() -> None:
    assert settled({"target": "flow"}) == OWN
    assert settled({"target": "flow", "T": 0.9, "sampler": "heun"}) == OWN | {
        "T": 0.9,
        "sampler": "heun",
    }
    assert settled({"target": "x0"}) == settled({})
    assert settled({"target": {"name": "flow"}}) == OWN


def test_a_target_over_another_s_config_leaves_what_was_changed() -> None:
    flow = from_plain(GenSERConfig, {"target": "flow", "T": 0.9}, "asked")
    assert settled({"target": "x0"}, flow) == settled({}) | {"T": 0.9}
    assert settled({"sampler_steps": 7}, flow) == OWN | {"T": 0.9, "sampler_steps": 7}
    changed = from_plain(GenSERConfig, {"sampler_steps": 9}, "asked")
    assert settled({"target": "flow"}, changed) == OWN | {"sampler_steps": 9}


def test_a_preset_begins_from_the_target_that_is_asked_for() -> None:
    """So that a setting of a file that equals the usual one stands against the target's."""
    options, budget = preset("gen-ser", "small", {"target": "flow", "T": 0.999})
    assert {name: getattr(options, name) for name in OWN} == OWN
    assert budget == TrainingConfig.small()
    paths = options.variance, options.times, options.sampler_steps
    assert paths == (BridgeVariance(), 1.0, 20)
    score = preset("gen-ser", "small", {"target": "score"})[0]
    assert (score.variance, score.times) == (BridgeVariance(strength=8.0), 4.0)
    assert options.network == NetworkConfig.small()
    assert from_plain(GenSERConfig, {"target": "flow", "T": 0.999}, "file", base=options).T == 0.999
    assert preset("gen-ser", "paper", {})[0] == GenSERConfig.paper()
    assert preset("linear", "small", {"target": "flow"})[1] == TrainingConfig()
    assert preset("gen-ser", "small", {}) == (GenSERConfig.small(), TrainingConfig())
    assert preset("gen-ser", "small", {"target": "x0"})[0] == GenSERConfig.small()


@pytest.mark.parametrize("name", ["constant", "exploding"])
def test_a_variance_with_noise_at_the_start_brings_a_noisy_one(name: str) -> None:
    def start(plain: dict[str, Any], base: GenSERConfig | None = None) -> tuple[str, int]:
        config = from_plain(GenSERConfig, plain, "asked", base=base)
        return config.start, config.draws

    assert start({"variance": name}) == ("noisy", 4)
    assert start({"variance": {"name": name}, "draws": 2}) == ("noisy", 2)
    assert start({"variance": name, "start": "speech", "draws": 1}) == ("speech", 1)
    assert start({"variance": name}, GenSERConfig.small()) == ("noisy", 4)
    assert start({"variance": name, "target": "flow"}) == ("noisy", 4)
    noisy = from_plain(GenSERConfig, {"variance": name}, "asked")
    assert start({"variance": "bridge"}, noisy) == ("speech", 1)


def test_who_reads_the_state_takes_the_steps_that_move_it() -> None:
    small = GenSERConfig.small()
    read = from_plain(GenSERConfig, {"readout": "state"}, "asked", base=small)
    assert (small.sampler_steps, read.sampler_steps) == (1, 20)
    asked = {"readout": "state", "sampler_steps": 2}
    assert from_plain(GenSERConfig, asked, "asked", base=small).sampler_steps == 2
    kept = from_plain(GenSERConfig, {"readout": "state"}, "a run that is read again")
    assert kept.sampler_steps == GenSERConfig().sampler_steps


def test_a_class_that_nobody_learnt_and_sure_scores_do_not_bend_a_temperature() -> None:
    """Of an SVM's: what floors do to probabilities, scores do not know."""
    from gensr.estimator.held_out import temperature_of

    g = torch.Generator().manual_seed(0)
    scores = 3 * torch.randn(4000, 5, generator=g, dtype=torch.float64)
    y = torch.distributions.Categorical(logits=scores).sample()
    assert temperature_of(6 * scores, y) == pytest.approx(6, rel=0.1)
    unknown = scores.clone()
    unknown[:400, 4], some = -torch.inf, y.clone()
    some[:400] = 4
    assert temperature_of(unknown, some) == pytest.approx(1, rel=0.1)
    assert temperature_of(torch.full((3, 2), -torch.inf), torch.zeros(3, dtype=torch.long)) == 1.0
