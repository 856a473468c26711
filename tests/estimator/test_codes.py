import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gensr.estimator.codes import codes
from gensr.estimator.codes.autoencoder import AutoencoderCodes
from gensr.estimator.codes.onehot import OneHotCodes
from gensr.estimator.codes.random_orthogonal import RandomOrthogonalCodes
from gensr.estimator.codes.sinusoidal import SinusoidalCodes, max_classes, sinusoidal_codes
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


@pytest.mark.parametrize("kind", [SinusoidalCodes(), OneHotCodes(), RandomOrthogonalCodes(seed=3)])
@pytest.mark.parametrize("width", [16, 80, 1024])
def test_controls_have_the_geometry_of_the_sinusoids(kind: codes.Codes, width: int) -> None:
    x0 = kind.table(7, width)
    assert x0.dtype == torch.float32
    assert torch.allclose(x0 @ x0.T, torch.eye(7) * width / 2, atol=1e-4 * width)
    assert kind.reader(7, width) is None


@pytest.mark.parametrize("kind", [OneHotCodes(), RandomOrthogonalCodes()])
def test_more_classes_than_directions_are_refused(kind: codes.Codes) -> None:
    assert len(kind.table(8, 8)) == 8
    with pytest.raises(ConfigError, match="9 classes do not fit vectors of width 8"):
        kind.table(9, 8)


def test_random_directions_follow_from_their_seed_and_take_up_the_whole_width() -> None:
    x0 = RandomOrthogonalCodes(seed=1).table(4, 64)
    torch.manual_seed(5)  # nobody's
    assert torch.equal(x0, RandomOrthogonalCodes(seed=1).table(4, 64))
    assert not torch.allclose(x0, RandomOrthogonalCodes(seed=2).table(4, 64), atol=0.1)
    each = torch.stack([RandomOrthogonalCodes(seed=s).table(1, 4)[0] for s in range(400)])
    assert each.mean(0).abs().max() < 4 * math.sqrt(0.5 / 400)  # of variance 1/2 in each dimension
    assert torch.allclose(each.square().mean(0), torch.tensor(0.5), atol=0.15)


SMALL = AutoencoderCodes(hidden=8, steps=150)


def test_an_autoencoder_s_decoder_reads_its_codes_noise_and_all() -> None:
    x0, reader = SMALL.table(5, 16), SMALL.reader(5, 16)
    assert torch.allclose(x0.norm(dim=-1), torch.tensor(math.sqrt(8)), atol=1e-5)
    y = torch.arange(5).repeat(200)
    g = torch.Generator().manual_seed(0)
    p = reader.probabilities(x0[y] + 0.3 * torch.randn(1000, 16, generator=g))
    assert (p.argmax(-1) == y).float().mean() > 0.95
    assert torch.allclose(p.sum(-1), torch.ones(1000), atol=1e-5)
    sharp, plain = (reader.probabilities(x0, t).max(-1).values for t in (0.5, 1.0))
    assert (sharp >= plain).all()


def test_an_autoencoder_follows_from_its_seed_and_leaves_the_generator_alone() -> None:
    before = torch.get_rng_state()
    x0 = SMALL.table(3, 16)
    assert torch.equal(torch.get_rng_state(), before)
    from gensr.estimator.codes import autoencoder

    autoencoder._learnt.cache_clear()
    with torch.inference_mode():
        again = SMALL.table(3, 16)
    assert torch.equal(x0, again)
    assert not torch.equal(x0, AutoencoderCodes(hidden=8, steps=150, seed=1).table(3, 16))
    x0.zero_()  # nobody else's
    assert torch.equal(SMALL.table(3, 16), again)


def test_an_autoencoder_that_did_not_learn_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not know its own codes after 1 steps"):
        AutoencoderCodes(steps=1, hidden=1).table(12, 16)


def test_nothing_of_a_decoder_is_left_to_an_optimizer() -> None:
    assert not list(SMALL.reader(5, 16).parameters())
    assert SMALL.reader(5, 16).state_dict()
