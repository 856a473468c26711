"""The diffusion classifier as a model, and beside an oracle of its noise."""

from typing import Any

import pytest
import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.models.diffusion_classifier import (
    DiffusionClassifier,
    DiffusionClassifierConfig,
)
from gensr.estimator.paths.preserving import PreservingMean
from support.contracts.model import ModelContract
from support.toy import L


class TestDiffusionClassifier(ModelContract):
    model = "diffusion-classifier"
    options = {"draws": 16, "network": {"hidden": 32, "depth": 1, "heads": 2, "dropout": 0.0}}
    falls = 0.9  # most of a noise cannot be told from speech


class Network(torch.nn.Module):
    """Knows where the classes are, and how wide: E[z | x_t, b] of x1 = centre + s e."""

    spread = 0.7

    def __init__(self, centres: Tensor, noise: PreservingMean) -> None:
        super().__init__()
        self.centres, self.noise = centres, noise

    def condition(self, classes: Tensor) -> Tensor:
        return self.centres

    def estimate(self, x_t: Tensor, centre: Tensor, t: Tensor) -> Tensor:
        left = 1 - self.noise.a(t)
        var = 1 - left.square()
        return (x_t - left * centre) * var.sqrt() / (var + (left * self.spread) ** 2)


@pytest.mark.parametrize("draws", [2, 16])
def test_with_the_true_noise_the_answer_is_bayes(draws: int) -> None:
    """Of classes of one spread that is the nearest centre, by however few draws."""
    torch.manual_seed(0)
    centres = 0.4 * torch.randn(5, L)
    x1 = centres[torch.randint(5, (500,))] + Network.spread * torch.randn(500, L)
    config = DiffusionClassifierConfig(standardize=False, draws=draws)
    model: Any = DiffusionClassifier(5, 1, L, config)
    model.network = Network(centres, config.noise)
    errors = model.errors(x1[:, None])
    assert torch.equal(errors.argmin(-1), torch.cdist(x1, centres).argmin(-1))
    assert torch.equal(model.predict(x1[:, None]).argmax(-1), errors.argmin(-1))


def test_an_odd_number_of_draws_is_refused() -> None:
    with pytest.raises(ConfigError, match="draws must be even"):
        DiffusionClassifierConfig(draws=3)
