"""A nominal 95 % interval must hold the truth that often, near the ceiling and everywhere else."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gensr.estimator import metrics
from gensr.estimator.intervals import ALIKE, bounds, clopper_pearson, interval, jackknife_variance

UNLIKE = 0.12**2 / (0.7 * 0.3)
"""Correlation within a speaker where true accuracies have mean .70 and deviation .12."""
TRIALS = 1500
CELLS = list(product((0.7, 0.983, 0.997), (4, 10, 24), ("40", "100", "lognormal")))


def clips_and_skill(truth, S, each, trials=TRIALS):
    """Clips per speaker, and each speaker's own probability of being answered right."""
    rng = np.random.default_rng((S, len(each), round(1000 * truth)))
    n = np.full((trials, S), 40 if each == "lognormal" else int(each))
    if each == "lognormal":
        n = np.maximum(2, np.rint(rng.lognormal(np.log(40) - 0.5, 1, (trials, S)))).astype(int)
    strength = 1 / UNLIKE - 1
    return rng, n, rng.beta(truth * strength, (1 - truth) * strength, (trials, S))


def right_or_wrong(truth, S, each):
    """Confusion matrices (trials, S, 2, 2)."""
    rng, n, skill = clips_and_skill(truth, S, each)
    matrices = np.zeros((*n.shape, 2, 2))
    matrices[..., 0, 0] = rng.binomial(n, skill)
    matrices[..., 0, 1] = n - matrices[..., 0, 0]
    return matrices


def held(ends, truth):
    return ((ends[0] <= truth) & (truth <= ends[1])).mean()


@pytest.mark.parametrize(("truth", "S", "each"), CELLS)
def test_accuracy_is_covered_near_the_ceiling_and_with_unequal_speakers(truth, S, each):
    matrices = right_or_wrong(truth, S, each)
    assert held(bounds(metrics.accuracy, matrices), truth) >= 0.93


def test_the_jackknife_alone_is_not_enough():
    """The interval of 0.1.0: the simulation can tell a good interval from a bad one."""
    for (truth, S, each), most in {(0.983, 4, "40"): 0.8, (0.997, 24, "lognormal"): 0.7}.items():
        matrices = right_or_wrong(truth, S, each)
        half = stats.t.ppf(0.975, S - 1) * np.sqrt(jackknife_variance(metrics.accuracy, matrices))
        centre = metrics.accuracy(matrices.sum(1))
        assert held((centre - half, centre + half), truth) < most


@pytest.mark.parametrize("name", ["uar", "macro_f1", "weighted_f1"])
@pytest.mark.parametrize(
    ("truth", "S", "each"),
    [(0.7, 10, "lognormal"), (0.983, 4, "40"), (0.983, 24, "40"), (0.997, 10, "lognormal")],
)
def test_uar_and_f1_are_covered_with_a_class_that_is_rare(truth, S, each, name):
    share = np.array([0.6, 0.25, 0.1, 0.05])
    rng, n, skill = clips_and_skill(truth, S, each, trials=500)
    true = rng.multinomial(n, share)
    right = rng.binomial(true, skill[..., None])
    matrices = np.zeros((*n.shape, 4, 4))
    matrices[..., range(4), range(4)] = right
    matrices[..., range(4), (1, 2, 3, 0)] = true - right
    whole = np.diag(share * truth)
    whole[range(4), (1, 2, 3, 0)] = share * (1 - truth)
    metric = metrics.METRICS[name]
    ends = bounds(metric, matrices, by_class=metrics.is_over_classes(metric))
    assert held(ends, float(metric(whole))) >= 0.93


@pytest.mark.parametrize("clusters", [4, 6, 18])
def test_all_right_is_not_sure_to_be_all_right(clusters):
    truth = [0, 1, 2] * 6
    speakers = [f"s{i % clusters}" for i in range(18)]
    found = metrics.numbers(truth, truth, speakers, ("a", "b", "c"))
    for name in ("accuracy", "uar", "macro_f1", "weighted_f1"):
        assert found.values[name] == 1
        low, high = found.intervals[name]
        assert 0.7 < low < 0.025 ** (1 / 18) + 1e-9  # of as many clips, each of its own speaker
        assert high == 1


def test_a_rare_class_that_is_all_right_leaves_uar_less_sure_than_accuracy():
    truth = [0] * 36 + [1] * 4
    found = metrics.numbers(truth, truth, [f"s{i % 4}" for i in range(40)], ("a", "b"))
    assert found.intervals["uar"][0] < found.intervals["accuracy"][0] - 0.05
    assert found.intervals["macro_f1"] == found.intervals["uar"]


def test_of_independent_clips_it_is_clopper_and_pearsons():
    right, n = 37, 50
    each = np.zeros((n, 2, 2))
    each[:right, 0, 0] = each[right:, 0, 1] = 1
    low, high = interval(metrics.accuracy, each)
    exact = stats.binomtest(right, n).proportion_ci(method="exact")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=2e-3)  # V has n-1 for n
    ends = clopper_pearson(np.array(right / n), np.array(float(n)))
    assert ends == pytest.approx((exact.low, exact.high))


def test_unlike_speakers_count_as_korn_and_graubard_have_it():
    right = np.array([10.0, 25, 31, 38, 22, 40])
    each = np.zeros((6, 2, 2))
    each[:, 0, 0], each[:, 0, 1] = right, 40 - right
    p, means = right.sum() / 240, right / 40
    n = p * (1 - p) / (means.var(ddof=1) / 6)
    n *= (stats.t.ppf(0.975, 239) / stats.t.ppf(0.975, 5)) ** 2
    assert n < 240 / (1 + 39 * ALIKE)
    expected = (
        stats.beta.ppf(0.025, p * n, n - p * n + 1),
        stats.beta.ppf(0.975, p * n + 1, n - p * n),
    )
    assert interval(metrics.accuracy, each) == pytest.approx(expected)


@given(
    st.lists(
        st.lists(st.integers(0, 9), min_size=9, max_size=9).filter(any), min_size=4, max_size=8
    )
)
def test_every_number_is_inside_its_interval_and_that_inside_0_and_1(counts):
    matrices = np.array(counts, float).reshape(-1, 3, 3)
    for name in metrics.METRICS:
        metric = metrics.METRICS[name]
        low, high = interval(metric, matrices, by_class=metrics.is_over_classes(metric))
        value = float(metric(matrices.sum(0)))
        assert 0 <= low <= value + 1e-9
        assert value - 1e-9 <= high <= 1
        assert high - low > 0.01


def test_below_four_clusters_there_is_none():
    assert interval(metrics.accuracy, np.ones((3, 2, 2))) is None


def of_seeds(rng, truth, S, R, spread, trials):
    """Confusion matrices (trials, R, S, 2, 2); every seed shifts the truth."""
    strength = 1 / UNLIKE - 1
    hard = rng.random((trials, 1, S))
    shifted = np.clip(truth + spread * rng.standard_normal((trials, R, 1)), 0.01, 0.999)
    skill = stats.beta.ppf(hard, shifted * strength, (1 - shifted) * strength)
    matrices = np.zeros((trials, R, S, 2, 2))
    matrices[..., 0, 0] = rng.binomial(40, skill)
    matrices[..., 0, 1] = 40 - matrices[..., 0, 0]
    return matrices


@pytest.mark.parametrize(("truth", "S"), [(0.6, 10), (0.7, 24), (0.95, 4), (0.7, 91)])
def test_a_mean_over_seeds_is_covered_for_trainings_like_these(truth, S):
    matrices = of_seeds(np.random.default_rng(S), truth, S, 3, 0.015, trials=600)
    assert held(bounds(metrics.accuracy, matrices, seeds=True), truth) >= 0.93


def test_seeds_that_part_where_speakers_do_not_are_in_the_interval():
    """Many speakers and few unlike seeds: one seed's interval is too narrow for the truth."""
    matrices = of_seeds(np.random.default_rng(0), 0.7, 91, 5, 0.05, trials=600)
    with_seeds = held(bounds(metrics.accuracy, matrices, seeds=True), 0.7)
    alone = held(bounds(metrics.accuracy, matrices[:, 0]), 0.7)
    assert alone < 0.6
    assert with_seeds >= 0.93


def test_a_seed_that_is_repeated_is_one_seed():
    each = right_or_wrong(0.7, 10, "40")[0]
    again = np.stack([each] * 3)
    assert interval(metrics.accuracy, again) == pytest.approx(interval(metrics.accuracy, each))
    assert interval(metrics.accuracy, each[None]) == interval(metrics.accuracy, each)
