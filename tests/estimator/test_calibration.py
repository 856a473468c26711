"""Calibration against scikit-learn, a perfect forecaster, and temperatures that are known."""

import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from gensr.estimator import calibration as cal


def forecasts(n: int, classes: int = 5, sharp: float = 2.0, seed: int = 0):
    """Probabilities, and truths that are drawn by them: perfectly calibrated."""
    rng = np.random.default_rng(seed)
    logits = sharp * rng.normal(size=(n, classes))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    y = (rng.random((n, 1)) > p.cumsum(1)).sum(1).clip(max=classes - 1)
    return p, y


def sure_and_right(p, y):
    return p.max(1), p.argmax(1) == y


class TestProperScores:
    def test_log_loss_is_scikit_learns(self):
        p, y = forecasts(500)
        assert cal.log_losses(p, y).mean() == pytest.approx(log_loss(y, cal.floored(p)), rel=1e-9)

    def test_brier_is_twice_scikit_learns_of_two_classes(self):
        p, y = forecasts(500, classes=2)
        assert cal.brier_scores(p, y).mean() == pytest.approx(2 * brier_score_loss(y, p[:, 1]))

    def test_a_sure_miss_costs_a_finite_loss(self):
        p, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 1])
        assert cal.log_losses(p, y)[0] == pytest.approx(-math.log(1e-6), rel=1e-5)
        assert cal.log_losses(p, y)[1] == pytest.approx(0, abs=2e-6)
        assert cal.brier_scores(p, y).tolist() == [2.0, 0.0]


class TestBins:
    def test_a_perfect_forecaster_has_no_error_but_chance(self):
        p, y = forecasts(200_000)
        sure, right = sure_and_right(p, y)
        assert cal.ece(sure, right, cal.equal_width()) < 0.006
        assert cal.ece(sure, right, cal.equal_mass(sure)) < 0.006
        for one in cal.reliability(sure, right, cal.equal_width()):
            if one.n > 2000:
                assert one.accuracy == pytest.approx(one.confidence, abs=4 / math.sqrt(one.n))

    @pytest.mark.parametrize("n", [100, 500, 5000])
    def test_what_chance_makes_of_a_perfect_forecaster(self, n):
        found = []
        for seed in range(200):
            p, y = forecasts(n, seed=seed)
            sure, right = sure_and_right(p, y)
            edges = cal.equal_width()
            found.append((cal.ece(sure, right, edges), cal.ece_by_chance(sure, edges)))
        mean, chance = np.mean(found, 0)
        assert chance == pytest.approx(mean, rel=0.06)

    def test_one_that_is_too_sure_is_found_out(self):
        sure, right = np.full(1000, 0.9), np.arange(1000) % 2 == 0
        for edges in (cal.equal_width(), cal.equal_mass(sure)):
            assert cal.ece(sure, right, edges) == pytest.approx(0.4)

    def test_by_hand(self):
        sure, right = np.array([0.25, 0.3, 0.75, 1.0]), np.array([True, False, True, True])
        found = cal.reliability(sure, right, cal.equal_width(2))
        assert [(one.n, one.accuracy) for one in found] == [(2, 0.5), (2, 1.0)]
        assert [one.confidence for one in found] == pytest.approx([0.275, 0.875])
        assert cal.ece(sure, right, cal.equal_width(2)) == pytest.approx(
            (2 * 0.225 + 2 * 0.125) / 4
        )

    def test_bins_of_equal_mass_hold_as_many(self):
        sure = np.random.default_rng(0).random(1500)
        found = cal.reliability(sure, sure > 0, cal.equal_mass(sure))
        assert [one.n for one in found] == [100] * 15

    def test_equal_confidences_are_never_parted(self):
        sure = np.array([0.5] * 7 + [1.0] * 93)
        right = np.arange(100) < 50
        found = cal.reliability(sure, right, cal.equal_mass(sure))
        assert sorted(one.n for one in found if one.n) == [7, 93]
        again = cal.ece(sure[::-1], right[::-1], cal.equal_mass(sure))
        assert cal.ece(sure, right, cal.equal_mass(sure)) == pytest.approx(again)


class TestTemperature:
    @pytest.mark.parametrize("T", [0.5, 1.0, 2.5])
    def test_a_known_one_is_found(self, T):
        p, y = forecasts(40_000)
        skewed = cal.with_temperature(p, 1 / T)  # too sure by T
        found, doubt = cal.fit_temperature(skewed, y)
        assert found == pytest.approx(T, rel=0.03)
        assert doubt < 0.01
        left = np.abs(cal.with_temperature(skewed, T) - p).max()
        assert left < (1e-3 if T <= 1 else 0.02)  # what the floor cuts off does not come back

    def test_it_never_makes_the_loss_worse_where_it_was_fitted(self):
        p, y = forecasts(300, seed=3)
        before = cal.log_losses(p, y).mean()
        T, doubt = cal.fit_temperature(p, y)
        assert cal.log_losses(cal.with_temperature(p, T, doubt), y).mean() <= before + 1e-9

    @pytest.mark.parametrize("share", [0.05, 0.2])
    def test_answers_that_know_nothing_are_told_from_a_wrong_temperature(self, share):
        p, y = forecasts(40_000)
        unknown = np.random.default_rng(1).random(len(y)) < share
        y = np.where(unknown, np.random.default_rng(2).integers(0, p.shape[1], len(y)), y)
        T, doubt = cal.fit_temperature(cal.with_temperature(p, 1 / 2.0), y)
        assert (T, doubt) == (pytest.approx(2.0, rel=0.08), pytest.approx(share, abs=0.02))

    def test_a_few_sure_misses_do_not_make_every_answer_unsure(self):
        """Of exact zeros: what a projection onto the simplex gives."""
        p, y = np.eye(4)[np.arange(400) % 4], np.arange(400) % 4
        y[:40] = (y[:40] + 1) % 4
        T, doubt = cal.fit_temperature(p, y)
        after = cal.with_temperature(p, T, doubt).max(1)
        assert T < 1.5
        assert after == pytest.approx(0.9, abs=0.01)

    def test_a_few_clips_all_right_do_not_ask_for_certainty(self):
        p = np.array([[0.7, 0.2, 0.1]] * 30)
        T, doubt = cal.fit_temperature(p, np.zeros(30, int))
        assert 0.2 < T < 1
        assert doubt == 0
        assert cal.with_temperature(p, T).max() < 0.999_999

    def test_the_answer_never_changes(self):
        p, _ = forecasts(1000)
        for T in (0.2, 3.0):
            for doubt in (0.0, 0.3):
                assert (cal.with_temperature(p, T, doubt).argmax(1) == p.argmax(1)).all()

    def test_each_clip_may_have_its_own(self):
        p, _ = forecasts(4)
        T = np.array([0.5, 1.0, 2.0, 4.0])
        doubt = np.array([0.0, 0.1, 0.2, 0.9])
        alone = [cal.with_temperature(p[i : i + 1], T[i], doubt[i])[0] for i in range(4)]
        assert cal.with_temperature(p, T, doubt) == pytest.approx(np.array(alone))

    def test_exact_zeros_stay_finite(self):
        p = np.array([[1.0, 0.0, 0.0]] * 5)
        y = np.array([0, 0, 0, 0, 1])
        T, doubt = cal.fit_temperature(p, y)
        assert np.isfinite(cal.log_losses(cal.with_temperature(p, T, doubt), y)).all()
        assert doubt > 0.1


class TestRefusing:
    def test_the_curve_by_hand(self):
        sure = np.array([0.9, 0.8, 0.8, 0.6])
        right = np.array([True, False, True, False])
        thresholds, coverage, risk, area = cal.risk_coverage(sure, right)
        assert thresholds.tolist() == [0.9, 0.8, 0.6]
        assert coverage.tolist() == [0.25, 0.75, 1.0]
        assert risk == pytest.approx([0, 1 / 3, 1 / 2])
        assert area == pytest.approx((0 + 0.5 / 2 + 1 / 3 + 1 / 2) / 4)

    def test_order_of_equals_does_not_matter(self):
        rng = np.random.default_rng(0)
        sure, right = rng.integers(0, 4, 100) / 4, rng.random(100) < 0.6
        order = rng.permutation(100)
        one, other = cal.risk_coverage(sure, right), cal.risk_coverage(sure[order], right[order])
        assert one[3] == pytest.approx(other[3])
        assert one[2].tolist() == other[2].tolist()

    def test_one_that_knows_nothing_of_its_errors_has_their_share(self):
        rng = np.random.default_rng(1)
        sure, right = rng.random(50_000), rng.random(50_000) < 0.7
        assert cal.risk_coverage(sure, right)[3] == pytest.approx(0.3, abs=0.02)


def test_the_jackknife_of_a_mean_is_students():
    from scipy.stats import t

    values = np.random.default_rng(0).normal(size=12)
    without = np.array([np.delete(values, s).mean() for s in range(12)])
    low, high = cal.jackknife_t(values.mean(), without)
    expected = t.interval(0.95, 11, values.mean(), values.std(ddof=1) / math.sqrt(12))
    assert (low, high) == pytest.approx(expected)


def test_the_seeds_of_a_number_widen_its_interval():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(12, 1)) + np.zeros((12, 3))
    without = (values.sum(0) - values) / 11
    alike = cal.jackknife_t(values.mean(0), without)
    assert alike == pytest.approx(cal.jackknife_t(values.mean(0)[:1], without[:, 0]))
    moved = np.array([-0.5, 0.0, 0.5])
    apart = cal.jackknife_t(values.mean(0) + moved, without + moved)
    assert sum(apart) == pytest.approx(sum(alike))
    assert apart[1] - apart[0] > alike[1] - alike[0]
