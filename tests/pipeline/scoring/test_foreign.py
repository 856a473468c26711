"""Answers of other systems: whose clips they are of, what they count as, where they are kept."""

import json

import numpy as np
import pytest
from sklearn import metrics as oracle

from gensr.estimator.errors import RunError
from gensr.estimator.metrics import METRICS, confusion, numbers
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.files import plain_bytes
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.errors import AnswersError
from gensr.pipeline.scoring.evaluate import score
from gensr.pipeline.scoring.foreign import score_answers
from gensr.pipeline.scoring.systems import is_foreign, system_of

SPEAKERS, EMOTIONS = "abcdefgh", ("anger", "happiness", "sadness")


@pytest.fixture
def question(tmp_path):
    """A protocol of eight speakers, its file, and the tested clips with their labels."""
    rows = [(s, e, w) for s in SPEAKERS for e in EMOTIONS for w in "12"]
    columns = {
        "path": [f"wav/{s}-{e}-{w}.wav" for s, e, w in rows],
        "corpus": ["mine"] * len(rows),
        "speaker": [s for s, _, _ in rows],
        "emotion": [e for _, e, _ in rows],
        "canonical": [e for _, e, _ in rows],
        "sentence": [w for _, _, w in rows],
        "gender": [""] * len(rows),
        "audio_sha256": [f"{s}{e}{w}" for s, e, w in rows],
        **{name: [""] * len(rows) for name in ("dialogue", "split")},
    }
    table = {name: np.array(values) for name, values in columns.items()}
    about = make_protocol(table, name="speaker-5fold")
    kept = {"hash": about.hash, "protocol": about.describe(), "clips": about.assignment()}
    path = tmp_path / "protocol.json"
    path.write_bytes(plain_bytes(kept))
    return path, {row[0]: row[1] for row in about.assignment()}


def written(tmp_path, lines, name="answers.csv"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def sentences(labels):
    return {path: f"The speaker shows {label}." for path, label in labels.items()}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator(question, tmp_path, separator):
    path, labels = question
    lines = [f"file{separator}answer"]
    lines += [f"{clip}{separator}{text}" for clip, text in sentences(labels).items()]
    found = score_answers(written(tmp_path, lines), path)
    assert found.numbers.values["accuracy"] == 1
    assert found.outcomes["mapped"] == found.numbers.n == len(labels) == 48
    assert found.numbers.clusters == 8


def test_json_lines(question, tmp_path):
    path, labels = question
    lines = [json.dumps({"path": clip, "text": text}) for clip, text in sentences(labels).items()]
    found = score_answers(written(tmp_path, lines, "a.jsonl"), path, name="Qwen")
    assert (found.system, found.numbers.values["uar"]) == ("Qwen", 1)


@pytest.mark.parametrize("called", ["/data/x/{0}", "{2}", "{1}", "wav\\{1}"])
def test_clips_by_the_end_of_their_path_or_their_name(question, tmp_path, called):
    path, labels = question
    names = [(clip, clip[4:], clip[4:-4], label) for clip, label in labels.items()]
    lines = ["name,predicted", *(f"{called.format(*one)},{one[3]}" for one in names)]
    assert score_answers(written(tmp_path, lines), path).numbers.values["accuracy"] == 1


def test_what_is_not_answered_is_wrong_and_both_numbers_are_told(question, tmp_path):
    path, labels = question
    clips = list(labels)
    texts = sentences(labels)
    texts[clips[0]] = "I'm sorry, I cannot tell."
    texts[clips[1]] = "angry or sad"
    texts[clips[2]] = "the weather is fine"
    texts[clips[3]] = ""
    del texts[clips[4]]
    lines = ["path,answer", *(f'{clip},"{text}"' for clip, text in texts.items())]
    found = score_answers(written(tmp_path, lines), path)
    assert found.outcomes == {
        "mapped": 43, "ambiguous": 1, "refused": 1, "missed": 1, "absent": 2
    }  # fmt: skip
    assert found.numbers.n == 48
    assert found.numbers.values["accuracy"] == pytest.approx(43 / 48)
    assert found.answered.n == 43
    assert found.answered.values["accuracy"] == 1
    assert found.examples["missed"] == ("the weather is fine",)


def test_a_miss_favours_no_class():
    """scikit-learn's numbers over the classes, with no answer as one more that is never true."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 200)
    predicted = np.where(rng.random(200) < 0.6, truth, rng.integers(0, 4, 200))
    found = numbers(truth.tolist(), predicted.tolist(), ["s"] * 200, ("a", "b", "c"))
    real = [0, 1, 2]
    assert found.values["accuracy"] == pytest.approx(oracle.accuracy_score(truth, predicted))
    recall = oracle.recall_score(truth, predicted, labels=real, average="macro")
    assert found.values["uar"] == pytest.approx(recall)
    for average in ("macro", "weighted"):
        f1 = oracle.f1_score(truth, predicted, labels=real, average=average)
        assert found.values[f"{average}_f1"] == pytest.approx(f1)
    # No number is better for answering nothing than for answering wrong, whichever class.
    silent = confusion([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2], 3)
    blank = np.pad(silent, [(0, 0), (0, 1)])
    blank[0, 0] -= 1
    blank[0, 3] += 1
    for name in ("accuracy", "uar", "macro_f1", "weighted_f1"):
        value = float(METRICS[name](blank))
        assert value < float(METRICS[name](silent))
        for other in (1, 2):
            wrong = silent.copy()
            wrong[0, 0] -= 1
            wrong[0, other] += 1
            assert value >= float(METRICS[name](wrong)) - 1e-12
        rolled = np.pad(np.roll(blank[:, :3], (1, 1), (0, 1)), [(0, 0), (0, 1)])
        rolled[1, 3] = 1  # the same miss in another class
        assert float(METRICS[name](rolled)) == pytest.approx(value)


def test_rows_of_other_clips_are_told(question, tmp_path):
    path, labels = question
    lines = ["path,text", *(f"{clip},{label}" for clip, label in labels.items())]
    first = next(iter(labels.items()))
    lines += ["elsewhere.wav,sad", f"{first[0]},{first[1]}"]
    found = score_answers(written(tmp_path, lines), path)
    assert found.passed_over == {"names of no clip of the protocol": 1, "rows given twice": 1}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["clip,emotion", "a,b"], r"no column of clips .* its columns are clip, emotion"),
        (["path,emotion", "a,b"], "no column of answers"),
        (["path,answer"], "holds no answers"),
        (["path,answer", "x.wav,sad"], "none of its 1 rows names a tested clip"),
        (["path,answer", "wav/a-anger-1.wav,sad,really"], r"line 2: 3 columns, .* has 2; quote"),
        (["path,answer", ",sad"], "line 2: it names no clip"),
        (
            ["path,answer", "wav/a-anger-1.wav,sad", "a-anger-1,angry"],
            r"lines 2 and 3: two answers to a-anger-1 \('sad'; 'angry'\); keep one",
        ),
        (
            ["path,p_anger,p_happiness,p_sadness", "wav/a-anger-1.wav,0.9,0.9,0.1"],
            "line 2: the probabilities",
        ),
        (['{"path": 1', "x"], "line 1: no JSON"),
        (['{"path": "wav/a-anger-1.wav", "text": "sad"}', "[]"], "line 2: no JSON object"),
    ],
)
def test_a_mistake_is_one_line(question, tmp_path, lines, message):
    with pytest.raises(AnswersError, match=message) as error:
        score_answers(written(tmp_path, lines), question[0])
    assert "\n" not in str(error.value)


def test_what_is_no_protocol_is_one_line(question, tmp_path):
    table = written(tmp_path, ["path,answer", "a,b"])
    other = tmp_path / "other.json"
    other.write_text("{}")
    with pytest.raises(RunError, match=r"no protocol\.json"):
        score_answers(table, other)
    with pytest.raises(RunError):
        score_answers(table, tmp_path / "nowhere")
    with pytest.raises(AnswersError, match="cannot be read"):
        score_answers(tmp_path / "none.csv", question[0])


def test_probabilities_alone_answer_by_the_likeliest(question, tmp_path):
    path, labels = question
    shares = {e: ",".join("0.8" if e == each else "0.1" for each in EMOTIONS) for e in EMOTIONS}
    lines = ["path,p_anger,p_happiness,p_sadness"]
    lines += [f"{clip},{shares[label]}" for clip, label in labels.items()]
    found = score_answers(written(tmp_path, lines), path)
    assert found.numbers.values["accuracy"] == 1
    found.write(tmp_path / "out")
    assert "p_sadness" in (tmp_path / "out" / "predictions.csv").read_text()


def test_what_is_kept_is_read_again_and_replaced_only_when_asked(question, tmp_path):
    path, labels = question
    lines = ["path,answer", *(f"{clip},{label}" for clip, label in list(labels.items())[5:])]
    found = score_answers(written(tmp_path, lines), path, name="other")
    out = tmp_path / "scores" / "other"
    found.write(out)
    assert is_foreign(out)
    again = system_of(out)
    assert (again.name, again.protocol.hash) == ("other", found.protocol.hash)
    assert again.answers.numbers().values == found.numbers.values
    assert again.notes == ("other: 5 of 48 not answered, counted wrong",)
    assert score_answers(out / "predictions.csv", out).numbers.values == found.numbers.values
    with pytest.raises(RunError, match="holds answers already"):
        found.write(out)
    found.write(out, overwrite=True)
    rows = (out / "predictions.csv").read_text()
    (out / "predictions.csv").write_text(rows.replace(",sadness,sadness", ",sadness,anger"))
    with pytest.raises(RunError, match=r"predictions\.csv"):
        system_of(out)
    found.write(out, overwrite=True)
    (out / "mine.txt").write_text("")
    with pytest.raises(RunError, match="something else"):
        found.write(out, overwrite=True)


def test_a_protocol_of_a_store_needs_no_run(store, linear, tmp_path):
    run = Run.open(linear)
    rows = [(given.path, given.predicted) for given in run.predictions()]
    answers = written(tmp_path, ["path,answer", *(f"{path},{said}" for path, said in rows)])
    found = score_answers(answers, "emodb-loso", stores=store)
    assert found.protocol.hash == run.protocol.hash
    assert found.numbers.values == score(run.predictions(), run.protocol).values
    with pytest.raises(ProtocolError, match="no protocol 'nope'"):
        score_answers(answers, "nope", stores=[store])


def test_a_protocol_that_was_edited_is_refused(question, tmp_path):
    path, labels = question
    answers = written(tmp_path, ["path,answer", *(f"{a},{b}" for a, b in labels.items())])
    path.write_text(path.read_text().replace("speaker-5fold", "speaker-4fold"))
    with pytest.raises(RunError, match="was changed since it was made"):
        score_answers(answers, path)
