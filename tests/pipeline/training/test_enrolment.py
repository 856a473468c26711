"""Enrolment: which clips, what is taken off, and that all who read vectors read the same."""

import numpy as np
import pytest

from gensr.estimator.errors import ConfigError, RunError
from gensr.features.store import open_store
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.scoring.table import IncomparableError, compare
from gensr.pipeline.training.enrolment import drawn
from gensr.pipeline.training.vectors import open_vectors
from gensr.pipeline.use.predict import predict
from gensr.pipeline.use.trained import load_model


def table(speakers="aabbbbc", corpus="x"):
    n = len(speakers)
    return {
        "path": np.array([f"{i}.wav" for i in range(n)], dtype=object),
        "corpus": np.array([corpus] * n, dtype=object),
        "speaker": np.array(list(speakers), dtype=object),
    }


def test_some_clips_of_each_speaker_and_all_where_there_are_fewer():
    speaker, rows = drawn(table(), 2)
    assert speaker.tolist() == [0, 0, 1, 1, 1, 1, 2]
    assert np.bincount(speaker[rows]).tolist() == [2, 2, 1]
    assert rows.tolist() == sorted(rows.tolist())


def test_the_order_of_clips_has_no_say():
    clips = table("aaaabbbb")
    _, rows = drawn(clips, 2)
    turned = {name: values[::-1] for name, values in clips.items()}
    _, others = drawn(turned, 2)
    assert {clips["path"][row] for row in rows} == {turned["path"][row] for row in others}


def test_who_has_no_name_cannot_be_enrolled():
    clips = table()
    clips["speaker"][3] = ""
    with pytest.raises(ConfigError, match=r"3\.wav names no speaker"):
        drawn(clips, 2)


def test_the_mean_of_the_clips_that_enrol_is_taken_off(store):
    with open_vectors(store) as plain, open_vectors(store) as enrolled:
        enrolled.enrol(4)
        speaker, rows = drawn(plain.table, 4)
        every = np.arange(len(plain))
        x, y = (np.empty((len(plain), *plain.shape), np.float32) for _ in range(2))
        plain.read(every, x)
        enrolled.read(every, y)
        for who in range(speaker.max() + 1):
            mine, own = speaker == who, rows[speaker[rows] == who]
            np.testing.assert_allclose(y[mine], x[mine] - x[own].mean(0), atol=1e-5)
        parts = dict.fromkeys(every.tolist())
        for places, block in enrolled.shards(every[::-1].copy()):
            parts |= dict(zip(every[::-1][places].tolist(), block, strict=True))
        assert np.array_equal(np.stack([parts[row] for row in every.tolist()]), y)


@pytest.fixture(scope="module")
def enrolled(made, fit):
    return fit(made / "runs/enrolled", enrol="speaker", enrol_clips=4, stream=False).run.folder


def test_streamed_or_held_the_run_is_the_same(enrolled, fit, tmp_path):
    how = {"enrol": "speaker", "enrol_clips": 4, "fold": "2"}
    runs = [fit(tmp_path / str(s), stream=s, **how).run.folder for s in (False, True)]
    models = [(run / "folds/2/model.safetensors").read_bytes() for run in runs]
    assert models[0] == models[1]
    assert (
        models[0]
        != fit(tmp_path / "plain", fold="2")
        .run.folder.joinpath("folds/2/model.safetensors")
        .read_bytes()
    )


def test_its_models_are_asked_of_the_same_vectors_again(enrolled):
    found = evaluate(enrolled, steps=(4,), device="cpu")  # 4 is what the run was trained to use
    N = found.config.options["sampler_steps"]
    again = evaluate(enrolled, steps=(N,), device="cpu")
    assert again.by_steps[N].values == again.numbers.values
    assert found.enrol_clips == 4


def test_it_stands_in_no_table_beside_a_run_without(enrolled, finished):
    with pytest.raises(IncomparableError, match=r"enrolment of speakers \(none; 4 clips of each\)"):
        compare([finished, enrolled])
    (note,) = [note for note in compare([enrolled]).notes() if note.startswith("enrolled")]
    assert "4 unlabelled clips" in note
    assert dict(Run.open(enrolled).facts())["enrolled by clips"] == "4"


def test_a_run_goes_on_with_its_own_enrolment_only(enrolled, fit):
    fit(enrolled, enrol="speaker", enrol_clips=4, resume=True)
    with pytest.raises(RunError, match="enrol_clips"):
        fit(enrolled, resume=True)


def test_predict_takes_clips_of_the_speaker(corpus, store, fit, deployed, tmp_path):
    run = fit(tmp_path / "run", fold="none", enrol="speaker", enrol_clips=3).run.folder
    clips = sorted((corpus / "DC").glob("*.wav"))
    with pytest.raises(ConfigError, match="pass --enrol with some clips"):
        predict(clips, run, device="cpu")
    with pytest.raises(ConfigError, match="trained without enrolment"):
        predict(clips, deployed, enrol=clips, device="cpu")
    found = predict(clips[:2], run, enrol=clips[:3], device="cpu")
    trained = load_model(run, device="cpu")
    assert trained.enrol_clips == 3
    with open_store(store) as kept:
        at = {path: row for row, path in enumerate(kept.table["path"].tolist())}
        rows = np.array([at[f"DC/{clip.name}"] for clip in clips[:3]])
        x = np.concatenate([kept.vectors(rows[i : i + 1], trained.layers) for i in range(3)])
    p = trained.probabilities((x - x.mean(0))[:2])
    told = np.array([list(row.probabilities.values()) for row in found.rows])
    np.testing.assert_allclose(told, p, atol=1e-4)
    (tmp_path / "bad.wav").write_text("no audio")
    said = predict(clips[:1], run, enrol=[*clips[:3], tmp_path / "bad.wav"], device="cpu").notes
    assert any("not enrolled by" in note and "bad.wav" in note for note in said)


def test_a_wish_that_is_none_is_refused(fit, tmp_path):
    for wish, said in ({"enrol": "me"}, "enrol must be"), ({"enrol_clips": 0}, "at least 1"):
        with pytest.raises(ConfigError, match=said):
            fit(tmp_path / "run", **wish)
    assert not (tmp_path / "run").exists()
