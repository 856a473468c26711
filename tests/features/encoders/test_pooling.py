import pytest
import torch
from torch import nn

from gensr.features.encoders.pooling import Frames, LayerMeans, masked_mean


def frames(*counts):
    return Frames.of(counts, torch.device("cpu"))


def test_masked_mean_is_each_clips_own_mean():
    hidden = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(0))
    for counts in ([7, 1, 4], [7, 7, 7], [3, 2, 3], [5, 5, 5]):
        expected = torch.stack([hidden[row, :n].mean(dim=0) for row, n in enumerate(counts)])
        torch.testing.assert_close(masked_mean(hidden, frames(*counts)), expected)


@pytest.mark.parametrize("rubbish", [float("nan"), float("inf"), 1e30])
def test_padded_frames_may_hold_anything(rubbish):
    hidden = torch.ones(2, 5, 2)
    hidden[0, 2:] = hidden[1, 3:] = rubbish
    assert masked_mean(hidden, frames(2, 3)).tolist() == [[1.0, 1.0]] * 2


def test_half_precision_is_averaged_in_single():
    hidden = torch.full((1, 4_096, 1), 64.0, dtype=torch.float16)  # the sum exceeds float16
    mean = masked_mean(hidden, frames(4_096))
    assert mean.dtype == torch.float32
    assert mean.item() == 64.0


class Stack(nn.Module):
    """Layers called by position or by keyword, as transformers does either."""

    def __init__(self, keyword):
        super().__init__()
        self.layers = nn.ModuleList(Scale(factor) for factor in (2.0, 3.0, 5.0))
        self.keyword = keyword

    def forward(self, hidden):
        for layer in self.layers:
            hidden = layer(hidden_states=hidden) if self.keyword else layer(hidden)
        return hidden


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, hidden_states):
        return hidden_states * self.factor


@pytest.mark.parametrize("keyword", [False, True])
def test_layer_means_are_the_inputs_of_the_layers_and_what_is_added(keyword):
    stack = Stack(keyword)
    with LayerMeans(stack.layers, frames(2)) as means:
        output = stack(torch.ones(1, 3, 1))
    means.add(output)
    assert means.stacked().flatten().tolist() == [1.0, 2.0, 6.0, 30.0]


def test_hooks_are_gone_afterwards_even_after_an_error():
    stack = Stack(keyword=False)
    with pytest.raises(TypeError), LayerMeans(stack.layers, frames(1)) as means:
        stack("not a tensor")
    assert not any(layer._forward_pre_hooks for layer in stack.layers)
    with pytest.raises(RuntimeError, match="4 hidden states expected, 0 seen"):
        means.stacked()
