"""The calibration of runs: what a temperature mends, intervals, refusals."""

import numpy as np
import pytest

from gensr.estimator.errors import ConfigError
from gensr.estimator.intervals import interval
from gensr.estimator.metrics import accuracy
from gensr.pipeline.runs.dev import Temperature, fitted_on
from gensr.pipeline.scoring.answered import count
from gensr.pipeline.scoring.calibration import calibration
from support.answered import answers, question


def system(speakers: int = 12, n: int = 40, T: float = 1.0, seed: int = 0):
    """A protocol and answers whose probabilities are true, sharpened by T."""
    protocol = question({f"s{k:02d}": {"gender": ["x"] * n} for k in range(speakers)})
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.5, 0.99, speakers * n)
    right = rng.random(speakers * n) < true
    sharp = true**T / (true**T + (1 - true) ** T)
    return protocol, answers(protocol, right, sharp)


def worth(protocol, *seeds, T=None, **options):
    fitted = [{} if T is None else {"1": Temperature(T, 100)}] * len(seeds)
    return calibration(count(seeds, protocol), fitted, **options)


class TestTemperature:
    def test_it_mends_what_was_too_sure(self):
        protocol, given = system(T=3.0)
        fitted = fitted_on(system(T=3.0, seed=1)[1], protocol.classes)
        found = calibration(count([given], protocol), [fitted])
        assert fitted["1"].temperature == pytest.approx(3, rel=0.2)
        assert found.scaled.values["log_loss"] < found.raw.values["log_loss"]
        assert found.change["log_loss"][1][1] < 0
        assert found.scaled.values["ece"] < found.raw.values["ece"] / 2
        value, span = found.change["brier"]
        assert value == pytest.approx(found.scaled.values["brier"] - found.raw.values["brier"])
        assert span[0] < value < span[1]

    def test_of_one_it_changes_nothing(self):
        found = worth(*system(), T=1.0)
        for name, value in found.raw.values.items():
            assert found.scaled.values[name] == pytest.approx(value, abs=1e-9)

    def test_without_dev_scores_that_is_said(self):
        found = worth(*system())
        assert found.scaled is None
        assert found.change == {}
        assert "gensr train --calibrate" in found.lacks

    def test_a_fold_without_any_is_named(self):
        protocol, given = system()
        found = calibration(count([given], protocol), [{"2": Temperature(1.0, 10)}])
        assert found.lacks == "no dev scores of fold 1"


class TestNumbers:
    def test_seeds_are_means(self):
        protocol, one = system()
        other = system(seed=5)[1]
        both, alone = worth(protocol, one, other), [worth(protocol, x) for x in (one, other)]
        for name, value in both.raw.values.items():
            assert value == pytest.approx(np.mean([each.raw.values[name] for each in alone]))

    def test_intervals_hold_the_number_and_need_four_speakers(self):
        found = worth(*system()).raw
        for name, (low, high) in found.intervals.items():
            assert low <= found.values[name] <= high
        assert {*found.intervals} == {"brier", "log_loss", "aurc"}
        assert {*worth(*system(speakers=3)).raw.intervals.values()} == {None}

    def test_a_true_forecaster_has_the_error_of_chance(self):
        found = worth(*system(speakers=50)).raw
        assert found.values["ece"] == pytest.approx(found.chance["ece"], rel=0.5)
        assert worth(*system(T=3.0)).raw.values["ece"] > 3 * found.chance["ece"]

    def test_the_diagram_holds_every_clip(self):
        found = worth(*system())
        assert sum(one.n for one in found.raw.bins) == 480
        assert found.raw.coverage[-1] == 1
        assert found.raw.risk[-1] == pytest.approx(
            1 - np.mean([one.predicted == one.label for one in system()[1]])
        )

    def test_answers_without_probabilities_have_none(self):
        from dataclasses import replace

        protocol, given = system()
        bare = [replace(one, probabilities=()) for one in given]
        assert worth(protocol, bare) is None

    def test_json_is_plain(self):
        import json

        json.dumps(worth(*system(), T=2.0, reject_below=0.7).as_json(), allow_nan=False)


class TestRefusing:
    def test_counted_by_hand(self):
        protocol, given = system()
        kept = [one for one in given if max(one.probabilities) >= 0.8]
        found = worth(protocol, given, reject_below=0.8).rejection
        assert found.answered == len(kept)
        assert found.coverage == pytest.approx(len(kept) / len(given))
        assert found.accuracy == pytest.approx(np.mean([x.predicted == x.label for x in kept]))
        assert found.accuracy > np.mean([x.predicted == x.label for x in given])
        assert not found.calibrated

    def test_the_interval_is_that_of_accuracy(self):
        protocol, given = system()
        found = worth(protocol, given, reject_below=0.0).rejection
        matrices = np.zeros((12, 2, 2))
        for one in given:
            matrices[int(one.speaker[1:]), 0, int(one.predicted != one.label)] += 1
        assert found.accuracy_interval == pytest.approx(interval(accuracy, matrices))
        assert found.coverage == 1

    def test_nothing_answered_has_no_accuracy(self):
        found = worth(*system(), reject_below=1.0).rejection
        assert (found.answered, found.accuracy, found.accuracy_interval) == (0, None, None)
        assert found.coverage == 0

    @pytest.mark.parametrize("below", [-0.1, 1.1, float("nan")])
    def test_what_is_no_confidence_is_refused(self, below):
        with pytest.raises(ConfigError, match="--reject-below takes a confidence from 0 to 1"):
            worth(*system(), reject_below=below)
