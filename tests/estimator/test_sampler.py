import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from gensr.estimator.codes import codes
from gensr.estimator.codes.sinusoidal import sinusoidal_codes
from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.bridge import BridgeVariance
from gensr.estimator.paths.logistic import LogisticMean
from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.samplers.euler import euler
from gensr.estimator.samplers.exact import exact
from gensr.estimator.samplers.heun import heun
from gensr.estimator.samplers.readout import READOUTS, read
from gensr.estimator.samplers.registry import SAMPLERS
from gensr.estimator.samplers.sampler import time_grid

PATH = GaussianPath(mean=LogisticMean(k=10.0), variance=BridgeVariance(strength=0.5))
T, T_EPS = 0.999, 0.03
ORDERS = {"euler": 1, "exact": 1, "heun": 2}
"""In 1/N, of every sampler of ours."""
CALLS = {"euler": 1, "exact": 1, "heun": 2}
"""Of the network, a step."""


def _problem(B: int = 50, C: int = 7, L: int = 64) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    x0 = sinusoidal_codes(C, L)[torch.randint(C, (B,), generator=g)].double()
    return x0, torch.randn(B, L, generator=g, dtype=torch.float64)


def _cosine(a: Tensor, b: Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a, b).mean())


def test_times_fall_from_start_to_end_in_equal_steps() -> None:
    times = time_grid(0.9, 0.1, 4)
    assert times.tolist() == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1])
    for bad in ((0.9, 0.1, 0), (0.1, 0.9, 3), (1.2, 0.1, 3)):
        with pytest.raises(ConfigError):
            time_grid(*bad)


def test_with_an_oracle_the_mended_sign_arrives_and_the_printed_one_diverges() -> None:
    x0, x1 = _problem()
    times = time_grid(T, T_EPS, 20).double()
    mended = euler(lambda x, t: x0, PATH, x1, times).states[-1]
    assert _cosine(mended, x0) > 0.999
    x = x1
    for t, s in pairwise(times):  # Eq. 10 as printed
        x = x + (t - s) * PATH.velocity(x, x0, x1, t)
    assert _cosine(x, x0) < 0


def test_one_euler_step_hardly_moves_the_state_so_the_estimate_is_read() -> None:
    x0, x1 = _problem(B=400)
    way = euler(lambda x, t: x0, PATH, x1, time_grid(T, T_EPS, 1).double())
    assert abs(_cosine(way.states[-1], x0)) < 0.1
    assert torch.equal(way.estimates[-1], x0)


def test_the_exact_step_returns_the_estimate_at_t_0_in_one_step() -> None:
    x0, x1 = _problem()
    way = exact(lambda x, t: x0, PATH, x1, torch.tensor([T, 0.0], dtype=torch.float64))
    assert torch.allclose(way.states[-1], x0, atol=1e-9)


@pytest.mark.parametrize("name", SAMPLERS.names())
def test_a_sampler_makes_its_calls_and_keeps_every_state(name: str) -> None:
    x0, x1 = _problem(B=3)
    calls = []

    def estimate(x: Tensor, t: Tensor) -> Tensor:
        calls.append(t)
        return x0

    way = SAMPLERS[name](estimate, PATH, x1, time_grid(T, T_EPS, 5).double())
    assert len(calls) == 5 * CALLS[name]
    assert all(t.shape == (1,) for t in calls)  # one time for all
    assert way.states.shape == (6, 3, 64)
    assert way.estimates.shape == (5, 3, 64)
    assert torch.equal(way.states[0], x1)
    noisy = SAMPLERS[name](estimate, PATH, x1, time_grid(T, T_EPS, 5).double(), x_T=x1 + 1)
    assert torch.equal(noisy.states[0], x1 + 1)
    last = SAMPLERS[name](estimate, PATH, x1, time_grid(T, T_EPS, 5).double(), record=False)
    assert torch.equal(last.states[0], way.states[-1])


@pytest.mark.parametrize("name", SAMPLERS.names())
@pytest.mark.parametrize("N", [1, 2, 3, 10, 50])
def test_every_n_arrives_where_the_estimate_points(name: str, N: int) -> None:
    """Whatever is read; Euler's state alone needs more than a few steps."""
    x0, x1 = _problem()
    way = SAMPLERS[name](lambda x, t: x0, PATH, x1, time_grid(T, T_EPS, N).double())
    assert torch.isfinite(way.states).all()
    for readout in READOUTS:
        if (name, readout) != ("euler", "state") or N == 50:
            assert _cosine(read(way, lambda x, t: x0, readout), x0) > 0.98


def test_each_read_out_is_another_vector_and_after_asks_once_more() -> None:
    x0, x1 = _problem(B=3)
    asked = []

    def estimate(x: Tensor, t: Tensor) -> Tensor:
        asked.append((x, float(t)))
        return x0 + t

    way = exact(estimate, PATH, x1, time_grid(T, T_EPS, 4).double())
    assert torch.equal(read(way, estimate, "estimate"), way.estimates[-1])
    assert torch.equal(read(way, estimate, "state"), way.states[-1])
    assert len(asked) == 4
    assert torch.equal(read(way, estimate, "after"), x0 + way.times[-1])
    assert len(asked) == 5
    assert torch.equal(asked[-1][0], way.states[-1])
    assert asked[-1][1] == pytest.approx(T_EPS)


@pytest.mark.parametrize("name", SAMPLERS.names())
def test_a_sampler_converges_at_its_own_order_to_the_one_point(name: str) -> None:
    x0, x1 = _problem(B=8)

    def estimate(x: Tensor, t: Tensor) -> Tensor:  # smooth in the state and in time
        return x0 + 0.5 * torch.sin(x + 3 * t[:, None])

    start = 0.9  # away from the stiff end, where the order shows
    fine = heun(estimate, PATH, x1, torch.linspace(start, 0.1, 10_001).double()).states[-1]
    errors = [
        float((SAMPLERS[name](estimate, PATH, x1, times).states[-1] - fine).norm())
        for times in (torch.linspace(start, 0.1, N + 1).double() for N in (100, 200, 400, 800))
    ]
    ratios = [a / b for a, b in pairwise(errors)]
    assert all(0.9 < math.log2(ratio) / ORDERS[name] < 1.1 for ratio in ratios), ratios


def test_noise_at_the_start_blows_up_under_euler_and_not_under_the_exact_step() -> None:
    x0, x1 = _problem()
    g = torch.Generator().manual_seed(2)
    noisy = x1 + PATH.variance.sigma(torch.tensor(T).double()) * torch.randn(
        x1.shape, generator=g, dtype=torch.float64
    )
    times = time_grid(T, T_EPS, 4).double()
    end = PATH.mu(x0, x1, times[-1])

    def drift(march) -> float:
        x = noisy
        for t, s in pairwise(times):
            x = march(x, t, s)
        return float((x - end).norm() / end.norm())

    by_euler = drift(lambda x, t, s: x - (t - s) * PATH.velocity(x, x0, x1, t))
    sigma = PATH.variance.sigma
    by_exact = drift(
        lambda x, t, s: PATH.mu(x0, x1, s) + sigma(s) / sigma(t) * (x - PATH.mu(x0, x1, t))
    )
    assert by_euler > 1
    assert by_exact < 0.2


def test_with_the_true_posterior_mean_the_exact_sampler_is_bayes_at_every_n() -> None:
    """Gaussian classes, so E[x0 | x_t, x1] is known, and so is the best accuracy there is.

    The estimate must know x1, as the network does through X_c: the field of Eq. 9 does.
    """
    C, L, n = 7, 128, 4000
    g = torch.Generator().manual_seed(3)
    x0 = sinusoidal_codes(C, L).double()
    centres = 0.2 * torch.randn(C, L, generator=g, dtype=torch.float64)
    y = torch.randint(C, (n,), generator=g)
    x1 = centres[y] + torch.randn(n, L, generator=g, dtype=torch.float64)
    evidence = -torch.cdist(x1, centres).square() / 2  # log p(x1 | b)

    def posterior_mean(x: Tensor, t: Tensor) -> Tensor:
        a, sigma = PATH.mean.a(t[:1]), PATH.variance.sigma(t[:1])
        seen = -torch.cdist(x - a * x1, (1 - a) * x0).square() / (2 * sigma**2)
        return torch.softmax(seen + evidence, -1) @ x0

    def right(guess: Tensor) -> float:
        return float((codes.classify(guess, x0) == y).double().mean())

    bayes = float((evidence.argmax(-1) == y).double().mean())
    assert 0.7 < bayes < 0.9
    grids = {N: time_grid(T, T_EPS, N).double() for N in (1, 2, 4, 10, 20)}
    for times in grids.values():
        way = exact(posterior_mean, PATH, x1, times)
        assert right(way.states[-1]) == pytest.approx(bayes, abs=0.005)
        assert right(way.estimates[-1]) == pytest.approx(bayes, abs=0.005)
    by_euler = {N: right(euler(posterior_mean, PATH, x1, grids[N]).states[-1]) for N in (1, 20)}
    assert by_euler[1] < bayes - 0.3
    assert by_euler[20] == pytest.approx(bayes, abs=0.01)

    def forgetful(x: Tensor, t: Tensor) -> Tensor:
        """E[x0 | x_t] alone: it loses x1 as t falls, so steps cost accuracy (docs/method.md)."""
        a, sigma = PATH.mean.a(t[:1]), PATH.variance.sigma(t[:1])
        distance = torch.cdist(x, (1 - a) * x0 + a * centres).square()
        return torch.softmax(-distance / (2 * (a**2 + sigma**2)), -1) @ x0

    shares = [right(exact(forgetful, PATH, x1, times).states[-1]) for times in grids.values()]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < shares[0] - 0.03
