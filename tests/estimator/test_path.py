import math

import pytest
import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.bridge import BridgeVariance
from gensr.estimator.paths.constant import ConstantVariance
from gensr.estimator.paths.exploding import ExplodingVariance
from gensr.estimator.paths.exponential import ExponentialMean
from gensr.estimator.paths.linear import LinearMean
from gensr.estimator.paths.logistic import LogisticMean
from gensr.estimator.paths.path import GaussianPath, MeanSchedule, VarianceSchedule
from gensr.estimator.paths.preserving import PreservingMean
from gensr.estimator.paths.registry import MEANS, VARIANCES

INSIDE = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)


def _derivative(function, t: Tensor) -> Tensor:
    t = t.clone().requires_grad_()
    return torch.autograd.grad(function(t).sum(), t)[0]


@pytest.mark.parametrize("k", [0.01, 1.0, 5.0, 10.0, 20.0, 60.0])
def test_the_stable_form_equals_equation_6_as_printed(k: float) -> None:
    half = math.exp(k / 2)
    printed = ((1 + half) / (1 + torch.exp(-k * (INSIDE - 0.5))) - 1) / (half - 1)
    tolerance = 4e-16 * max(1.0, 4 / k)  # the printed form cancels at small k
    assert torch.allclose(LogisticMean(k=k).a(INSIDE), printed, rtol=0, atol=2 * tolerance)


def test_the_stable_form_stands_where_the_printed_one_is_nan() -> None:
    t = torch.linspace(0, 1, 11)
    half = torch.exp(torch.tensor(200.0) / 2)  # inf in fp32
    printed = (1 + half) / (1 + torch.exp(-200 * (t - 0.5))) - 1
    assert torch.isnan(printed / (half - 1)).any()
    assert torch.isfinite(LogisticMean(k=200.0).a(t)).all()
    assert torch.isfinite(LogisticMean(k=200.0).d_a(t)).all()


@pytest.mark.parametrize("k", [0.0, 1e-4, 1.0, 10.0, 200.0])
def test_it_goes_from_label_to_speech_through_the_middle(k: float) -> None:
    a = LogisticMean(k=k).a(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))
    assert a.tolist() == pytest.approx([0, 0.5, 1], abs=1e-12)


def test_small_k_is_the_linear_schedule() -> None:
    assert torch.allclose(LogisticMean(k=1e-3).a(INSIDE), INSIDE, atol=1e-7)
    assert torch.equal(LogisticMean(k=0.0).a(INSIDE), INSIDE)
    assert torch.equal(LogisticMean(k=0.0).d_a(INSIDE), torch.ones_like(INSIDE))


MEANS_OF_ALL = [
    *(LogisticMean(k=k) for k in (0.0, 0.5, 10.0, 40.0)),
    LinearMean(),
    *(ExponentialMean(gamma=gamma) for gamma in (1.5, 10.0)),
    *(PreservingMean(beta_min=low, beta_max=high) for low, high in ((0.1, 20.0), (5.0, 5.0))),
]
VARIANCES_OF_ALL = [
    BridgeVariance(strength=0.7),
    ConstantVariance(strength=0.3),
    *(ExplodingVariance(gamma=gamma) for gamma in (0.0, 1.5, 10.0, 200.0)),
    ExplodingVariance(sigma_min=0.01, sigma_max=50.0),
]


def test_every_schedule_of_ours_is_held_to_its_derivative() -> None:
    assert {one.name for one in MEANS_OF_ALL} == {*MEANS} - {*MEANS.foreign()}
    assert {one.name for one in VARIANCES_OF_ALL} == {*VARIANCES} - {*VARIANCES.foreign()}


@pytest.mark.parametrize("mean", MEANS_OF_ALL, ids=str)
def test_exact_derivatives_of_means_against_autograd(mean: MeanSchedule) -> None:
    assert torch.allclose(mean.d_a(INSIDE), _derivative(mean.a, INSIDE), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("variance", VARIANCES_OF_ALL, ids=str)
def test_exact_derivatives_of_variances_against_autograd(variance: VarianceSchedule) -> None:
    log_sigma = _derivative(lambda t: variance.sigma(t).log() + 0 * t, INSIDE)
    assert torch.allclose(variance.d_log_sigma(INSIDE), log_sigma, rtol=1e-9)


@pytest.mark.parametrize("mean", MEANS_OF_ALL, ids=str)
def test_every_mean_rises_from_the_label_towards_speech(mean: MeanSchedule) -> None:
    a = mean.a(torch.linspace(0, 1, 101, dtype=torch.float64))
    assert a[0].abs() < 1e-12
    assert (a.diff() > 0).all()
    assert a[-1] <= 1 + 1e-12


@pytest.mark.parametrize("variance", VARIANCES_OF_ALL, ids=str)
def test_every_schedule_is_finite_in_float32(variance: VarianceSchedule) -> None:
    t = torch.linspace(0.001, 0.999, 99)
    assert torch.isfinite(variance.sigma(t)).all()
    assert (variance.sigma(t) > 0).all()
    assert torch.isfinite(variance.d_log_sigma(t)).all()


def test_ve_and_exploding_are_the_moments_of_their_process() -> None:
    """dx = gamma (x1 - x) dt + g dw, g = sigma_min rho^t sqrt(2 log rho) (SGMSE+), by its ODEs."""
    gamma, low, high = 1.5, 0.05, 0.5
    mean, variance = ExponentialMean(gamma=gamma), ExplodingVariance(gamma=gamma)
    t = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    rate = math.log(high / low)
    g2 = low**2 * torch.exp(2 * rate * t) * 2 * rate
    weight = torch.exp(2 * gamma * t)  # d(var e^(2 gamma t)) = g^2 e^(2 gamma t) dt
    var = torch.trapezoid(g2 * weight, t) / weight[-1]
    assert variance.sigma(t[-1]).item() == pytest.approx(var.sqrt().item(), rel=1e-6)
    assert mean.a(t[-1]).item() == pytest.approx(1 - math.exp(-gamma))


def test_without_a_pull_exploding_is_that_of_song_et_al() -> None:
    found = ExplodingVariance(gamma=0.0).sigma(INSIDE)
    theirs = (0.05 * 10**INSIDE).square() - 0.05**2
    assert torch.allclose(found.square(), theirs, rtol=1e-9)


def test_vp_leaves_of_the_label_what_song_et_al_s_diffusion_leaves_of_its_data() -> None:
    t = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    spent = torch.trapezoid(0.1 + 19.9 * t, t)
    left = 1 - PreservingMean().a(t[-1])
    assert left.item() == pytest.approx(math.exp(-spent / 2), rel=1e-6)
    assert left.item() == pytest.approx(0.0066, abs=1e-4)


def test_the_field_of_equation_5_is_the_time_derivative_of_the_path() -> None:
    g = torch.Generator().manual_seed(0)
    x0, x1, z = (torch.randn(1, 6, generator=g, dtype=torch.float64) for _ in range(3))
    path = GaussianPath(mean=LogisticMean(k=7.0), variance=BridgeVariance(strength=0.3))
    for t in (0.1, 0.4, 0.5, 0.9):
        time = torch.tensor([t], dtype=torch.float64)
        moving = torch.autograd.functional.jacobian(
            lambda s: path.perturb(x0, x1, s, z).squeeze(0), time
        ).squeeze(-1)
        x_t = path.perturb(x0, x1, time, z)
        assert torch.allclose(path.velocity(x_t, x0, x1, time)[0], moving, rtol=1e-9)


def test_each_row_has_its_own_time() -> None:
    path = GaussianPath(mean=LogisticMean(), variance=BridgeVariance())
    x0, x1, t = torch.zeros(3, 4), torch.ones(3, 4), torch.tensor([0.0, 0.5, 1.0])
    assert torch.allclose(path.mu(x0, x1, t)[:, 0], t, atol=1e-6)


@pytest.mark.parametrize(
    "build",
    [
        lambda: LogisticMean(k=-1),
        lambda: ExponentialMean(gamma=0),
        lambda: PreservingMean(beta_min=3.0, beta_max=2.0),
        lambda: BridgeVariance(strength=0),
        lambda: ConstantVariance(strength=0),
        lambda: ExplodingVariance(sigma_min=0.5, sigma_max=0.5),
    ],
)
def test_settings_out_of_range_are_refused(build) -> None:
    with pytest.raises(ConfigError):
        build()
