"""Scores of layers: those of a ridge that is fitted and asked clip by clip, and what they say."""

import pytest
import torch
from torch.nn import functional as F

from gensr.estimator.codes.sinusoidal import sinusoidal_codes
from gensr.estimator.errors import RunError
from gensr.estimator.inner import inner_folds
from gensr.estimator.layers import PENALTY, TAU, layer_scores
from gensr.estimator.resident import Resident
from gensr.estimator.source import Source
from gensr.estimator.standardize import Standardizer
from support.toy import CLASSES, K, L, clips

CODES = sinusoidal_codes(len(CLASSES), L)


def by_hand(train: Source, codes: torch.Tensor, seed: int) -> torch.Tensor:
    """The definition, by a least squares with rows added for the penalty."""
    scale = Standardizer(*train.shape)
    scale.fit(*train.moments())
    x, targets = scale(train.whole()).double(), codes.double()[train.y]
    errors = torch.zeros(train.shape[0], dtype=torch.float64)
    for k in range(len(errors)):
        rows = F.normalize(x[:, k], dim=-1)
        for learn, test in inner_folds(train, seed=seed):
            mean = rows[learn].mean(0)
            offset = targets[learn].mean(0)
            a = torch.cat([rows[learn] - mean, PENALTY**0.5 * torch.eye(L).double()])
            b = torch.cat([targets[learn] - offset, torch.zeros(L, codes.shape[1]).double()])
            w = torch.linalg.lstsq(a, b).solution
            x0_hat = (rows[test] - mean) @ w + offset
            errors[k] += (x0_hat - targets[test]).square().sum()
    return (-errors / targets.square().sum() / TAU).softmax(0)


def some_layers(shares: list[float], n: int = 700, seed: int = 0) -> Resident:
    """Clips whose layers tell the class by so much; more than a block of them."""
    telling, noise = clips(n, seed=seed), clips(n, informative=False, seed=seed + 1)
    x = torch.stack([share * telling.x[:, 0] + noise.x[:, 0] for share in shares], 1)
    return Resident(x, telling.y, groups=telling.groups)


def test_they_are_those_of_a_ridge_clip_by_clip() -> None:
    """Also where codes are not orthogonal, nor of one norm."""
    train = some_layers([0.2, 0.3, 0.25])
    bent = torch.randn(len(CLASSES), 3, generator=torch.Generator().manual_seed(0))
    for codes in (CODES, bent):
        scores = layer_scores(train, codes, 4)
        assert scores.dtype == torch.float32
        assert torch.allclose(scores.double(), by_hand(train, codes, 4), atol=2e-4)


def test_the_layer_that_tells_the_class_counts_most() -> None:
    scores = layer_scores(some_layers([0.0, 1.0, 0.1]), CODES, 0)
    assert scores.argmax() == 1
    assert scores[1] > 0.9
    assert scores.sum().item() == pytest.approx(1)


def test_layers_that_tell_nothing_count_alike() -> None:
    scores = layer_scores(clips(3000, informative=False), CODES, 0)
    assert (scores - 1 / (K + 1)).abs().max() < 0.1


def test_scale_and_offset_of_a_layer_do_not_matter() -> None:
    train = some_layers([0.2, 0.3, 0.25])
    changed = train.x * torch.tensor([1e-3, 1.0, 1e3])[:, None] + 5
    scores = layer_scores(Resident(changed, train.y, groups=train.groups), CODES, 0)
    assert torch.allclose(scores, layer_scores(train, CODES, 0), atol=1e-3)


def test_who_speaks_is_no_help() -> None:
    """A layer that knows the speaker, who says one thing only, is of no use for others."""
    train = some_layers([0.0, 0.3], n=480)
    assert train.groups is not None
    group = torch.arange(480) % 24
    y = group % len(CLASSES)
    told = torch.randn(24, L, generator=torch.Generator().manual_seed(1))[group]
    x = torch.stack([5 * told, 0.4 * clips(480).x[:, 0] + CODES[y]], 1)
    assert layer_scores(Resident(x, y, groups=group), CODES, 0).argmax() == 1


def test_without_two_speakers_all_count_alike() -> None:
    train = some_layers([0.0, 1.0])
    for groups in (None, torch.zeros(len(train), dtype=torch.long)):
        scores = layer_scores(Resident(train.x, train.y, groups=groups), CODES, 0)
        assert scores.tolist() == [0.5, 0.5]


def test_the_seed_decides_and_nothing_else() -> None:
    train = some_layers([0.2, 0.3], n=720)  # six speakers alike: any two may share a fold
    before = torch.get_rng_state()
    first = layer_scores(train, CODES, 1)
    torch.manual_seed(5)
    assert torch.equal(first, layer_scores(train, CODES, 1))
    torch.set_rng_state(before)
    assert any(not torch.equal(first, layer_scores(train, CODES, seed)) for seed in range(2, 6))
    assert torch.equal(train.x, some_layers([0.2, 0.3], n=720).x)  # not scaled in place


def test_what_is_not_finite_is_one_line() -> None:
    train = some_layers([0.2, 0.3])
    train.x[3, 1, 2] = float("nan")
    with pytest.raises(RunError, match="not finite"):
        layer_scores(train, CODES, 0)
