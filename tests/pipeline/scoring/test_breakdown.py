"""Recall per class, the worst speaker, and what a run says of its numbers."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import recall_score

from gensr.estimator.metrics import numbers
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.answered import count
from gensr.pipeline.scoring.breakdown import recalls, worst_speaker
from gensr.pipeline.use.describe import describe
from support.answered import answers, question


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


def told(*people, corpora=("x",)):
    """Answers of speakers, (name, right, wrong) each."""
    protocol = question(
        {name: {"corpus": [corpus] * (right + wrong)} for name, corpus, right, wrong in people},
        corpora=corpora,
    )
    hits = [i < right for _, _, right, wrong in people for i in range(right + wrong)]
    return count([answers(protocol, hits)], protocol)


def test_the_worst_speaker():
    many = (("03", "x", 5, 3), ("04", "x", 10, 6), ("05", "x", 9, 1), ("06", "x", 0, 4))
    found = worst_speaker(told(*many))
    assert (found.name, found.accuracy, found.n) == ("04", 0.625, 16)  # as bad, on more clips
    assert worst_speaker(told(many[0])) is None  # alone
    assert worst_speaker(told(("03", "x", 0, 4), ("04", "x", 4, 0))) is None  # too few clips
    two = told(("03", "one", 5, 3), ("04", "two", 5, 4), corpora=["one", "two"])
    assert worst_speaker(two).name == "two/04"


def test_of_several_seeds_numbers_are_means():
    protocol = question({name: {"n": [""] * 10} for name in "pq"})
    each = [answers(protocol, [i % 10 < right for i in range(20)]) for right in (4, 8)]
    found = count(each, protocol)
    assert worst_speaker(found).accuracy == pytest.approx(0.6)
    assert [one.n for one in recalls(found.numbers())] == [10, 10]


def test_predictions_of_version_0_1_0_have_speakers_by_their_protocol(linear):
    run = Run.open(linear)
    rows = run.predictions()
    bare = [Prediction(r.path, r.fold, r.label, r.predicted, r.probabilities) for r in rows]
    older = replace(run.protocol, columns={})
    found = [
        worst_speaker(count([given], about))
        for given, about in ((bare, older), (rows, run.protocol))
    ]
    assert found[0] == found[1]


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
