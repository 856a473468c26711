import math

import pytest
import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.bridge import BridgeVariance
from gensr.estimator.paths.logistic import LogisticMean
from gensr.estimator.paths.path import GaussianPath

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


@pytest.mark.parametrize("k", [0.5, 10.0, 40.0])
def test_exact_derivatives_against_autograd(k: float) -> None:
    mean, variance = LogisticMean(k=k), BridgeVariance(strength=0.7)
    assert torch.allclose(mean.d_a(INSIDE), _derivative(mean.a, INSIDE), rtol=1e-9, atol=1e-12)
    log_sigma = _derivative(lambda t: variance.sigma(t).log(), INSIDE)
    assert torch.allclose(variance.d_log_sigma(INSIDE), log_sigma, rtol=1e-9)


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


@pytest.mark.parametrize("build", [lambda: LogisticMean(k=-1), lambda: BridgeVariance(strength=0)])
def test_settings_out_of_range_are_refused(build) -> None:
    with pytest.raises(ConfigError):
        build()
