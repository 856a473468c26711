import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gensr.estimator.codes import codes
from gensr.estimator.codes.sinusoidal import max_classes, sinusoidal_codes
from gensr.estimator.errors import ConfigError

WIDTHS = [7, 8, 80, 512, 1024]


@pytest.mark.parametrize("width", WIDTHS)
def test_codes_are_orthogonal_of_one_norm_and_equally_far_apart_up_to_the_bound(width: int) -> None:
    x0 = sinusoidal_codes(max_classes(width), width).double()
    gram = x0 @ x0.T
    assert torch.allclose(gram, torch.eye(len(x0)).double() * width / 2, atol=1e-4)
    off = gram - torch.diag(gram.diagonal())
    assert off.abs().max() / (width / 2) < 5e-7
    distance = torch.cdist(x0, x0)[~torch.eye(len(x0), dtype=torch.bool)]
    assert torch.allclose(distance, torch.tensor(math.sqrt(width)).double(), rtol=1e-5)


@pytest.mark.parametrize("width", WIDTHS)
def test_one_class_more_than_the_bound_has_no_orthogonal_code_and_is_refused(width: int) -> None:
    m = max_classes(width) + 1
    one_more = torch.sin(2 * math.pi * torch.arange(width).double() * m / width)
    earlier = torch.sin(2 * math.pi * torch.arange(width).double() * (width - m) / width)
    degenerate = one_more.norm() < 1e-9 if width % 2 == 0 else (one_more + earlier).norm() < 1e-9
    assert degenerate
    with pytest.raises(ConfigError, match=f"1 to {m - 1} classes"):
        sinusoidal_codes(m, width)


def test_equation_2_as_printed() -> None:
    length = torch.arange(16).double()
    printed = torch.stack([torch.sin(2 * math.pi * length / 16 * (i + 1)) for i in range(7)])
    assert torch.allclose(sinusoidal_codes(7, 16).double(), printed, atol=1e-7)


def test_integer_phase_is_far_more_exact_than_the_printed_form_in_fp32() -> None:
    width = 1024
    phase = 2 * math.pi * torch.arange(width).float() / width
    printed = torch.sin(phase * torch.arange(1, 512).float()[:, None])

    def leak(x0: torch.Tensor) -> float:
        gram = (x0.double() @ x0.double().T) / (width / 2)
        return float((gram - torch.diag(gram.diagonal())).abs().max())

    assert leak(sinusoidal_codes(511, width)) < leak(printed) / 100


def test_cosine_argmax_of_a_posterior_mean_is_bayes_and_reads_the_posterior() -> None:
    x0 = sinusoidal_codes(8, 64)
    posterior = torch.softmax(torch.randn(100, 8, generator=torch.Generator().manual_seed(0)), -1)
    x0_hat = posterior @ x0
    assert torch.equal(codes.classify(x0_hat, x0), posterior.argmax(-1))
    assert torch.allclose(codes.probabilities(x0_hat, x0), posterior, atol=1e-5)


def test_a_zero_estimate_is_classified_without_nan() -> None:
    x0 = sinusoidal_codes(3, 8)
    assert torch.isfinite(codes.cosine(torch.zeros(1, 8), x0)).all()
    assert torch.allclose(codes.probabilities(torch.zeros(1, 8), x0), torch.tensor(1 / 3))


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=12))
def test_the_simplex_projection_sums_to_one_keeps_the_argmax_and_is_nearest(
    scores: list[float],
) -> None:
    given_ = torch.tensor([scores])
    p = codes.project_onto_simplex(given_)
    assert (p >= 0).all()
    assert p.sum().item() == pytest.approx(1, abs=1e-4)
    assert p[0, given_.argmax()] == p.max()
    for corner in torch.eye(len(scores)):  # no step towards a corner is nearer (KKT)
        assert ((given_ - p) @ (corner - p[0])).item() <= 1e-3


def test_a_temperature_sharpens_and_flattens() -> None:
    x0 = sinusoidal_codes(3, 32)
    x0_hat = torch.tensor([[0.5, 0.3, 0.2]]) @ x0
    sharp, plain, flat = (codes.probabilities(x0_hat, x0, t).max() for t in (0.5, 1.0, 4.0))
    assert sharp > plain > flat
    with pytest.raises(ConfigError, match="temperature"):
        codes.probabilities(x0_hat, x0, 0.0)
