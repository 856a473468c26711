"""Differences of two systems: the test against all swaps by hand, the interval by simulation."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from gensr.estimator import metrics
from gensr.estimator.errors import ConfigError
from gensr.estimator.paired import (
    bell_mccaffrey,
    difference,
    holm,
    minimum_detectable,
    paired_bounds,
)
from gensr.estimator.swaps import EXACT, smallest_p, swap_test


def answers(rng, R, S, C, skill, n=12):
    """Confusion matrices (R, S, C, C) of clips that are the same in every seed and system."""
    true = np.full((S, C), n)
    right = rng.binomial(true, skill, (R, S, C))
    matrices = np.zeros((R, S, C, C))
    matrices[..., range(C), range(C)] = right
    matrices[..., range(C), [(c + 1) % C for c in range(C)]] = true - right
    return matrices


def by_hand(metric, a, b):
    """p of all 2^S swaps, one after the other."""
    S = a.shape[1]
    seen = abs(np.mean(metric(a.sum(1))) - np.mean(metric(b.sum(1))))
    beyond = 0
    for swapped in product((False, True), repeat=S):
        x, y = a.copy(), b.copy()
        for s, swap in enumerate(swapped):
            if swap:
                x[:, s], y[:, s] = b[:, s], a[:, s]
        beyond += abs(np.mean(metric(x.sum(1))) - np.mean(metric(y.sum(1)))) >= seen - 1e-12
    return beyond / 2**S


@pytest.mark.parametrize("name", list(metrics.METRICS))
@pytest.mark.parametrize("R", [1, 3])
def test_p_is_that_of_all_swaps(name, R):
    rng = np.random.default_rng(R)
    a, b = answers(rng, R, 7, 3, 0.7), answers(rng, R, 7, 3, 0.55)
    p, exact = swap_test(metrics.METRICS[name], a, b)
    assert exact
    assert p == by_hand(metrics.METRICS[name], a, b)


def test_of_accuracy_it_is_scipys_sign_flip_test():
    rng = np.random.default_rng(5)
    a, b = answers(rng, 1, 9, 2, 0.8), answers(rng, 1, 9, 2, 0.7)
    apart = metrics.accuracy(a[0]) - metrics.accuracy(b[0])  # every speaker has as many clips
    oracle = stats.permutation_test((apart,), np.mean, permutation_type="samples", n_resamples=1e5)
    assert swap_test(metrics.accuracy, a, b)[0] == pytest.approx(oracle.pvalue)


def test_unequal_many_seeds_are_repeated():
    rng = np.random.default_rng(6)
    a, b = answers(rng, 2, 6, 3, 0.7), answers(rng, 3, 6, 3, 0.5)
    found = difference(metrics.macro_f1, a, b, by_class=True)
    mean = [np.mean(metrics.macro_f1(each.sum(1))) for each in (a, b)]
    assert found.value == pytest.approx(mean[0] - mean[1])
    assert found.p == by_hand(metrics.macro_f1, np.tile(a, (3, 1, 1, 1)), np.tile(b, (2, 1, 1, 1)))


def test_beyond_all_swaps_some_are_drawn_and_none_has_p_zero():
    rng = np.random.default_rng(7)
    S = EXACT + 6
    a, b = answers(rng, 1, S, 2, 0.95), answers(rng, 1, S, 2, 0.3)
    found = difference(metrics.accuracy, a, b)
    assert not found.exact
    assert found.p == 1e-4 == smallest_p(S)
    again = difference(metrics.accuracy, a, b)
    assert again == found  # the draws are fixed
    c = answers(rng, 1, S, 2, 0.90)
    drawn = swap_test(metrics.accuracy, a, c)[0]
    apart = (metrics.accuracy(a[0]) - metrics.accuracy(c[0]))[None]
    signs = 1 - 2 * rng.integers(0, 2, (200000, S))
    share = (abs((signs * apart).mean(1)) >= abs(apart.mean()) - 1e-12).mean()
    assert drawn == pytest.approx(share, abs=0.015)


def test_speakers_without_a_difference_are_not_swapped():
    rng = np.random.default_rng(8)
    a = answers(rng, 1, 30, 2, 0.7)
    b = a.copy()
    b[0, :5] = answers(rng, 1, 5, 2, 0.4)[0]
    found = difference(metrics.accuracy, a, b)
    assert found.exact
    assert found.p >= 2 / 2**5


def test_a_system_against_itself():
    a = answers(np.random.default_rng(9), 2, 10, 3, 0.8)
    found = difference(metrics.accuracy, a, a)
    assert (found.value, found.p) == (0.0, 1.0)
    assert found.low < 0 < found.high
    assert found.low == -found.high


def test_turned_round_it_is_the_same():
    rng = np.random.default_rng(10)
    a, b = answers(rng, 2, 10, 3, 0.8), answers(rng, 3, 10, 3, 0.6)
    one, other = (difference(metrics.accuracy, *pair) for pair in ((a, b), (b, a)))
    assert one.value == pytest.approx(-other.value)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert one.p == other.p


def test_few_speakers():
    rng = np.random.default_rng(11)
    three = difference(metrics.accuracy, answers(rng, 1, 3, 2, 1.0), answers(rng, 1, 3, 2, 0.2))
    assert three.low is three.high is three.detectable is None
    assert three.p == 0.25 == smallest_p(3)
    five = difference(metrics.accuracy, answers(rng, 1, 5, 2, 1.0), answers(rng, 1, 5, 2, 0.2))
    assert five.p == 0.0625
    assert five.detectable is None
    assert five.low > 0


def test_of_many_equal_speakers_it_is_students():
    rng = np.random.default_rng(12)
    a, b = answers(rng, 1, 60, 2, 0.7, n=200), answers(rng, 1, 60, 2, 0.65, n=200)
    apart = metrics.accuracy(a[0]) - metrics.accuracy(b[0])
    oracle = stats.ttest_1samp(apart, 0).confidence_interval()
    found = difference(metrics.accuracy, a, b)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=2e-3)


def test_an_answer_that_was_not_given_is_wrong():
    rng = np.random.default_rng(13)
    a, b = answers(rng, 1, 8, 3, 0.7), answers(rng, 1, 8, 3, 0.7)
    silent = np.pad(b, [(0, 0)] * 3 + [(0, 1)])
    for s in range(8):
        silent[0, s, 0, 3], silent[0, s, 0, 0] = silent[0, s, 0, 0], 0  # a class never answered
    for name in metrics.METRICS:
        metric = metrics.METRICS[name]
        assert difference(metric, a, silent).value == pytest.approx(
            float(metric(a[0].sum(0))) - float(metric(silent[0].sum(0)))
        )


def test_other_clips_are_refused():
    a = answers(np.random.default_rng(14), 1, 8, 3, 0.7)
    with pytest.raises(ConfigError, match="same clips"):
        difference(metrics.accuracy, a, a[:, :7])
    with pytest.raises(ConfigError, match="same clips"):
        difference(metrics.accuracy, a, a * 2)


def test_holm_against_his_rule():
    """Each p is corrected to the least level at which the step-down rule would reject it."""
    rng = np.random.default_rng(15)
    for _ in range(20):
        ps = rng.random(6) ** 3
        for level in (0.01, 0.05, 0.2):
            rejected = set()
            for rank, index in enumerate(np.argsort(ps)):
                if ps[index] > level / (6 - rank):
                    break
                rejected.add(int(index))
            assert {i for i, p in enumerate(holm(list(ps))) if p <= level} == rejected
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_speakers_of_equally_many_clips_have_a_degree_of_freedom_each():
    df, bias = bell_mccaffrey(np.full((2, 9), 30.0))
    assert df == pytest.approx(8)
    assert bias == pytest.approx(1)


def test_bell_and_mccaffrey_by_matrices():
    clips = np.array([5.0, 20, 40, 41, 200])
    S, w = len(clips), clips / clips.sum()
    A = np.eye(S) - np.outer(np.ones(S), w)
    M = A.T @ np.diag((w / (1 - w)) ** 2 * (S - 1) / S) @ A
    for_s = np.diag(0.03 + 0.97 / clips)
    df, bias = bell_mccaffrey(clips)
    assert df == pytest.approx(np.trace(M @ for_s) ** 2 / np.trace(M @ for_s @ M @ for_s))
    assert bias == pytest.approx(np.trace(M @ for_s) / (w @ for_s @ w))
    # M is the jackknife variance, as a form of the speakers' differences
    e = np.random.default_rng(0).standard_normal(S)
    without = (clips @ e - clips * e) / (clips.sum() - clips)
    spread = np.square(without - without.mean()).sum() * (S - 1) / S
    centred = without - (w @ e)
    assert e @ M @ e == pytest.approx(np.square(centred).sum() * (S - 1) / S)
    assert spread <= e @ M @ e + 1e-12


@pytest.mark.parametrize("S", [8, 20])
def test_what_is_detectable_is_found_four_times_in_five(S):
    rng = np.random.default_rng(S)
    size = minimum_detectable(1 / np.sqrt(S), S - 1, S)
    found = 0
    for _ in range(400):
        apart = size + rng.standard_normal(S)
        signs = 1 - 2 * rng.integers(0, 2, (999, S))
        found += (1 + (abs(signs @ apart) >= abs(apart.sum())).sum()) / 1000 <= 0.05
    assert 0.73 < found / 400 < 0.88
    assert minimum_detectable(1 / np.sqrt(S), S - 1, S, growth=0.1) > size


def test_below_six_speakers_nothing_can_be_found():
    assert minimum_detectable(0.01, 4, 5) is None
    assert minimum_detectable(0.01, 5, 6) is not None
    assert minimum_detectable(0.01, 5, 6, alpha=0.05 / 2) is None
    assert smallest_p(1) == 1


CELLS = [
    (truth, S, even) for truth in (0.6, 0.983, 0.997) for S in (4, 10, 24) for even in (True, False)
]


@pytest.mark.parametrize(("truth", "S", "even"), CELLS)
def test_the_interval_covers_a_difference(truth, S, even):
    """Near twins of unlike errors; at the ceiling a jackknife alone covers under a half."""
    rng = np.random.default_rng(S)
    trials, strength, apart = 1500, 0.21 / 0.12**2 - 1, (1 - truth) / 2
    clips = np.full((trials, S), 40)
    if not even:
        clips = np.maximum(2, np.rint(rng.lognormal(np.log(40) - 0.5, 1, (trials, S)))).astype(int)
    hard = rng.random((trials, S))
    right = []
    for p in (truth, truth - apart):
        skill = stats.beta.ppf(hard, p * strength, (1 - p) * strength)
        right.append(rng.binomial(clips, skill))
    a, b = (np.zeros((trials, 1, S, 2, 2)) for _ in right)
    for each, count in zip((a, b), right, strict=True):
        each[:, 0, :, 0, 0], each[:, 0, :, 0, 1] = count, clips - count
    low, high = paired_bounds(metrics.accuracy, a, b)
    assert ((low <= apart) & (apart <= high)).mean() >= 0.93


def test_clips_without_speakers_are_many_clusters():
    rng = np.random.default_rng(16)
    a, b = answers(rng, 1, 3000, 2, 0.7, n=1), answers(rng, 1, 3000, 2, 0.6, n=1)
    found = difference(metrics.accuracy, a, b)
    assert found.p == 1e-4
    assert 0.05 < found.low < found.value < found.high < 0.15
