"""The interval of a gap: against Student's, by symmetry, by simulation, and near the ceiling."""

import numpy as np
import pytest

from gensr.estimator.gaps import combined, correlation, gap_interval
from gensr.estimator.intervals import bounds, interval
from gensr.estimator.metrics import accuracy


def people(rights, n=20):
    """(S, 2, 2): so many of n clips right, for each."""
    matrices = np.zeros((len(rights), 2, 2))
    matrices[:, 0, 0] = rights
    matrices[:, 0, 1] = n - np.asarray(rights)
    return matrices


def apart(one, other):
    """The same matrices, as groups of different clusters."""
    none = np.zeros_like
    return np.concatenate([one, none(other)]), np.concatenate([none(one), other])


ONE, OTHER = people([18, 15, 12, 17, 16, 14]), people([10, 12, 9, 13, 11, 8])


def test_it_turns_round_with_its_groups():
    for a, b in ((ONE, OTHER), apart(ONE, OTHER)):
        low, high = gap_interval(accuracy, a, b)
        assert gap_interval(accuracy, b, a) == pytest.approx((-high, -low))
        assert low < accuracy(a.sum(0)) - accuracy(b.sum(0)) < high


def test_other_speakers_do_not_vary_together():
    assert correlation(accuracy, *apart(ONE, OTHER)) == 0
    assert correlation(accuracy, ONE, ONE) == pytest.approx(1)
    assert correlation(accuracy, ONE, people([20] * 6)) == 0


def test_the_same_clips_have_nearly_no_gap():
    low, high = gap_interval(accuracy, ONE, ONE)
    assert low <= 0 <= high
    assert high - low < 0.3 * (interval(accuracy, ONE)[1] - interval(accuracy, ONE)[0])


def test_without_correlation_it_is_wider():
    r = correlation(accuracy, ONE, OTHER)
    assert r > 0.5
    paired, unpaired = (
        gap_interval(accuracy, ONE, OTHER),
        gap_interval(accuracy, *apart(ONE, OTHER)),
    )
    assert paired[1] - paired[0] < unpaired[1] - unpaired[0]


def test_against_a_constant_it_is_the_others_interval():
    a = np.array(0.8), (np.array(0.6), np.array(0.9))
    b = np.array(0.5), (np.array(0.5), np.array(0.5))
    assert [float(end) for end in combined(*a, *b, np.array(0.0))] == pytest.approx([0.1, 0.4])


def test_all_right_is_not_sure_to_be_equal():
    perfect = people([20] * 6)
    low, high = gap_interval(accuracy, *apart(perfect, perfect))
    assert low == pytest.approx(-high)
    assert high > interval(accuracy, perfect)[1] - interval(accuracy, perfect)[0] - 1e-9


def test_below_four_speakers_there_is_none():
    assert gap_interval(accuracy, *apart(ONE[:3], OTHER)) is None


def test_a_level_for_many_pairs_is_wider():
    narrow = gap_interval(accuracy, *apart(ONE, OTHER))
    wide = gap_interval(accuracy, *apart(ONE, OTHER), level=1 - 0.05 / 10)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("truth", [0.7, 0.95])
def test_it_covers(truth, paired):
    """Speakers as unlike as in benchmarks/gaps.py, 12 of each kind."""
    rng = np.random.default_rng(0)
    trials, alike = 1500, 0.07
    skill = rng.beta(truth * (1 / alike - 1), (1 - truth) * (1 / alike - 1), (2, trials, 12))
    if paired:
        skill[1] = skill[0]
    right = rng.binomial(20, skill).astype(float)
    found = np.zeros((2, trials, 12, 2, 2))
    found[..., 0, 0], found[..., 0, 1] = right, 20 - right
    r = correlation(accuracy, *found) if paired else np.zeros(trials)
    values, ends = accuracy(found.sum(-3)), [bounds(accuracy, each) for each in found]
    low, high = combined(values[0], ends[0], values[1], ends[1], r)
    assert ((low <= 0) & (high >= 0)).mean() >= 0.94
