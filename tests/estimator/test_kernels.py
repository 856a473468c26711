"""Kernels against what defines them: scikit-learn's, and a wide layer of random rectified units."""

import math

import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel

from gensr.estimator.kernels import arc_cosine, held, layer_rows, linear, rbf, unit_rows
from gensr.estimator.standardize import Standardizer
from support.toy import K, L, clips


def test_rbf_is_scikit_learn_s_with_gamma_scale() -> None:
    x = clips(30).x
    rows = layer_rows(x, None)
    theirs = rbf_kernel(x.flatten(1).numpy(), gamma=1 / ((K + 1) * L))
    assert torch.allclose(rbf(rows, rows), torch.from_numpy(theirs), atol=1e-5)


def test_a_layer_is_its_own_row_and_all_are_a_mean_of_theirs() -> None:
    x = clips(9).x
    single = [linear(layer_rows(x, k), layer_rows(x, k)) for k in range(K + 1)]
    rows = layer_rows(x, None)
    assert torch.allclose(linear(rows, rows), torch.stack(single).mean(0), atol=1e-5)


def test_unit_rows_weigh_layers_by_their_inner_products() -> None:
    x, s = clips(9).x, torch.tensor([0.2, 0.5, 0.3])
    rows = unit_rows(x, s)
    inner = torch.einsum("k,akl,bkl->ab", s, x, x)
    norms = inner.diagonal().sqrt()
    assert torch.allclose(rows @ rows.T, inner / norms[:, None] / norms, atol=1e-5)


def test_arc_cosine_is_an_infinitely_wide_network_of_rectified_units() -> None:
    """What units see is Gaussian, of the covariance before; 2 E[relu relu] is that behind them."""
    g = torch.Generator().manual_seed(0)
    a = torch.nn.functional.normalize(torch.randn(4, 6, generator=g), dim=-1)
    covariance = (a @ a.T).double()
    for _ in range(2):
        root = torch.linalg.cholesky(covariance)
        units = torch.relu(root @ torch.randn(4, 1_000_000, generator=g, dtype=torch.float64))
        covariance = 2 * units @ units.T / units.shape[1]
    assert torch.allclose(covariance, arc_cosine(a, a), atol=0.01)


def test_arc_cosine_by_hand() -> None:
    a = torch.tensor([[1.0, 0.0]])
    b = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    once = 1 / math.pi  # of perpendicular rows; 0 of opposite ones
    angle = math.acos(once)
    twice = (math.sin(angle) + (math.pi - angle) * once) / math.pi
    assert arc_cosine(a, b)[0].tolist() == pytest.approx([1, twice, once], abs=1e-6)


def test_the_one_copy_is_scaled_and_the_clips_are_not() -> None:
    train = clips(300)
    before = train.x.clone()
    scale = Standardizer(K + 1, L)
    scale.fit(*train.moments())
    assert torch.allclose(held(train, scale), scale(before))
    assert torch.equal(train.x, before)
    assert torch.equal(held(train, None), before)
