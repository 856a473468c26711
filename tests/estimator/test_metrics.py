import warnings

import numpy as np
import pytest
from sklearn import metrics as oracle

from gensr.estimator import metrics
from gensr.estimator.errors import ConfigError

CLASSES = ("a", "b", "c", "d")


def _answers(n: int, seed: int = 0) -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])
    predicted = np.where(rng.random(n) < 0.7, truth, rng.integers(4, size=n))
    return truth.tolist(), predicted.tolist()


@pytest.mark.parametrize("n", [1, 3, 10, 500])
def test_every_metric_against_scikit_learn(n: int) -> None:
    truth, predicted = _answers(n, seed=n)
    found = metrics.numbers(truth, predicted, ["s"] * n, CLASSES).values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class that is predicted and never true
        assert found["accuracy"] == pytest.approx(oracle.accuracy_score(truth, predicted))
        assert found["uar"] == pytest.approx(oracle.balanced_accuracy_score(truth, predicted))
        for name in ("macro", "weighted"):
            f1 = oracle.f1_score(truth, predicted, average=name, zero_division=0)
            assert found[f"{name}_f1"] == pytest.approx(f1)
    assert found["majority_baseline"] == pytest.approx(np.bincount(truth).max() / n)


def test_the_confusion_matrix_has_truth_in_rows() -> None:
    found = metrics.numbers([0, 0, 1], [0, 1, 1], ["s", "s", "t"], ("x", "y"))
    assert found.confusion == ((1, 1), (0, 1))
    assert found.clusters == 2
    assert found.as_json()["accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("speakers", [1, 2, 3])
def test_below_four_speakers_there_is_no_interval(speakers: int) -> None:
    truth, predicted = _answers(60)
    clusters = [f"s{i % speakers}" for i in range(60)]
    found = metrics.numbers(truth, predicted, clusters, CLASSES)
    assert set(found.intervals.values()) == {None}


def test_intervals_cover_their_nominal_share_over_few_unlike_speakers() -> None:
    rng = np.random.default_rng(0)
    covered = {"accuracy": 0, "uar": 0}
    trials, S, n = 300, 10, 40
    for _ in range(trials):
        skill = np.clip(0.7 + 0.1 * rng.standard_normal(S), 0, 1)  # mean 0.7 over speakers
        truth = np.tile(np.arange(4), n // 4)[None].repeat(S, 0)
        right = rng.random((S, n)) < skill[:, None]
        predicted = np.where(right, truth, (truth + 1) % 4)
        clusters = np.repeat(np.arange(S), n).astype(str)
        found = metrics.numbers(
            truth.ravel().tolist(), predicted.ravel().tolist(), clusters.tolist(), CLASSES
        )
        for name in covered:
            low, high = found.intervals[name]  # type: ignore[misc]
            covered[name] += low <= 0.7 <= high
    for count in covered.values():
        assert 0.91 <= count / trials <= 0.98


def test_nothing_or_unequal_lengths_cannot_be_scored() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        metrics.numbers([], [], [], CLASSES)
    with pytest.raises(ConfigError, match="as many"):
        metrics.numbers([0, 1], [0], ["a", "b"], CLASSES)


def _raises(matrix):
    raise ValueError("two\nlines")


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (_raises, r"'own' of no package, but added by hand fails \(two lines\)"),
        (lambda matrix: "text", "'own' of .* fails"),
        (lambda matrix: float("nan"), "'own' of .* fails"),
        (lambda matrix: matrix.sum((-2, -1)) * np.nan, "gives nan of one"),
        (lambda matrix: matrix.sum((-2, -1)), r"gives 40.0 of one .*in \[0, 1\]"),
        (lambda matrix: matrix[..., :2, :2].mean(0).sum() / 99, "fails"),
    ],
)
def test_a_metric_of_ones_own_that_gives_no_share_is_one_line(metric, message, monkeypatch):
    monkeypatch.setattr(metrics.METRICS, "_added", set())
    metrics.METRICS.add("own", metric)
    with pytest.raises(ConfigError, match=message) as error:
        metrics.numbers(*_answers(40), [f"s{i % 5}" for i in range(40)], CLASSES)
    assert "\n" not in str(error.value)
    del metrics.METRICS._loaded["own"]


def test_of_several_seeds_it_is_the_mean_over_them() -> None:
    answers = [_answers(80, seed=0)[0]]
    truth = answers[0]
    rng = np.random.default_rng(1)
    seeds = [np.where(rng.random(80) < 0.6, truth, rng.integers(4, size=80)) for _ in range(3)]
    speakers = [f"s{i % 8}" for i in range(80)]
    found = metrics.numbers(truth, np.stack(seeds), speakers, CLASSES)
    alone = [metrics.numbers(truth, seed, speakers, CLASSES) for seed in seeds]
    assert found.seeds == 3
    assert (found.n, found.clusters) == (80, 8)
    for name in metrics.METRICS:
        assert found.values[name] == pytest.approx(np.mean([one.values[name] for one in alone]))
    assert list(found.by_seed) == [one.values for one in alone]
    assert np.array_equal(found.confusion, sum(np.array(one.confusion) for one in alone))
    assert found.as_json()["by_seed"] == list(found.by_seed)
    assert "by_seed" not in alone[0].as_json()


def test_other_clusters_have_intervals_of_their_own() -> None:
    truth, predicted = _answers(80)
    dialogues, speakers = ([f"{i % many}" for i in range(80)] for many in (20, 5))
    found = metrics.numbers(truth, predicted, dialogues, CLASSES, also={"speaker": speakers})
    (also,) = found.also
    assert (also.cluster, also.clusters) == ("speaker", 5)
    assert also.intervals == metrics.numbers(truth, predicted, speakers, CLASSES).intervals
    assert also.intervals != found.intervals
