"""Recall per class, the worst speaker, and what a run says of its numbers."""

import csv
import json

import numpy as np
import pytest
from sklearn.metrics import recall_score

from gensr.estimator.metrics import numbers
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.breakdown import recalls, worst_speaker
from gensr.pipeline.use.describe import describe


def test_recalls_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, answer = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    found = recalls(numbers(truth, answer, ["s"] * 200, list("abcd")))
    assert [one.recall for one in found] == pytest.approx(recall_score(truth, answer, average=None))
    for index, one in enumerate(found):
        counts = np.bincount(answer[truth == index], minlength=4)
        counts[index] = 0
        assert (one.n, one.taken) == ((truth == index).sum(), counts.max())
        assert counts["abcd".index(one.taken_for)] == one.taken


def test_a_class_that_is_not_tested_has_no_recall():
    found = recalls(numbers([0, 0], [0, 0], ["s", "t"], ["a", "b"]))
    assert [(one.name, one.recall, one.taken_for) for one in found] == [("a", 1.0, "")]


def given(speaker, right, wrong, corpus="c"):
    return [
        Prediction(
            f"{speaker}{n}", "1", "a", "a" if n < right else "b", (1.0, 0.0), speaker, corpus
        )
        for n in range(right + wrong)
    ]


def test_the_worst_speaker(finished):
    protocol = Run.open(finished).protocol
    rows = given("03", 5, 3) + given("04", 10, 6) + given("05", 9, 1) + given("06", 0, 4)
    found = worst_speaker(rows, protocol)
    assert (found.name, found.accuracy, found.n) == ("04", 0.625, 16)  # as bad, on more clips
    assert worst_speaker(given("03", 5, 3), protocol) is None  # alone
    assert worst_speaker(given("03", 0, 4) + given("04", 4, 0), protocol) is None  # too few clips
    rows = given("03", 5, 3, "one") + given("03", 5, 4, "two")
    assert worst_speaker(rows, protocol).name == "two/03"


def test_predictions_of_version_0_1_0_have_speakers_by_their_protocol(linear, copied):
    run = Run.open(linear)
    rows = run.predictions()
    bare = [Prediction(r.path, r.fold, r.label, r.predicted, r.probabilities) for r in rows]
    assert worst_speaker(bare, run.protocol) == worst_speaker(rows, run.protocol)


def test_predictions_carry_speaker_and_corpus(finished):
    with (finished / "predictions.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames[:4] == ["path", "fold", "label", "predicted"]
    assert reader.fieldnames[-2:] == ["speaker", "corpus"]
    assert all(row["speaker"] == row["path"][:2] and row["corpus"] == "emodb" for row in rows)


def test_info_shows_the_numbers_of_a_run(finished, deployed, copied):
    from gensr.pipeline.scoring.evaluate import evaluate

    known, found = dict(describe(finished).facts), evaluate(Run.open(finished), steps=())
    assert known["WA"].startswith(f"{100 * found.numbers.values['accuracy']:.1f} % [")
    assert known["UAR"].startswith(f"{100 * found.numbers.values['uar']:.1f} % [")
    assert known["n"] == "36, 4 speakers"
    assert known["majority"] == "33.3 %"
    assert known["identity"] == Run.open(finished).identity
    plain = json.loads(json.dumps(found.as_json()))
    assert set(plain["recall"]) == {"angry", "happy", "sad"}
    assert plain["worst_speaker"]["n"] == 9
    deployed_facts = dict(describe(deployed).facts)
    assert deployed_facts["tested"].startswith("learnt from every clip, never tested")
    assert not {"WA", "UAR", "n", "majority", "folds", "keeps apart"} & set(deployed_facts)
    half = copied(finished)
    (half / "predictions.csv").unlink()
    assert "WA" not in dict(describe(half).facts)
