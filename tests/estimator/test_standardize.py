import pytest
import torch

from gensr.estimator.standardize import CLAMP, Standardizer, moments


def fitted(x: torch.Tensor) -> Standardizer:
    scale = Standardizer(*x.shape[1:])
    scale.fit(*moments(x.split(64)))
    return scale


def test_it_takes_the_training_part_s_statistics_and_spares_constants() -> None:
    x = torch.randn(500, 2, 3) * 7 + 4
    x[:, 1, 2] = 5.0
    z = fitted(x)(x)
    assert torch.allclose(z.mean(0), torch.zeros(2, 3), atol=1e-5)
    expected = torch.ones(2, 3)
    expected[1, 2] = 0
    assert torch.allclose(z.std(0, correction=0), expected, atol=1e-4)


@pytest.mark.parametrize("spread", [0.0, 1e-7, 1e-4, 1e-2])
def test_a_nearly_constant_dimension_cannot_explode(spread: float) -> None:
    """A test value of 6 where training saw 5, give or take nothing."""
    x = torch.randn(200, 1, 2)
    x[:, 0, 1] = 5 + spread * torch.randn(200)
    z = fitted(x)(torch.tensor([[[0.5, 6.0]]]))
    assert z.abs().max() <= CLAMP


def test_what_moves_less_than_a_thousandth_of_its_size_is_not_blown_up() -> None:
    x = 5 + 1e-4 * torch.randn(200, 1, 1)
    z = fitted(x)(x)
    assert z.std() == pytest.approx(0.02, rel=0.2)  # 1e-4 over the floor of 5e-3


@pytest.mark.parametrize("sizes", [[1, 1, 1], [7], [300, 1, 200], [256, 256, 3]])
def test_moments_by_blocks_are_those_of_the_whole(sizes: list[int]) -> None:
    """In float64, far from zero: float32 sums would lose all digits."""
    x = torch.randn(sum(sizes), 2, 3) * 0.01 + 1000
    mean, std = moments(x.split(sizes))
    assert mean.dtype == std.dtype == torch.float64
    expected = torch.std_mean(x.double(), dim=0, correction=0)
    assert torch.allclose(mean, expected[1], rtol=1e-14)
    assert torch.allclose(std, expected[0], rtol=1e-9, atol=1e-12)


def test_no_clip_has_no_moments() -> None:
    with pytest.raises(ValueError, match="no clip"):
        moments([])


def test_in_place_is_the_same() -> None:
    x = torch.randn(50, 2, 3) * 20
    scale = fitted(x / 2)
    expected = scale(x)
    scale.into(x)
    assert torch.equal(x, expected)
