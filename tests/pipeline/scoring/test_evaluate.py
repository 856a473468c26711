"""Numbers from predictions and a protocol alone; the sweep and the trajectory from the models."""

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from gensr.estimator.errors import ConfigError, GensrError, RunError
from gensr.estimator.intervals import interval
from gensr.estimator.metrics import accuracy
from gensr.estimator.models.saved import load_model
from gensr.features.store.errors import StoreError
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate, score
from gensr.pipeline.scoring.replay import Replay
from support import tones
from support.loaded import load_vectors
from support.rebind import rebind

SPEAKERS = ("DC", "JE", "JK", "KL")


@pytest.fixture(scope="module")
def evaluation(finished):
    return evaluate(Run.open(finished), steps=(1, 4), device="cpu")


def guesses(protocol, seed):
    """Answers by chance, some right."""
    rng = np.random.default_rng(seed)
    for fold in protocol.folds:
        for row in fold.test:
            label = protocol.classes[protocol.labels[row]]
            guess = label if rng.random() < 0.5 else rng.choice(protocol.classes)
            yield Prediction(protocol.paths[row], fold.name, label, str(guess), (1.0, 0.0, 0.0))


def edit(run, change):
    """Rewrite predictions.csv: change(list of rows) -> list of rows."""
    path = run / "predictions.csv"
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *change(rows)])


class TestScore:
    @pytest.mark.parametrize("seed", range(3))
    def test_numbers_are_those_of_scikit_learn(self, seed, finished):
        protocol = Run.open(finished).protocol
        given = list(guesses(protocol, seed))
        found = score(given, protocol)
        truth, answer = [g.label for g in given], [g.predicted for g in given]
        assert found.n == 36
        assert found.values == pytest.approx(
            {
                "accuracy": accuracy_score(truth, answer),
                "uar": recall_score(truth, answer, average="macro"),
                "macro_f1": f1_score(truth, answer, average="macro"),
                "weighted_f1": f1_score(truth, answer, average="weighted"),
                "majority_baseline": 12 / 36,
            }
        )
        labels = list(protocol.classes)
        np.testing.assert_array_equal(
            found.confusion, confusion_matrix(truth, answer, labels=labels)
        )

    def test_neither_store_nor_models_are_needed(self, finished, copied):
        run = Run.open(copied(finished))
        shutil.rmtree(run.folder / "folds")
        (run.folder / "manifest.json").unlink()
        (run.folder / "config.json").unlink()
        run = Run(run.folder)
        found = score(run.predictions(), run.protocol)
        rows = run.predictions()
        assert found.values["accuracy"] == np.mean([row.label == row.predicted for row in rows])

    def test_intervals_are_over_speakers(self, finished):
        """Four speakers with 9 clips each, not 36 clips."""
        protocol = Run.open(finished).protocol
        given = list(guesses(protocol, 7))
        found = score(given, protocol)
        right = [[g.label == g.predicted for g in given if g.path[:2] == s] for s in SPEAKERS]
        each = np.zeros((4, 2, 2))
        each[:, 0, 0] = np.sum(right, 1)
        each[:, 0, 1] = 9 - each[:, 0, 0]
        assert found.intervals["accuracy"] == pytest.approx(interval(accuracy, each))
        assert found.clusters == 4

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda rows: [*rows, rows[0]], "or twice"),
            (lambda rows: rows[1:], "1 tested clips have none, the first is DC/angry-0.wav"),
            (lambda rows: [], "no predictions"),
            (lambda rows: [[*rows[0][:3], "bored", *rows[0][4:]], *rows[1:]], "'bored'"),
            (lambda rows: [[*rows[0][:2], "sad", *rows[0][3:]], *rows[1:]], "label 'sad'"),
            (lambda rows: [[rows[0][0], "2", *rows[0][2:]], *rows[1:]], "fold 2"),
            (lambda rows: [["other.wav", *rows[0][1:]], *rows[1:]], "other.wav, fold 1"),
        ],
        ids=["twice", "left-out", "none", "class", "label", "fold", "path"],
    )
    def test_predictions_that_were_tampered_with(self, change, said, finished, copied):
        run = Run.open(copied(finished))
        edit(run.folder, change)
        rebind(run.folder)
        with pytest.raises(RunError, match=said):
            score(run.predictions(), run.protocol)
        with pytest.raises(RunError, match=f"{said}|has none of fold 1, 2, 3, 4"):
            evaluate(run, steps=(), device="cpu")

    def test_a_fold_that_was_left_out(self, finished, copied):
        run = Run.open(copied(finished))
        edit(run.folder, lambda rows: [row for row in rows if row[1] != "3"])
        rebind(run.folder)
        with pytest.raises(RunError, match="has none of fold 3; train again"):
            evaluate(run, steps=(), device="cpu")


class TestEvaluation:
    def test_headline(self, evaluation, finished):
        rows = Run.open(finished).predictions()
        right = [row.label == row.predicted for row in rows]
        assert evaluation.numbers.values["accuracy"] == pytest.approx(np.mean(right))
        assert list(evaluation.folds) == ["1", "2", "3", "4"]
        for name, fold in evaluation.folds.items():
            mine = [hit for hit, row in zip(right, rows, strict=True) if row.fold == name]
            assert (fold["n"], fold["accuracy"]) == (9, pytest.approx(np.mean(mine)))
        means = [fold["accuracy"] for fold in evaluation.folds.values()]
        spread = evaluation.over_folds()["accuracy"]
        assert spread == pytest.approx({"mean": np.mean(means), "sd": np.std(means, ddof=1)})

    def test_every_n_is_what_the_models_answer_at_that_n(self, evaluation, finished, store):
        vectors = load_vectors([store])
        paths = vectors.table["path"].tolist()
        for N, found in evaluation.by_steps.items():
            hits = []
            for row in Run.open(finished).predictions():
                model, spec = load_model(finished / "folds" / row.fold)
                x = torch.from_numpy(vectors.x[[paths.index(row.path)]])
                p = model.predict(x, N=N, sampler="exact")
                hits.append(spec.classes[int(p.argmax())] == row.label)
            assert found.values["accuracy"] == pytest.approx(np.mean(hits))

    def test_at_the_runs_own_n_the_sweep_is_the_headline(self, evaluation):
        assert evaluation.config.options["sampler_steps"] == 1
        assert evaluation.by_steps[1] == evaluation.numbers

    def test_samplers(self, finished):
        run = Run.open(finished)
        euler, exact = (
            evaluate(run, sampler=name, steps=(1, 100), device="cpu") for name in ("euler", "exact")
        )
        assert (euler.sampler, exact.sampler) == ("euler", "exact")
        # In one step both make the same single estimate; in many both near the same solution.
        assert euler.by_steps[1] == exact.by_steps[1]
        assert euler.by_steps[100].values["accuracy"] == pytest.approx(
            exact.by_steps[100].values["accuracy"], abs=2.01 / 36
        )

    def test_the_sampler_asked_for_is_the_one_that_answers(self, finished):
        replay = Replay(Run.open(finished), None, "cpu")
        p = {
            name: np.array([row.probabilities for row in replay.predictions(sampler=name, N=2)])
            for name in ("euler", "exact")
        }
        assert np.abs(p["euler"] - p["exact"]).max() > 1e-3
        kept = [row.probabilities for row in Run.open(finished).predictions()]
        own = replay.predictions(sampler="exact", N=1)
        own.sort(key=lambda row: row.path)
        np.testing.assert_allclose([row.probabilities for row in own], kept, atol=2e-6)

    def test_a_named_sampler_makes_the_headline_too(self, fit, tmp_path):
        run = fit(tmp_path / "run", fold="1", steps=4, options={"sampler_steps": 4}).run
        found = evaluate(run, sampler="euler", steps=(1, 4), device="cpu")
        assert found.numbers == found.by_steps[4]

    @pytest.mark.parametrize("steps", [(0,), (-1,)])
    def test_no_steps_at_all(self, steps, finished):
        with pytest.raises(ConfigError, match="steps"):
            evaluate(Run.open(finished), steps=steps, device="cpu")

    def test_a_model_without_n(self, linear, store, monkeypatch):
        """It is scored without its models and its store."""
        monkeypatch.setattr("gensr.pipeline.scoring.evaluate.Replay", None)
        found = evaluate(Run.open(linear), sampler="euler", device="cpu")
        assert (found.by_steps, found.trajectory) == ({}, None)
        assert found.sampler is None
        assert found.as_json()["by_steps"] == {}
        assert found.numbers.n == 36

    def test_the_way_of_a_class_that_is_none(self, linear):
        with pytest.raises(ConfigError, match="has no class 'angri'; it has angry, "):
            evaluate(Run.open(linear), trajectory_of="angri", device="cpu")

    def test_json(self, evaluation):
        plain = json.loads(json.dumps(evaluation.as_json()))
        assert {"model", "accuracy", "uar", "macro_f1", "weighted_f1", "n"} <= set(plain)
        assert {"majority_baseline", "protocol", "classes", "folds", "intervals"} <= set(plain)
        assert list(plain["by_steps"]) == ["1", "4"]
        assert plain["by_steps"]["1"]["accuracy"] == plain["accuracy"]
        assert set(plain["intervals"]) == set(evaluation.numbers.values)
        assert plain["options"]["training"]["steps"] == 12
        assert plain["protocol"]["hash"] == evaluation.protocol.hash

    def test_one_fold(self, fit, tmp_path):
        run = fit(tmp_path / "run", fold="2").run
        found = evaluate(run, steps=(1,), device="cpu")
        assert list(found.folds) == ["2"]
        assert found.numbers.n == found.by_steps[1].n == 9
        assert found.numbers.intervals["accuracy"] is None
        assert found.over_folds()["accuracy"]["sd"] == 0
        assert found.trajectory.name == "angry"

    def test_a_fold_that_does_not_test_the_first_class(self, fbank, fit, tmp_path):
        root = tones.write_corpus(tmp_path / "c", sentences=1)
        table = tones.read_manifest(root)
        tones.write_manifest(root, [row for row in table if row["file"] != "JE/angry-0.wav"])
        run = fit(tmp_path / "run", fbank(root, tmp_path / "s.zarr"), fold="2", steps=2).run
        assert evaluate(run, steps=(), device="cpu").trajectory.name == "happy"

    def test_a_deployed_run_tests_nothing(self, deployed):
        with pytest.raises(RunError, match=r"learnt from every clip.*without --fold none"):
            evaluate(Run.open(deployed), device="cpu")

    def test_an_unfinished_run(self, finished, copied):
        run = copied(finished)
        (run / "predictions.csv").unlink()
        with pytest.raises(RunError, match=r"did not finish; .*--resume` goes on with it"):
            evaluate(Run.open(run), device="cpu")

    def test_a_lost_model_is_named(self, finished, copied):
        run = copied(finished)
        (run / "folds/3/model.safetensors").unlink()
        with pytest.raises(RunError, match=r"folds/3.* is missing; train again"):
            evaluate(Run.open(run), device="cpu")


class TestStore:
    @pytest.fixture
    def moved(self, finished, copied, store, tmp_path):
        """A run whose store is elsewhere now; (run, where)."""
        run = copied(finished)
        config = json.loads((run / "config.json").read_text())
        config["stores"] = [str(tmp_path / "was-here.zarr")]
        (run / "config.json").write_text(json.dumps(config))
        where = tmp_path / "is-here.zarr"
        shutil.copytree(store, where)
        return Run.open(run), where

    def test_a_store_that_was_moved(self, moved, evaluation):
        run, where = moved
        with pytest.raises(StoreError, match=r"was-here\.zarr does not exist"):
            evaluate(run, steps=(4,), device="cpu")
        found = evaluate(run, steps=(4,), stores=[where], device="cpu")
        assert found.by_steps[4] == evaluation.by_steps[4]

    def test_other_vectors(self, finished, fbank, tmp_path):
        other = fbank(tones.write_corpus(tmp_path / "c", sentences=4), tmp_path / "s.zarr")
        with pytest.raises(RunError, match=r"trained on other vectors than .*s\.zarr.*--store"):
            evaluate(Run.open(finished), steps=(1,), stores=[other], device="cpu")

    @pytest.mark.parametrize("column", ["emotion", "speaker"])
    def test_a_store_that_was_relabelled(self, column, finished, fbank, tmp_path):
        root = tones.write_corpus(tmp_path / "c")
        table = tones.read_manifest(root)
        table[0][column] = {"emotion": "sad", "speaker": "JE"}[column]
        tones.write_manifest(root, table)
        other = fbank(root, tmp_path / "s.zarr")
        with pytest.raises(RunError, match="labels or splits of its store were changed"):
            evaluate(Run.open(finished), steps=(1,), stores=[other], device="cpu")

    def test_no_store_at_all(self, finished, corpus):
        with pytest.raises(GensrError, match="not a gensr store"):
            evaluate(Run.open(finished), steps=(1,), stores=[corpus], device="cpu")


def test_a_trained_model_leads_speech_to_the_code(fit, tmp_path):
    """By the weighted sum and the noise of the preset `paper`; three speakers teach it."""
    papers = {"inputs": {"way": "sum", "layers": "alike"}, "sigma": 0.5, "times": 1.0}
    run = fit(tmp_path / "run", fold="1", steps=150, settings=None, options=papers).run
    found = evaluate(run, steps=(), device="cpu")
    assert found.numbers.values["accuracy"] > 0.9
    way = found.trajectory
    assert way.name == "angry"
    assert way.states.shape == (21, 80)
    assert way.times[0] > 0.99
    assert (np.diff(way.times) < 0).all()
    cosine = way.states @ way.code / np.linalg.norm(way.states, axis=1) / np.linalg.norm(way.code)
    assert cosine[0] < 0.6
    assert cosine[-1] > 0.85
    assert (np.diff(cosine) > -0.02).all()


def test_the_mean_way_begins_at_the_mean_of_the_class(evaluation, finished, store):
    """Of the tested clips, each standardised by its own fold's training part."""
    vectors = load_vectors([store])
    x1 = []
    for fold, speaker in zip("1234", ("DC", "JE", "JK", "KL"), strict=True):
        model, _ = load_model(finished / "folds" / fold)
        mine = (vectors.table["speaker"] == speaker) & (vectors.table["emotion"] == "angry")
        x1.append(model.standardized(torch.from_numpy(vectors.x[mine]))[:, -1].numpy())
    expected = np.concatenate(x1).mean(0)
    np.testing.assert_allclose(evaluation.trajectory.states[0], expected, atol=1e-5)
