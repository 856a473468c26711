"""Runs of unlike questions are told apart, in words."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.scoring.answered import count
from gensr.pipeline.scoring.compare import differences, reasons_between
from gensr.pipeline.scoring.evaluate import score
from gensr.pipeline.scoring.evaluation import Evaluation


def table(speakers="abcdefgh", emotions=("angry", "happy", "sad"), corpus="mine", **columns):
    """Three sentences of every speaker in every emotion."""
    rows = [(s, e, w) for s in speakers for e in emotions for w in "123"]
    filled = {
        "path": [f"{s}-{e}-{w}.wav" for s, e, w in rows],
        "corpus": [corpus] * len(rows),
        "speaker": [s for s, _, _ in rows],
        "emotion": [e for _, e, _ in rows],
        "canonical": [e for _, e, _ in rows],
        "sentence": [w for _, _, w in rows],
        "gender": [("female", "male")[s > "d"] for s, _, _ in rows],
        "audio_sha256": [f"{s}{e}{w}" for s, e, w in rows],
    }
    filled |= {name: [""] * len(rows) for name in ("dialogue", "split")}
    return {name: np.array(values) for name, values in (filled | columns).items()}


def scored(clips, run="run", folds=None, **asked):
    """An evaluation of answers that are all right."""
    protocol = make_protocol(clips, **asked)
    tests = [(fold, row) for fold in protocol.folds for row in fold.test]
    label = [protocol.classes[protocol.labels[row]] for _, row in tests]
    given = [
        Prediction(protocol.paths[row], fold.name, said, said, ())
        for (fold, row), said in zip(tests, label, strict=True)
    ]
    return Evaluation(
        run=run,
        model="linear",
        protocol=protocol,
        answers=count([given], protocol),
        numbers=score(given, protocol),
        folds={name: {} for name in folds or [fold.name for fold in protocol.folds]},
        by_steps={},
        config=SimpleNamespace(split_seed=asked.get("seed", 0), enrol_clips=0),
        seeds=(0,),
        sampler=None,
        trajectory=None,
        worst_speaker=None,
        own=True,
        joined="",
        groups=[],
        calibration=None,
    )


def test_one_question_has_no_difference():
    assert differences([scored(table()), scored(table()), scored(table())]) == ()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"name": "speaker-5fold"}, "protocol (speaker-holdout; speaker-5fold)"),
        ({"label": "gender"}, "label (emotion; gender)"),
        ({"labels": "canonical"}, "label (emotion; canonical)"),
        ({"seed": 2}, "split seed (0; 2)"),
        ({"seed": 2}, "folds (of "),
    ],
)
def test_what_was_asked_otherwise_is_named(other, said):
    found = differences([scored(table()), scored(table(), "other", **other)])
    assert len(found) == 1
    assert said in found[0].line()
    assert found[0].line().startswith("not comparable: run and other differ in ")
    assert "\n" not in found[0].line()


@pytest.mark.parametrize(
    ("clips", "said"),
    [
        (table(corpus="yours"), "corpora (mine; yours)"),
        (table(speakers="abcdefg"), "clips (9 of 72 and 0 of 63 are in one run alone)"),
        (
            table(emotions=("angry", "happy", "sad", "calm")),
            "classes (3 and 4: only the second has calm)",
        ),
    ],
)
def test_what_other_clips_make_is_named(clips, said):
    assert said in "; ".join(reasons_between(scored(table()), scored(clips)))


def test_labels_that_moved_are_counted():
    clips = table()
    moved = clips["emotion"].copy()
    moved[:3] = "sad"
    found = reasons_between(scored(clips), scored(clips | {"emotion": moved}))
    assert "labels (of 3 of 72 clips)" in found


def test_what_else_enters_the_hash_is_said_too():
    clips = table()
    one = reasons_between(
        scored(clips), scored(clips | {"audio_sha256": np.array(["x"] * 72)}, allow_leaks=True)
    )
    assert one == ("what is left out or shared between training and test",)


def test_another_fold_of_one_question():
    clips = table()
    left = scored(clips, name="speaker-5fold")
    right = scored(clips, name="speaker-5fold", folds=["2"])
    assert reasons_between(left, right) == ("folds that are tested (1, 2, 3 and 2 more; 2)",)


def test_clips_that_were_made_worse_are_another_question():
    clips = table()
    clean, noisy = scored(clips), replace(scored(clips), perturbations=("noise:20dB",))
    assert reasons_between(noisy, replace(clean, perturbations=("noise:20dB",))) == ()
    told = ("what was done to the clips (nothing; noise:20dB)",)
    assert reasons_between(clean, noisy) == told


def test_the_same_name_with_other_sides_is_another_question():
    clips = table(part=["train" if i % 2 else "test" for i in range(72)])
    one = scored(clips)
    sides = [replace(one.protocol, parts=digest) for digest in ("aa", "bb")]
    found = reasons_between(*(replace(one, protocol=each) for each in sides))
    assert found == ("which clips are on which side",)
