"""The masked group norm against torch's own, clip by clip."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gensr.features.encoders.padding import MaskedGroupNorm, masked_group_norm, mend_padding
from gensr.features.encoders.pooling import Frames
from support.sounds import noise

CPU = torch.device("cpu")


def batch_of(counts, *, channels=6, offset=0.0, seed=0, dtype=torch.float64):
    """Clips with a level and an offset for each channel, and what fills the padding."""
    draw = torch.Generator().manual_seed(seed)
    shape = (len(counts), channels)
    level = torch.rand(*shape, 1, generator=draw, dtype=torch.float64) + 0.1
    centre = offset * torch.randn(*shape, 1, generator=draw, dtype=torch.float64)
    x = centre + level * torch.randn(*shape, max(counts) + 3, generator=draw, dtype=torch.float64)
    return x.to(dtype)


def norm_of(channels=6, dtype=torch.float64):
    norm = nn.GroupNorm(channels, channels, dtype=dtype)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(-2.0, 2.0, channels))
        norm.bias.copy_(torch.linspace(1.0, -1.0, channels))
    return norm.requires_grad_(False)


def masked(norm, x, counts):
    return masked_group_norm(x.clone(), Frames.of(counts, CPU), norm.weight, norm.bias, norm.eps)


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(2, 60), min_size=1, max_size=6),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
    seed=st.integers(0, 99),
)
def test_each_clip_is_normalised_by_its_own_frames(counts, offset, seed):
    # From two frames on: torch refuses to normalise one.
    x, norm = batch_of(counts, offset=offset, seed=seed), norm_of()
    together = masked(norm, x, counts)
    for row, count in enumerate(counts):
        expected = norm(x[row : row + 1, :, :count])[0]
        torch.testing.assert_close(together[row, :, :count], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 30.0, 300.0])
def test_a_large_offset_costs_no_more_than_single_precision_must(offset):
    """A second of frames and less; squares are of deviations, so no digits cancel."""
    counts = (1_600, 900, 7)
    x, norm = batch_of(counts, offset=offset, dtype=torch.float32), norm_of(dtype=torch.float32)
    together = masked(norm, x, counts)
    exact = norm_of()
    for row, count in enumerate(counts):
        expected = exact(x[row : row + 1, :, :count].double())[0]
        difference = (together[row, :, :count].double() - expected).abs().max()
        assert difference < 1e-5 + 2e-6 * offset  # x itself has 24 bits around its offset


@pytest.mark.parametrize("rubbish", [1e30, float("nan"), float("inf")])
def test_padding_may_hold_anything(rubbish):
    counts, norm = (50, 20, 33), norm_of()
    x = batch_of(counts)
    expected = masked(norm, x, counts)
    for row, count in enumerate(counts):
        x[row, :, count:] = rubbish
    found = masked(norm, x, counts)
    for row, count in enumerate(counts):
        torch.testing.assert_close(found[row, :, :count], expected[row, :, :count])


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float16, 2e-3), (torch.bfloat16, 2e-2)])
def test_half_precision_is_normalised_in_single(dtype, bound):
    counts = (4_000, 1_500)
    x, norm = batch_of(counts, dtype=dtype), norm_of(dtype=dtype)
    together = masked(norm, x, counts)
    assert together.dtype == dtype
    exact = norm_of()
    for row, count in enumerate(counts):
        expected = exact(x[row : row + 1, :, :count].double())[0]
        difference = (together[row, :, :count].double() - expected).abs() / (1 + expected.abs())
        assert difference.max() < bound


def test_without_padding_it_is_the_models_own():
    norm, x = norm_of(), batch_of((40, 40))
    swapped = MaskedGroupNorm(norm)
    assert swapped.weight is norm.weight
    torch.testing.assert_close(swapped(x), norm(x), rtol=0, atol=0)
    swapped.frames = Frames.of((40, 20), CPU)
    assert not torch.allclose(swapped(x.clone())[1, :, :20], norm(x)[1, :, :20])


def test_nothing_stays_masked_after_an_error(checkpoint):
    from transformers import AutoModel

    model = AutoModel.from_pretrained(checkpoint("hubert-batchnorm"), dtype=torch.float32).eval()
    values = torch.from_numpy(np.stack(noise(8_000, 8_000)))
    with torch.inference_mode():
        before = model(values).last_hidden_state
        padding = mend_padding(model)
        assert padding is not None
        frames = Frames.of((24, 12), CPU)
        with padding.masked(Frames.of((1_599, 799), CPU), frames):
            assert not torch.allclose(model(values).last_hidden_state, before)
            with pytest.raises(RuntimeError):
                model(values[:, :3])  # too short for the first convolution
        with pytest.raises(KeyError), padding.masked(Frames.of((1_599, 799), CPU), frames):
            raise KeyError
        torch.testing.assert_close(model(values).last_hidden_state, before, rtol=0, atol=0)
