"""The linear probe, held against scikit-learn and against leaving each clip out by hand."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Known

from gensr.pipeline.report.content import probe
from gensr.pipeline.report.content.probe import Ridge, one_hot, polygon


def clips(n, L, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 2, (n, L))
    t = x[:, :2] @ rng.normal(size=(2, 3)) + rng.normal(0, 2, (n, 3))
    return x, t


@pytest.mark.parametrize(("n", "L"), [(40, 7), (20, 60), (15, 15)])
@pytest.mark.parametrize("penalty", [1e-3, 0.1])
def test_it_is_ridge_regression(n, L, penalty, monkeypatch):
    monkeypatch.setattr(probe, "_PENALTIES", np.array([penalty]))
    x, t = clips(n, L)
    new, _ = clips(9, L, seed=1)
    z = (x - x.mean(0)) / x.std(0)
    largest = np.linalg.eigvalsh(z.T @ z)[-1]
    known = Known(alpha=penalty * largest).fit(z, t)
    wanted = known.predict((new - x.mean(0)) / x.std(0))
    np.testing.assert_allclose(Ridge(x, t)(new), wanted, rtol=1e-6, atol=1e-8)


def test_the_penalty_is_the_one_that_leaves_out_best():
    x, t = clips(30, 12)
    z = (x - x.mean(0)) / x.std(0)
    largest = np.linalg.eigvalsh(z.T @ z)[-1]
    errors = []
    for penalty in probe._PENALTIES:
        wrong = [
            np.square(
                Known(alpha=penalty * largest)
                .fit(np.delete(z, i, 0), np.delete(t, i, 0))
                .predict(z[i : i + 1])
                - t[i]
            ).mean()
            for i in range(len(z))
        ]
        errors.append(np.mean(wrong))
    best = Known(alpha=probe._PENALTIES[np.argmin(errors)] * largest).fit(z, t)
    np.testing.assert_allclose(Ridge(x, t)(x), best.predict(z), rtol=1e-6)


def test_a_dimension_that_never_moves_is_no_trouble():
    x, t = clips(20, 5)
    x[:, 2] = 7
    assert np.isfinite(Ridge(x, t)(x)).all()


def test_targets():
    assert one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    corners = polygon(4)
    np.testing.assert_allclose(corners, [[0, 1], [1, 0], [0, -1], [-1, 0]], atol=1e-12)
