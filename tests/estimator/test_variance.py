"""Components of variance, against data made of known ones."""

import numpy as np
import pytest
from scipy import stats

from gensr.estimator.errors import ConfigError
from gensr.estimator.variance import components, spread


def made(rng, R, F, each, seeds, folds, speakers, rest):
    """Accuracies (R, S) of a sum of effects, and the fold of every speaker."""
    S = sum(each) if isinstance(each, list) else F * each
    of = np.repeat(np.arange(F), each)
    y = 0.6 + seeds * rng.standard_normal((R, 1)) + folds * rng.standard_normal(F)[of]
    y = y + speakers * rng.standard_normal(S) + rest * rng.standard_normal((R, S))
    return y, [str(f) for f in of]


@pytest.mark.parametrize("each", [4, [2, 3, 4, 5, 8, 2]])
def test_the_estimator_has_no_bias(each):
    rng = np.random.default_rng(0)
    sds = {"seeds": 0.05, "folds": 0.08, "speakers": 0.06, "rest": 0.04}
    found = [components(*made(rng, 5, 6, each, **sds)) for _ in range(3000)]
    for name, sd in sds.items():
        mean = np.mean([getattr(one, name) ** 2 for one in found])
        assert mean == pytest.approx(sd**2, rel=0.12), name


def test_what_is_not_there_is_found_to_be_small():
    rng = np.random.default_rng(1)
    y, folds = made(rng, 5, 6, 40, seeds=0.0, folds=0.0, speakers=0.1, rest=0.02)
    found = components(y, folds)
    assert found.seeds < 0.004
    assert found.folds < 0.03
    assert found.speakers == pytest.approx(0.1, rel=0.2)
    assert found.rest == pytest.approx(0.02, rel=0.2)


def test_mean_squares_are_those_of_the_analysis_of_variance():
    """One seed, equal folds: F is what scipy has."""
    rng = np.random.default_rng(2)
    y, folds = made(rng, 1, 5, 4, seeds=0.0, folds=0.2, speakers=0.05, rest=0.0)
    found = components(y, folds)
    F = stats.f_oneway(*y[0].reshape(5, 4)).statistic
    assert found.folds**2 == pytest.approx((F - 1) * found.speakers**2 / 4)
    assert found.seeds is found.rest is None


def test_what_cannot_be_told_apart_is_none():
    rng = np.random.default_rng(3)
    y = rng.random((3, 6))
    loso = components(y, list("abcdef"))
    assert loso.folds is None
    assert components(y, ["1"] * 6).folds is None
    assert components(y).folds is None
    assert components(y).speakers is not None
    assert components(y[:, :1]).speakers is None


def test_mean_and_deviation():
    assert spread([0.5, 0.7]).sd == pytest.approx(np.sqrt(0.02))
    assert spread([0.5]).sd is None
    assert spread([0.5]).mean == 0.5


def test_a_fold_for_each_speaker_or_one_line():
    with pytest.raises(ConfigError, match="a fold for each"):
        components(np.ones((1, 3)), ["1"])
    with pytest.raises(ConfigError, match="no value"):
        spread([])
