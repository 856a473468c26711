"""One table of systems: pairs, corrections, notes; and that it takes seeds and foreign answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gensr.estimator import metrics
from gensr.estimator.errors import ConfigError
from gensr.estimator.paired import difference, holm
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.scoring import table as tables
from gensr.pipeline.scoring.answered import count
from gensr.pipeline.scoring.systems import System


def clips(speakers="abcdefgh", emotions=("anger", "happiness", "sadness"), each=4, **columns):
    rows = [(s, e, str(w)) for s in speakers for e in emotions for w in range(each)]
    filled = {
        "path": [f"{s}-{e}-{w}.wav" for s, e, w in rows],
        "corpus": ["mine"] * len(rows),
        "speaker": [s for s, _, _ in rows],
        "emotion": [e for _, e, _ in rows],
        "canonical": [e for _, e, _ in rows],
        "sentence": [w for _, _, w in rows],
        "gender": [""] * len(rows),
        "audio_sha256": [f"{s}{e}{w}" for s, e, w in rows],
    }
    filled |= {name: [""] * len(rows) for name in ("dialogue", "split")}
    return {name: np.array(values) for name, values in (filled | columns).items()}


def system(about, name, skill, seeds=1, blank=0.0, seed=0):
    """A system that answers right with a probability."""
    rng = np.random.default_rng(seed)
    given = []
    for _ in range(seeds):
        answers = []
        for fold in about.folds:
            for row in fold.test:
                label = about.classes[about.labels[row]]
                said = label if rng.random() < skill else about.classes[rng.integers(3)]
                said = "" if rng.random() < blank else said
                answers.append(Prediction(about.paths[row], fold.name, label, said, ()))
        given.append(answers)
    return System(
        place=Path("runs") / name,
        name=name,
        folds=tuple(fold.name for fold in about.folds),
        split_seed=0,
        seeds=tuple(range(seeds)) if not blank else (),
        answers=count(given, about, blank=blank > 0),
        notes=(f"{name}: some not answered",) if blank else (),
    )


@pytest.fixture
def compared(monkeypatch):
    """compared(*systems, **options) -> Table, of systems in memory."""

    def call(*systems, **options):
        monkeypatch.setattr(tables, "systems_of", lambda _: list(systems))
        return tables.compare(["somewhere"], **options)

    return call


@pytest.fixture(scope="module")
def about():
    return make_protocol(clips(), name="speaker-5fold")


def test_every_number_is_that_of_the_estimator(about, compared):
    systems = [
        system(about, "a", 0.9, seeds=3),
        system(about, "b", 0.5, seed=1),
        system(about, "c", 0.7, seed=2, blank=0.2),
    ]
    found = compared(*systems, metric="uar")
    speakers = systems[0].answers.clusterings()["speaker"]
    a, b, c = (one.answers.matrices(speakers) for one in systems)
    for name in ("accuracy", "uar", "macro_f1", "weighted_f1"):
        metric, by_class = metrics.METRICS[name], name in ("uar", "macro_f1")
        alone = [difference(metric, one, a, by_class=by_class, rivals=2) for one in (b, c)]
        rivals = found.rivals["speaker"][name]
        assert [rivals[one].paired for one in "bc"] == alone
        assert [rivals[one].corrected for one in "bc"] == holm([one.p for one in alone])
    assert found.rival(systems[0]) is None
    assert found.rival(systems[1]).paired.value < -0.2
    mean = np.mean([metrics.uar(seed.sum(0)) for seed in a])
    assert found.numbers[0].values["uar"] == pytest.approx(mean)
    assert len(found.numbers[0].by_seed) == 3
    assert found.numbers[2].confusion[0][3] > 0  # what was not answered


def test_another_may_be_what_all_are_compared_with(about, compared):
    systems = [system(about, "a", 0.9), system(about, "b", 0.5, seed=1)]
    first, second = compared(*systems), compared(*systems, against="b")
    assert second.reference.name == "b"
    assert second.rival(systems[1]) is None
    one, other = first.rival(systems[1]).paired, second.rival(systems[0]).paired
    assert other.value == pytest.approx(-one.value)
    assert compared(*systems, against="runs/b").against == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"against": "z"}, "--against takes one of a, b; found z"),
        ({"metric": "wa"}, "--metric takes accuracy, uar, macro_f1, weighted_f1; found wa"),
        ({"metric": "majority_baseline"}, "--metric takes"),
    ],
)
def test_what_is_not_there_is_one_line(about, compared, options, message):
    with pytest.raises(ConfigError, match=message):
        compared(system(about, "a", 0.9), system(about, "b", 0.5), **options)


def test_a_system_stands_once_in_a_table(about, compared):
    with pytest.raises(ConfigError, match="a is given twice"):
        compared(system(about, "a", 0.9), system(about, "a", 0.9))


def test_other_questions_are_not_ranked(about, compared):
    other = make_protocol(clips(), name="speaker-holdout")
    four = make_protocol(
        clips(emotions=("anger", "happiness", "sadness", "fear")), name="speaker-5fold"
    )
    with pytest.raises(tables.IncomparableError) as error:
        compared(system(about, "a", 0.9), system(other, "b", 0.5), system(four, "c", 0.5))
    lines = [each.line() for each in error.value.differences]
    assert len(lines) == 2
    assert "differ in protocol (speaker-5fold; speaker-holdout)" in lines[0]
    assert "differ in classes (3 and 4: only the second has fear)" in lines[1]


def test_what_intervals_leave_out_is_said_once(about, compared):
    one, several = system(about, "a", 0.9), system(about, "b", 0.6, seeds=3, seed=1)
    foreign = system(about, "c", 0.6, blank=0.1, seed=2)
    notes = compared(one, several, foreign).notes()
    (left,) = [note for note in notes if note.startswith("intervals leave out")]
    assert "another training seed would change of a (one seed" in left
    assert "folds share training clips" in left
    assert "c: some not answered" in notes
    assert len(notes) == len(set(notes))
    left = compared(several, foreign).notes()
    assert not any("training seed" in note for note in left)


def test_few_speakers_are_said(compared):
    few = make_protocol(clips(speakers="abcde"), name="speaker-5fold")
    systems = [system(few, "a", 0.9), system(few, "b", 0.5, seed=1)]
    found = compared(*systems)
    assert any("over 5 speakers the least p is 0.0625" in note for note in found.notes())
    assert found.rival(systems[1]).paired.detectable is None
    three = make_protocol(clips(speakers="abc"), name="speaker-holdout")
    found = compared(system(three, "a", 0.9), system(three, "b", 0.5, seed=1))
    assert any(note.startswith("no intervals: ") for note in found.notes())


def test_dialogues_and_speakers_both(compared):
    """Four speakers in twelve dialogues: both tables, each with its own intervals and p."""
    told = clips(each=6)
    n = len(told["path"])
    told["dialogue"] = np.array([f"d{i % 24}" for i in range(n)])
    about = make_protocol(told, name="speaker-5fold")
    about = replace(
        about,
        cluster="dialogue",
        clusters=tuple(told["dialogue"].tolist()),
        columns={"speaker": tuple(told["speaker"].tolist())},
    )
    systems = [system(about, "a", 0.9), system(about, "b", 0.6, seed=1)]
    found = compared(*systems)
    assert list(found.rivals) == ["dialogue", "speaker"]
    (also,) = found.numbers[0].also
    assert (found.numbers[0].clusters, also.cluster, also.clusters) == (24, "speaker", 8)
    assert also.intervals["accuracy"] != found.numbers[0].intervals["accuracy"]
    pairs = [found.rival(systems[1], cluster).paired for cluster in found.rivals]
    assert pairs[0].value == pairs[1].value
    assert (pairs[0].clusters, pairs[1].clusters) == (24, 8)
    assert found.as_json()["systems"][0]["also"][0]["clusters"] == 8


def test_variances_are_told_apart(about, compared):
    found = compared(system(about, "a", 0.7, seeds=4))
    one = found.systems[0]
    parts, spreads = one.variance(), one.spreads("accuracy")
    assert None not in (parts.seeds, parts.folds, parts.speakers, parts.rest)
    assert spreads["seeds"].parts == 4
    assert spreads["folds"].parts == 5
    assert spreads["seeds"].mean == pytest.approx(found.numbers[0].values["accuracy"])
