"""Clips in, answers out: the deployed model alone, with the encoder it was trained on."""

import json
import os
import shutil

import numpy as np
import pytest
import soundfile
import torch

from gensr.estimator.calibration import with_temperature
from gensr.estimator.errors import GensrError, RunError
from gensr.estimator.models.saved import load_model
from gensr.features.corpora.errors import CorpusError
from gensr.features.hearing.decoders import shared_decoders
from gensr.pipeline.runs.dev import dev_predictions, temperatures
from gensr.pipeline.runs.run import Run
from gensr.pipeline.use import predict as stage
from gensr.pipeline.use.describe import describe
from gensr.pipeline.use.describe_run import run_facts
from gensr.pipeline.use.predict import predict
from support import tones
from support.loaded import load_vectors
from support.rebind import rebind
from support.told import Told


@pytest.fixture
def change():
    """change(run, **encoder): as if it had been trained on vectors of another encoder."""

    def changed(run, **encoder):
        config = json.loads((run / "config.json").read_text())
        config["encoder"] |= encoder
        (run / "config.json").write_text(json.dumps(config))
        return Run.open(rebind(run))

    return changed


def test_a_clip_gets_the_answer_of_its_vectors(deployed, corpus, store):
    found = predict([corpus], Run.open(deployed), device="cpu")
    vectors = load_vectors([store])
    model, spec = load_model(deployed / "folds/all")
    expected = model.predict(torch.from_numpy(vectors.x)).numpy()
    by_path = {str(corpus / p): row for p, row in zip(vectors.table["path"], expected, strict=True)}
    assert not found.failed
    assert sorted(answer.path for answer in found.rows) == sorted(by_path)
    for answer in found.rows:
        p = np.array([answer.probabilities[name] for name in spec.classes])
        np.testing.assert_allclose(p, by_path[answer.path], atol=1e-5)
        assert answer.predicted == spec.classes[int(p.argmax())]
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_a_clip_alone_is_the_clip_among_others(deployed, corpus, monkeypatch):
    monkeypatch.setattr(stage, "CLIPS_AT_ONCE", 5)
    everything = predict([corpus], Run.open(deployed), device="cpu")
    one = everything.rows[7]
    assert len(everything.rows) == 36
    alone = predict([type(corpus)(one.path)], Run.open(deployed), device="cpu").rows[0]
    assert alone.predicted == one.predicted
    assert alone.probabilities == pytest.approx(one.probabilities, abs=1e-5)


def test_the_processes_that_decode_are_kept(deployed, corpus):
    """They are shared: whoever ends them ends the work of others."""
    shared = shared_decoders()
    for folder in ("KL", "DC"):
        predict([corpus / folder], Run.open(deployed), device="cpu")
        assert shared_decoders() is shared
        assert len(shared._idle) == 1


def test_files_are_answered_in_the_order_given_and_once(deployed, corpus):
    a, b = corpus / "KL/sad-0.wav", corpus / "DC/sad-0.wav"
    found = predict([a, b, a, corpus / "DC"], Run.open(deployed), device="cpu")
    paths = [answer.path for answer in found.rows]
    assert paths[:2] == [str(a), str(b)]
    assert len(paths) == len(set(paths)) == 10


def test_any_rate_and_suffix(deployed, corpus, tmp_path):
    """The same sound at 48 kHz stereo FLAC is answered, and counted as audio."""
    sound, rate = soundfile.read(corpus / "DC/sad-0.wav")
    soundfile.write(tmp_path / "a.flac", np.stack([sound, sound], 1), rate)
    hears = Told()
    found = predict([tmp_path / "a.flac"], Run.open(deployed), device="cpu", progress=hears)
    assert (hears.stages, hears.units) == ([("predict", 1)], [1])
    wav = predict([corpus / "DC/sad-0.wav"], Run.open(deployed), device="cpu")
    assert found.rows[0].probabilities == pytest.approx(wav.rows[0].probabilities, abs=1e-4)


def test_bad_clips_are_named_and_the_others_answered(deployed, corpus, tmp_path):
    tones.write_clip(tmp_path / "c/good.wav", tones.chord(0, 0, 0))
    (tmp_path / "c/text.wav").write_text("not audio")
    (tmp_path / "c/empty.wav").write_bytes(b"")
    tones.write_clip(tmp_path / "c/short.wav", np.ones(399) * 0.1 + np.arange(399) / 1e4)
    found = predict([tmp_path / "c"], Run.open(deployed), device="cpu")
    assert [answer.path for answer in found.rows] == [str(tmp_path / "c/good.wav")]
    reasons = {problem.path: problem.reason for problem in found.failed}
    assert set(reasons) == {str(tmp_path / f"c/{n}.wav") for n in ("text", "empty", "short")}
    assert "empty file" in reasons[str(tmp_path / "c/empty.wav")]
    assert "too short: 399" in reasons[str(tmp_path / "c/short.wav")]


def test_nothing_but_bad_clips(deployed, tmp_path):
    (tmp_path / "text.wav").write_text("not audio")
    found = predict([tmp_path / "text.wav"], Run.open(deployed), device="cpu")
    assert (found.rows, len(found.failed)) == ((), 1)


def test_layers_are_picked_by_name(fit, corpus, store, tmp_path):
    for layers in ((), ("p90", "std")):
        folder = tmp_path / f"{len(layers)}"
        run = fit(folder, fold="none", layers=layers, steps=2).run
        found = predict([corpus / "DC"], run, device="cpu")
        vectors = load_vectors([store], layers)
        model, spec = load_model(folder / "folds/all")
        mine = vectors.table["speaker"] == "DC"
        expected = model.predict(torch.from_numpy(vectors.x[mine])).numpy()
        answers = [[a.probabilities[name] for name in spec.classes] for a in found.rows]
        np.testing.assert_allclose(answers, expected, atol=1e-5)


@pytest.mark.parametrize("model", ["linear", "transformer-ce"])
def test_every_model_can_be_deployed(model, fit, corpus, tmp_path):
    run = fit(tmp_path / "run", model=model, fold="none", steps=1, settings=None).run
    answers = predict([corpus / "DC"], run, device="cpu").rows
    assert len(answers) == 9
    for answer in answers:
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert answer.predicted == max(answer.probabilities, key=answer.probabilities.get)


def test_a_run_that_is_for_evaluation_is_refused(finished, corpus, fit, tmp_path):
    with pytest.raises(RunError, match=r"4 models, each .*train with --fold none"):
        predict([corpus], Run.open(finished))
    one = fit(tmp_path / "run", fold="2", steps=1).run
    with pytest.raises(RunError, match=r"1 model, each .*train with --fold none"):
        predict([corpus], one)


def test_an_unfinished_run_is_refused(corpus, fit, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", fold="none", progress=Told("fold all: learn"))
    with pytest.raises(RunError, match="the training did not finish"):
        predict([corpus], Run.open(tmp_path / "run"))


def test_what_is_not_there(deployed, corpus, tmp_path):
    run = Run.open(deployed)
    with pytest.raises(CorpusError, match=r"gone\.wav does not exist"):
        predict([corpus / "gone.wav"], run)
    with pytest.raises(CorpusError, match="holds no audio file"):
        predict([tmp_path], run)


class TestEncoder:
    @pytest.mark.parametrize(
        ("about", "said"),
        [
            ({"weights_sha256": "ab12"}, r"encoder\.weights_sha256: 'ab12' in the run, None now"),
            ({"family": "hubert"}, r"encoder: 'fbank' \(hubert\) in the run, 'fbank' now"),
            ({"x1": "other"}, r"encoder\.x1: 'other' in the run, 'mean of the log-mel bands' now"),
            ({"preprocessing": {}}, r"encoder\.preprocessing\.bands: absent in the run"),
        ],
    )
    def test_another_encoder_is_refused(self, about, said, deployed, copied, change, corpus):
        run = change(copied(deployed), **about)
        with pytest.raises(RunError, match=rf"{said}.*pass the same encoder with --encoder"):
            predict([corpus / "DC"], run, device="cpu")

    def test_another_version_of_a_library_is_not_another_encoder(
        self, deployed, copied, change, corpus
    ):
        run = change(copied(deployed), libraries={"torch": "9"})
        answers = predict([corpus / "DC"], run, device="cpu")
        assert answers.rows == predict([corpus / "DC"], Run.open(deployed), device="cpu").rows

    def test_a_folder_that_is_gone_asks_for_the_new_one(self, deployed, copied, change, corpus):
        run = change(copied(deployed), name="/nowhere/whisper-base")
        with pytest.raises(RunError, match=r"needs the encoder /nowhere/whisper-base.*--encoder"):
            predict([corpus / "DC"], run, device="cpu")
        found = predict([corpus / "DC"], run, encoder="fbank", device="cpu")
        assert len(found.rows) == 9

    def test_an_encoder_that_cannot_be_had_is_named(self, deployed, corpus):
        with pytest.raises(GensrError, match="/nowhere/else"):
            predict([corpus], Run.open(deployed), encoder="/nowhere/else", device="cpu")


def test_a_name_that_is_not_utf8_can_be_printed(deployed, corpus, tmp_path):
    for name, content in (
        (b"caf\xe9.wav", (corpus / "DC/sad-0.wav").read_bytes()),
        (b"bad\xe9.wav", b""),
    ):
        (tmp_path / os.fsdecode(name)).write_bytes(content)
    found = predict([tmp_path], Run.open(deployed), device="cpu")
    assert [answer.path for answer in found.rows] == [rf"{tmp_path}/caf\udce9.wav"]
    assert [problem.path for problem in found.failed] == [rf"{tmp_path}/bad\udce9.wav"]


def test_an_encoder_that_has_no_name_is_said_to_have_none(deployed, corpus, tmp_path):
    """gensr 0.1 took one: an object of one's own that said nothing of itself."""
    folder = shutil.copytree(deployed, tmp_path / "run")
    config = json.loads((folder / "config.json").read_text())
    config["encoder"] = {"max_seconds": 30.0}
    (folder / "config.json").write_text(json.dumps(config))
    run = Run.open(rebind(folder))
    with pytest.raises(RunError, match="needs the encoder an encoder without a name"):
        predict([corpus], run, device="cpu")
    with pytest.raises(RunError, match="trained on vectors of another encoder"):
        predict([corpus], run, encoder="fbank", device="cpu")
    assert ("encoder", "an encoder without a name") in run_facts(folder)[0]


class TestTemperature:
    def test_a_calibrated_run_answers_the_same_classes_after_its_temperature(
        self, fit, corpus, tmp_path
    ):
        run = fit(tmp_path / "run", fold="none", calibrate=True).run
        fitted = temperatures(run)["all"]
        T, doubt = fitted.temperature, fitted.doubt
        found, raw = (predict([corpus], run, device="cpu", raw=raw) for raw in (False, True))
        assert (found.temperature, raw.temperature) == (T, None)
        assert (found.doubt, raw.doubt) == (doubt, None)
        assert found["predicted"] == raw["predicted"]
        p = np.array([list(row.probabilities.values()) for row in raw.rows])
        mine = np.array([list(row.probabilities.values()) for row in found.rows])
        assert np.abs(mine - with_temperature(p, T, doubt)).max() < 1e-12
        assert np.abs(mine - p).max() > 1e-3
        told = f"{T:.2f}, doubt {doubt:.3f}, by {len(dev_predictions(run))} dev answers"
        assert ("temperature", told) in [*describe(run.folder).facts]

    def test_a_run_without_one_answers_as_ever(self, deployed, corpus):
        found = predict([corpus / "DC"], Run.open(deployed), device="cpu")
        assert found.temperature is None
