"""Numbers by group: counted by hand, gaps that are there and gaps that are not."""

import numpy as np
import pytest

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.metrics import METRICS
from gensr.pipeline.scoring.answered import count
from gensr.pipeline.scoring.evaluate import score
from gensr.pipeline.scoring.groups import groupings
from support.answered import answers, question

CLIPS = 20


def people(women: int = 6, men: int = 6, n: int = CLIPS):
    """Who speaks: half of each one's clips are loud; they last from 1 to 3 s."""
    level = ["loud" if i % 4 < 2 else "soft" for i in range(n)]
    seconds = [f"{1 + 2 * i / n:.2f}" for i in range(n)]
    told = {"intensity": level, "seconds": seconds}
    return {
        **{f"f{k}": {"gender": ["female"] * n, **told} for k in range(women)},
        **{f"m{k}": {"gender": ["male"] * n, **told} for k in range(men)},
    }


def drawn(protocol, chance, seed=0):
    """Answers right by a chance that each clip has."""
    rng = np.random.default_rng(seed)
    return answers(protocol, rng.random(len(protocol.paths) - 1) < chance(protocol))


def by(found, name):
    return next(one for one in found if one.by == name)


class TestByHand:
    def test_each_group_is_what_score_says_of_its_clips_alone(self):
        protocol = question(people())
        given = drawn(protocol, lambda p: 0.7)
        found = groupings(count([given], protocol))
        assert [one.by for one in found] == ["class", "speaker", "gender", "intensity", "length"]
        women = by(found, "gender").groups[0]
        assert (women.name, women.n, women.clusters, women.lacks) == ("female", 120, 6, "")
        only = [row for row, who in enumerate(protocol.columns["gender"]) if who == "female"]
        alone = question(people(men=0))
        whole = score([one for one in given if one.path.startswith("f")], alone)
        assert len(only) == whole.n == 120
        for name in METRICS:
            assert women.values[name] == pytest.approx(whole.values[name])
            assert women.intervals[name] == pytest.approx(whole.intervals[name])

    def test_a_class_has_its_recall(self):
        protocol = question(people())
        right = [protocol.classes[label] == "a" for label in protocol.labels[:-1]]
        found = by(groupings(count([answers(protocol, right)], protocol)), "class")
        assert {one.name: one.values["accuracy"] for one in found.groups} == {"a": 1.0, "b": 0.0}

    def test_lengths_are_thirds_with_their_bounds(self):
        protocol = question(people())
        found = by(groupings(count([drawn(protocol, lambda p: 0.7)], protocol)), "length")
        names = [one.name for one in found.groups]
        assert names[0].startswith("to 1.")
        assert names[0].endswith(" s")
        assert names[2].startswith("above 2.")
        assert [one.n for one in found.groups] == pytest.approx([80, 80, 80], abs=12)

    def test_what_is_too_little_says_so_and_is_no_end_of_a_gap(self):
        few = {"zz": {"gender": ["other"] * 3, "intensity": ["loud"] * 3, "seconds": ["1"] * 3}}
        protocol = question({**people(women=3), **few})
        found = by(groupings(count([drawn(protocol, lambda p: 0.7)], protocol)), "gender")
        lacks = {one.name: one.lacks for one in found.groups}
        assert lacks == {
            "female": "3 speakers: no interval",
            "male": "",
            "other": "3 clips: too few; 1 speaker: no interval",
        }
        assert "other" not in (found.gaps["uar"].best, found.gaps["uar"].worst)
        assert found.gaps["uar"].interval is None

    def test_unknown_values_are_counted_and_no_group(self):
        told = people(women=4, men=4)
        told["f0"]["gender"] = [""] * CLIPS
        protocol = question(told)
        found = by(groupings(count([drawn(protocol, lambda p: 0.7)], protocol)), "gender")
        assert found.unknown == CLIPS
        assert sum(one.n for one in found.groups) == 7 * CLIPS

    def test_a_run_that_kept_no_columns_has_classes_and_speakers(self):
        protocol = question({name: {"n": [""] * CLIPS} for name in "pqrstu"})
        found = groupings(count([drawn(protocol, lambda p: 0.7)], protocol))
        assert [one.by for one in found] == ["class", "speaker"]


class TestGaps:
    def test_a_gap_that_is_there_is_found(self):
        protocol = question(people(women=12, men=12))
        women = np.array(protocol.columns["gender"])[:-1] == "female"
        given = drawn(protocol, lambda p: np.where(women, 0.9, 0.5))
        gap = by(groupings(count([given], protocol)), "gender").gaps["accuracy"]
        assert (gap.best, gap.worst) == ("female", "male")
        assert gap.interval[0] > 0.2
        assert gap.interval[0] < gap.value < gap.interval[1]

    def test_one_that_is_not_there_is_not_claimed(self):
        protocol = question(people())
        given = drawn(protocol, lambda p: 0.8)
        for one in groupings(count([given], protocol)):
            if one.by != "speaker":
                assert one.gaps["accuracy"].interval[0] <= 0, one.by

    def test_all_right_is_no_gap_and_not_sure_to_be_none(self):
        protocol = question(people())
        gap = by(groupings(count([drawn(protocol, lambda p: 1.0)], protocol)), "gender").gaps
        assert gap["uar"].value == 0
        assert gap["uar"].interval[0] < -0.01
        assert gap["uar"].interval[1] > 0.01


class TestSeeds:
    def test_numbers_are_means_over_seeds(self):
        protocol = question(people())
        each = [drawn(protocol, lambda p: 0.7, seed) for seed in range(3)]
        found = by(groupings(count(each, protocol)), "gender")
        alone = [by(groupings(count([one], protocol)), "gender") for one in each]
        for which, group in enumerate(found.groups):
            assert group.n == 120
            for name in METRICS:
                values = [one.groups[which].values[name] for one in alone]
                assert group.values[name] == pytest.approx(np.mean(values))

    def test_equal_seeds_are_as_one(self):
        protocol = question(people())
        given = drawn(protocol, lambda p: 0.7)
        one, three = (by(groupings(count([given] * k, protocol)), "gender") for k in (1, 3))
        for a, b in zip(one.groups, three.groups, strict=True):
            for name in METRICS:
                assert a.intervals[name] == pytest.approx(b.intervals[name])

    def test_seeds_that_answered_other_clips_are_refused(self):
        protocol = question(people())
        given = drawn(protocol, lambda p: 0.7)
        with pytest.raises(RunError, match="tested clips have none"):
            count([given, given[1:]], protocol)


class TestAsked:
    def test_any_column(self):
        told = people()
        for who, columns in told.items():
            columns["mood"] = [("up", "down")[int(who[1:]) % 2]] * CLIPS
        protocol = question(told)
        found = groupings(count([drawn(protocol, lambda p: 0.7)], protocol), ["mood"])
        assert [one.name for one in found[-1].groups] == ["down", "up"]

    def test_a_column_of_many_numbers_is_parted_in_thirds(self):
        told = people()
        for columns in told.values():
            columns["age"] = [str(20 + i) for i in range(CLIPS)]
        protocol = question(told)
        found = groupings(count([drawn(protocol, lambda p: 0.7)], protocol), ["age"])
        assert len(found[-1].groups) == 3

    def test_one_that_is_not_known_is_refused_with_those_that_are(self):
        protocol = question(people())
        found = count([drawn(protocol, lambda p: 0.7)], protocol)
        with pytest.raises(ConfigError, match=r"no column 'age' .* there are class, speaker, gen"):
            groupings(found, ["age"])

    def test_one_that_does_not_part_is_refused(self):
        protocol = question(people(men=0))
        found = count([drawn(protocol, lambda p: 0.7)], protocol)
        with pytest.raises(ConfigError, match="all tested clips are of one gender"):
            groupings(found, ["gender"])


def test_other_trainings_widen_an_interval():
    protocol = question(people())
    same = drawn(protocol, lambda p: 0.7)
    worse = drawn(protocol, lambda p: 0.5, seed=1)
    alike = by(groupings(count([same, same], protocol)), "gender")
    unlike = by(groupings(count([same, worse], protocol)), "gender")
    for a, b in zip(alike.groups, unlike.groups, strict=True):
        low, high = a.intervals["accuracy"]
        wide_low, wide_high = b.intervals["accuracy"]
        assert wide_high - wide_low > high - low
    gaps = [one.gaps["accuracy"].interval for one in (alike, unlike)]
    assert gaps[1][1] - gaps[1][0] > gaps[0][1] - gaps[0][0]
