"""What a report says, held against where it comes from: predictions, models, store and corpus."""

import io
import json
import shutil
import wave
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from gensr.estimator.config import to_plain
from gensr.estimator.errors import GensrError, RunError
from gensr.estimator.metrics import accuracy, per_cluster
from gensr.estimator.models.spec import preset
from gensr.estimator.paired import difference
from gensr.features.hearing.decode import read_audio
from gensr.pipeline.report.content import words
from gensr.pipeline.report.content.data import Missing
from gensr.pipeline.report.content.gather import gather
from gensr.pipeline.runs.predictions import to_csv
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.breakdown import recalls
from gensr.pipeline.scoring.evaluate import evaluate, score
from gensr.pipeline.scoring.replay import Replay
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.seeds import train_seeds

GONE = "/nowhere.zarr"
_BOTH = ("label", "predicted")


@pytest.fixture(scope="module")
def found(finished, linear, corpus):
    return gather([finished, linear], audio=corpus, steps=(1, 4), device="cpu")[1]


@pytest.fixture(scope="module")
def plain(linear):
    return gather(linear, ask_models=False)[1]


@pytest.fixture(scope="module")
def several(made, store, tiny):
    """Two seeds of one system."""
    config = TrainConfig(model="gen-ser", steps=12, settings=tiny, device="cpu")
    return train_seeds(store, config, (0, 1), folder=made / "runs/reported")[0]


def numbers_of(folder):
    run = Run.open(folder)
    return score(run.predictions(), run.protocol)


class TestNumbers:
    def test_the_headline_is_the_score(self, found, finished):
        known, head = numbers_of(finished), found.headline
        assert head.accuracy.value == known.values["accuracy"]
        assert (head.accuracy.low, head.accuracy.high) == known.intervals["accuracy"]
        assert head.uar.value == pytest.approx(known.values["uar"])
        assert (head.uar.low, head.uar.high) == pytest.approx(known.intervals["uar"])
        assert (head.n, head.clusters, head.speakers) == (36, 4, 4)
        assert head.protocol_hash == Run.open(finished).protocol.hash
        assert head.majority == pytest.approx(1 / 3)

    def test_the_matrix_and_the_recalls_are_those_of_eval(self, found, finished):
        known = numbers_of(finished)
        assert found.confusion.counts.tolist() == np.array(known.confusion).tolist()
        bars = [(bar.name, bar.estimate.value, bar.n) for bar in found.by_class]
        assert bars == [(one.name, one.recall, one.n) for one in recalls(known)]

    def test_each_speaker_has_the_share_of_his_clips(self, found, finished):
        rows = Run.open(finished).predictions()
        for bar in found.by_speaker:
            own = [row for row in rows if row.speaker == bar.name]
            right = [row.predicted == row.label for row in own]
            assert (bar.estimate.value, bar.n) == (np.mean(right), len(own))
            assert bar.estimate.low <= bar.estimate.value <= bar.estimate.high
        values = [bar.estimate.value for bar in found.by_speaker]
        assert values == sorted(values)

    def test_the_second_system_stands_beside_the_first(self, found, finished, linear):
        first, second = found.systems.rows
        assert [first.model, second.model] == ["gen-ser", "linear"]
        gap = second.estimates["accuracy"].value - first.estimates["accuracy"].value
        known = self.paired(finished, linear)
        assert second.difference.value == pytest.approx(gap)
        assert second.difference.p == known.p  # of one rival, nothing is corrected
        assert (second.difference.low, second.difference.high) == (known.low, known.high)
        assert found.systems.detectable() == known.detectable
        assert first.difference is None
        by_fold = [fold["accuracy"] for fold in evaluate(Run.open(linear)).folds.values()]
        wanted = (np.mean(by_fold), np.std(by_fold, ddof=1))
        assert second.over_folds == pytest.approx(wanted)

    def paired(self, finished, linear):
        """By the statistics alone: the second less the first."""
        counts = []
        for run in map(Run.open, (linear, finished)):
            rows = sorted(run.predictions(), key=lambda row: row.path)
            index = run.protocol.classes.index
            truth, answer = ([index(getattr(row, what)) for row in rows] for what in _BOTH)
            clusters = [row.speaker for row in rows]
            counts.append(per_cluster(truth, answer, clusters, len(run.protocol.classes)))
        return difference(accuracy, *counts)

    def test_several_rivals_are_corrected_for(self, finished, linear):
        _, two = gather([finished, linear, linear], ask_models=False)
        _, *rivals = two.systems.rows
        p = self.paired(finished, linear).p
        assert [row.difference.p for row in rivals] == [min(1, 2 * p)] * 2

    def test_calibration_is_that_of_eval(self, found, finished):
        known = evaluate(Run.open(finished), steps=(), device="cpu").calibration
        told = {name: value for name, value, _ in found.calibration.numbers}
        for name, called in (("ece", "ECE"), ("brier", "Brier"), ("log_loss", "log-loss")):
            assert told[called].split(" [")[0] == f"{known.raw.values[name]:.3f}"
            assert (" [" in told[called]) == bool(known.raw.intervals.get(name))
        assert told["temperature"] == "–"
        bins = found.calibration.bins
        assert sum(n for *_, n in bins) == 36
        assert all(n for *_, n in bins)

    def test_the_curve_ends_where_all_are_answered(self, found):
        coverage, risk, _ = found.calibration.curve[-1]
        assert (coverage, risk) == (1, pytest.approx(1 - found.headline.accuracy.value))
        assert [point[0] for point in found.calibration.curve] == sorted(
            point[0] for point in found.calibration.curve
        )

    def test_groups_are_accuracies_of_their_clips(self, found, finished):
        run = Run.open(finished)
        gender = dict(zip(run.protocol.paths, run.protocol.columns["gender"], strict=True))
        (by_gender,) = [group for group in found.groups if group.column == "gender"]
        for bar in by_gender.bars:
            own = [row for row in run.predictions() if gender[row.path] == bar.name]
            assert bar.n == len(own)
            truth, answer = [row.label for row in own], [row.predicted for row in own]
            assert bar.estimate.value == accuracy_score(truth, answer)
        assert any(line.startswith("intensity: ") for line in found.groups_missing)

    def test_answers_of_another_system_stand_beside(self, finished, tmp_path):
        run, other = Run.open(finished), tmp_path / "talker"
        other.mkdir()
        shutil.copy(run.folder / "protocol.json", other)
        rows = run.predictions()
        blank = [replace(rows[0], predicted=""), *rows[1:]]
        (other / "predictions.csv").write_bytes(to_csv(run.protocol.classes, blank))
        (other / "numbers.json").write_text(json.dumps({"system": "Talker", "answers": {}}))
        _, lone = gather([finished, other], ask_models=False)
        row = lone.systems.rows[1]
        assert (row.name, row.encoder, row.seeds) == ("Talker", "", ())
        lost = (rows[0].predicted == rows[0].label) / 36
        assert row.difference.value == pytest.approx(-lost)
        assert "1 of 36 not answered" in lone.systems.notes[0]


class TestModels:
    def test_steps_are_those_of_eval(self, found, finished):
        known = evaluate(Run.open(finished), steps=(1, 4), device="cpu").by_steps
        assert found.steps.N == (1, 4)
        for N, wa, ua in zip((1, 4), found.steps.accuracy, found.steps.uar, strict=True):
            assert wa.value == known[N].values["accuracy"]
            assert ua.value == pytest.approx(known[N].values["uar"])

    def test_ways_are_those_of_the_models(self, found, finished):
        assert [way.name for way in found.ways] == ["angry", "happy", "sad"]
        with Replay(Run.open(finished), None, "cpu") as replay:
            known = replay.trajectory(None, of="happy")
        np.testing.assert_allclose(found.ways[1].states, known.states)
        assert found.ways[1].clips == known.clips == 12
        way = found.ways[1]
        cosine = way.states[3] @ way.code / np.linalg.norm(way.states[3])
        assert way.cosines()[3] == pytest.approx(cosine / np.linalg.norm(way.code))

    def test_the_map_has_every_tested_clip_once(self, found, finished):
        protocol = Run.open(finished).protocol
        known = dict(zip(protocol.paths, protocol.labels.tolist(), strict=True))
        assert sorted(found.map.paths) == sorted(known)
        labels = dict(zip(found.map.paths, found.map.labels.tolist(), strict=True))
        assert labels == known
        assert found.map.before.shape == found.map.after.shape == (36, 2)

    def test_a_probe_for_each_layer_of_the_store(self, found, finished, store):
        from gensr.features.store import open_store

        with open_store(store) as opened:
            names = opened.layers
        assert [bar.name for bar in found.layers.bars] == list(names)
        assert all(bar.n == 36 for bar in found.layers.bars)
        assert max(bar.estimate.value for bar in found.layers.bars) > 0.6  # of three chords

    def test_a_model_without_ways_says_so(self, linear):
        _, lone = gather(linear, device="cpu")
        assert "linear answers at once" in lone.ways.why
        assert lone.layers.bars

    def test_what_was_not_asked_for_says_so(self, plain):
        for part in (plain.layers, plain.steps, plain.ways, plain.map):
            assert isinstance(part, Missing)
            assert "own files alone" in part.why

    def test_a_store_that_is_gone_is_told_and_one_that_is_named_is_an_error(self, finished, copied):
        run = copied(finished)
        config = run / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "stores": [GONE]}))
        _, lone = gather(run, device="cpu")
        assert GONE in lone.layers.why
        assert lone.headline.n == 36
        with pytest.raises(GensrError, match=r"nowhere\.zarr"):
            gather(run, stores=GONE, device="cpu")


class TestSeeds:
    def test_a_number_is_the_mean_over_seeds(self, several):
        both = [numbers_of(several / f"seed-{seed}") for seed in (0, 1)]
        _, lone = gather(several, steps=(1,), device="cpu")
        for name, value in (("accuracy", lone.headline.accuracy), ("uar", lone.headline.uar)):
            assert value.value == pytest.approx(np.mean([one.values[name] for one in both]))
        wa = [one.values["accuracy"] for one in both]
        (row,) = lone.systems.rows
        assert row.over_seeds == pytest.approx((np.mean(wa), np.std(wa, ddof=1)))
        counts = np.mean([one.confusion for one in both], 0)
        assert lone.confusion.counts.tolist() == counts.tolist()
        swept = [evaluate(several / f"seed-{seed}", steps=(1,), device="cpu") for seed in (0, 1)]
        mean = np.mean([one.by_steps[1].values["accuracy"] for one in swept])
        assert lone.steps.accuracy[0].value == pytest.approx(mean)

    def test_it_is_one_system_that_one_command_makes(self, several):
        system, lone = gather(several, ask_models=False)
        assert system.place == several
        assert system.seeds == (0, 1)
        assert "--seeds 0,1 " in lone.commands[1]
        assert lone.commands[1].endswith(f"--run {several}")

    def test_two_runs_of_one_name_are_told_apart(self, several, finished, copied):
        _, lone = gather([several / "seed-0", finished, several], ask_models=False)
        assert len({row.name for row in lone.systems.rows}) == 3


class TestErrors:
    def test_the_worst_come_first_and_are_wrong(self, found, finished):
        run = Run.open(finished)
        rows = {row.path: row for row in run.predictions()}
        wrong = [row for row in rows.values() if row.predicted != row.label]
        assert len(found.errors) == min(10, len(wrong))
        assert found.errors[0].confidence == max(max(row.probabilities) for row in wrong)
        for error in found.errors:
            row = rows[error.path]
            assert (error.label, error.predicted) == (row.label, row.predicted)
            assert error.confidence == max(row.probabilities)
            assert error.speaker == row.speaker
        assert f"of {len(wrong)} errors" in found.errors_note

    def test_what_is_heard_is_what_was_tested(self, found, corpus):
        for error in found.errors:
            with wave.open(io.BytesIO(error.audio)) as file:
                kind = file.getframerate(), file.getnchannels(), file.getsampwidth()
                heard = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
            assert kind == (16_000, 1, 2)
            np.testing.assert_allclose(heard, read_audio(corpus / error.path).samples, atol=1e-4)

    def test_without_a_corpus_the_page_says_how_to_hear(self, plain):
        assert all(error.audio is None for error in plain.errors)
        assert "--audio CORPUS" in plain.errors_note

    def test_another_file_of_that_name_is_not_heard(self, finished, corpus, tmp_path):
        other = shutil.copytree(corpus, tmp_path / "other")
        files = sorted(other.rglob("*.wav"))
        for one, two in zip(files, files[1:] + files[:1], strict=True):
            one.write_bytes((corpus / two.relative_to(other)).read_bytes())
        _, lone = gather(finished, audio=other, ask_models=False)
        assert {error.silent for error in lone.errors} == {
            "the file is not the one that was tested"
        }
        shutil.rmtree(other)
        other.mkdir()
        _, lone = gather(finished, audio=other, ask_models=False)
        assert {error.silent for error in lone.errors} == {"not in the folder of --audio"}

    def test_a_run_from_elsewhere_reaches_no_file_outside(self, corpus, tmp_path):
        from gensr.pipeline.report.content.audio import sounds

        secret = shutil.copy(next(corpus.rglob("*.wav")), tmp_path / "secret.wav")
        digest = read_audio(Path(secret)).sha256
        folder = tmp_path / "folder"
        folder.mkdir()
        (folder / "link.wav").symlink_to(secret)
        for name in ("../secret.wav", str(secret), "link.wav"):
            ((wav, why),) = sounds(folder, [(name, digest)])
            assert wav is None
            assert why == "its name leads out of the folder of --audio"
        ((wav, why),) = sounds(tmp_path, [("secret.wav", digest)])
        assert wav is not None
        assert why == ""

    def test_a_page_has_an_end(self, corpus, monkeypatch):
        from gensr.pipeline.report.content import audio

        file = next(corpus.rglob("*.wav"))
        clip = str(file.relative_to(corpus)), read_audio(file).sha256
        monkeypatch.setattr(audio, "ROOM", 12_000)
        first, second = audio.sounds(corpus, [clip, clip])
        assert first[0] is not None
        assert second == (None, "the page's 0 MB of audio are used up")
        monkeypatch.setattr(audio, "LONGEST", 0.1)
        assert audio.sounds(corpus, [clip])[0][1] == "longer than 0 s"


class TestWords:
    def test_the_protocol_is_told_in_words(self, found, finished):
        told = dict(found.protocol)
        assert told["name"] == Run.open(finished).protocol.name
        assert told["kept apart"] == "no speaker is both learnt from and tested"
        assert told["classes"] == "angry 12, happy 12, sad 12"
        assert "36 of 36 tested clips share their sentence" in found.notes[0]

    def test_provenance_names_the_store_by_its_hash(self, found, finished):
        (store,) = Run.open(finished).manifest.stores
        assert dict(found.provenance)["store"] == f"{store.path}, {store.hash}"

    def test_the_commands_are_calls_of_ours(self, found):
        import shlex

        import typer

        from gensr.cli.main import app

        commands = vars(typer.main.get_command(app))["commands"]
        names = []
        for line in found.commands:
            _, name, *words = shlex.split(line)
            flags = {flag for parameter in commands[name].params for flag in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= flags
            names.append(name)
        assert names == ["extract", "train", "report"]

    def test_the_commands_say_what_was_set_and_what_was_done_to_the_clips(self, finished):
        system, lone = gather(finished, ask_models=False)
        assert "--config SETTINGS.toml" in lone.commands[1]
        run = system.runs[0]
        options, budget = map(to_plain, preset("gen-ser", "small"))
        store = replace(run.manifest.stores[0], perturb="noise:20dB")
        other = SimpleNamespace(
            config=replace(run.config, options=options, training=budget, calibrate=True),
            manifest=replace(run.manifest, stores=(store,)),
            protocol=replace(run.protocol, leaks={"speaker": 3}),
            joined="",
        )
        system = replace(system, runs=(other,))
        extracted, trained, _ = words.commands(system)
        assert "--perturb noise:20dB" in extracted
        assert "--calibrate --allow-leaks" in trained
        assert "--config" not in trained
        assert any("noise:20dB" in line for line in words.alerts(system, Missing("")))

    def test_what_was_looked_for_is_told_the_grave_first(self, finished, copied):
        run = copied(finished)
        with pytest.raises(RunError, match=r"checks\.json"):
            _changed(run / "checks.json", run)
        _unseal(run)
        (run / "checks.json").unlink(missing_ok=True)
        assert "nobody looked" in gather(run, ask_models=False)[1].checks.why
        leak = "leak: 3 of 36 tested clips are identical in audio to trained ones"
        found = {
            "findings": [
                {"kind": "overlap", "weight": "note", "line": "36 clips share their sentence"},
                {"kind": "leak", "weight": "warning", "line": leak, "count": 3},
            ],
            "shortcuts": [
                {"column": "sentence", "accuracy": 0.8, "interval": [0.7, 0.9], "n": 36}
                | {"majority": 0.3, "flagged": True},
                {"column": "gender", "accuracy": 0.3, "interval": None, "n": 36, "flagged": False},
            ],
        }
        (run / "checks.json").write_text(json.dumps(found))
        _, lone = gather(run, ask_models=False)
        assert [one.kind for one in lone.checks.found] == ["leak", "overlap"]
        sentence, gender = lone.checks.shortcuts
        assert sentence.flagged
        assert (sentence.bar.estimate.low, sentence.bar.estimate.high) == (0.7, 0.9)
        assert gender.bar.estimate.low is None
        assert lone.alerts == (leak,)
        (run / "checks.json").write_text('{"findings": [{"kind": "leak"}]}')
        with pytest.raises(RunError, match=r"checks\.json cannot be read \('weight'\)"):
            gather(run, ask_models=False)


class TestRefused:
    def test_a_deployed_model_was_never_tested(self, deployed):
        with pytest.raises(RunError, match="never tested"):
            gather(deployed)

    def test_another_question_is_not_in_the_table(self, finished, fit, made):
        other = fit(made / "runs/holdout", protocol="speaker-holdout", steps=4).run.folder
        _, lone = gather([finished, other], ask_models=False)
        assert [row.name for row in lone.systems.rows] == ["gen-ser"]
        (note,) = lone.systems.notes
        assert "answers another question: protocol (" in note
        assert "; speaker-holdout)" in note


def _changed(path, run):
    """What a report says once a file says something else."""
    path.write_text('{"findings": []}')
    gather(run, ask_models=False)


def _unseal(run):
    """Leave a run as one that did not seal its checks."""
    seal = json.loads((run / "seal.json").read_text())
    seal.pop("checks.json")
    (run / "seal.json").write_text(json.dumps(seal))
