"""How much of the label x_t gives away, beside guessing it."""

import pytest
import torch
from torch import Tensor

from gensr.estimator.codes.autoencoder import AutoencoderCodes
from gensr.estimator.codes.sinusoidal import sinusoidal_codes
from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.models.given_away import given_away
from gensr.estimator.paths.bridge import BridgeVariance
from gensr.estimator.paths.guessed import guessed
from gensr.estimator.paths.path import GaussianPath

PATH = GenSERConfig().path
TIMES = torch.tensor([0.95, 0.8, 0.7, 0.6], dtype=torch.float64)


def tried(path: GaussianPath, codes: Tensor, t: Tensor, n: int = 4000) -> float:
    """Guess: the nearest code to x_t / (1 - a), of speech without a label."""
    g = torch.Generator().manual_seed(0)
    C, L = codes.shape
    y = torch.randint(C, (n,), generator=g)
    x1, z = (torch.randn(n, L, generator=g, dtype=torch.float64) for _ in range(2))
    x_t = path.perturb(codes[y], x1, t.expand(n), z)
    guess = torch.cdist(x_t / (1 - path.mean.a(t)), codes).argmin(-1)
    return float((guess == y).double().mean())


@pytest.mark.parametrize("kind", ["orthogonal", "learnt"])
def test_it_is_the_share_that_is_guessed(kind: str) -> None:
    codes = sinusoidal_codes(5, 64)
    if kind == "learnt":
        codes = AutoencoderCodes(hidden=8, steps=150).table(5, 64)
    codes = codes.double()
    shares = guessed(PATH, codes, TIMES)
    for t, share in zip(TIMES, shares, strict=True):
        assert share.item() == pytest.approx(tried(PATH, codes, t), abs=0.03)


def test_it_rises_from_chance_to_all_and_more_noise_hides_more() -> None:
    found = given_away(GenSERConfig(), 7, 512)
    assert found.guessed[0].item() == pytest.approx(found.chance, abs=0.001)
    assert (found.guessed.diff() >= -1e-9).all()
    assert found.guessed[-1].item() == pytest.approx(1, abs=1e-6)
    noisier = given_away(GenSERConfig(variance=BridgeVariance(strength=8.0)), 7, 512)
    assert noisier.in_training < found.in_training - 0.1


def test_the_default_gives_the_label_away_in_most_steps() -> None:
    """.78 of the draws of t, at 7 classes and width 512."""
    assert given_away(GenSERConfig(), 7, 512).in_training == pytest.approx(0.78, abs=0.01)


def test_one_class_is_always_guessed() -> None:
    assert given_away(GenSERConfig(), 1, 16).guessed.tolist() == pytest.approx([1.0] * 11)
