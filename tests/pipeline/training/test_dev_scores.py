"""What a run keeps of its development parts: answers of models that never learnt from them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gensr.estimator.checkpoint import Checkpoint
from gensr.estimator.errors import RunError
from gensr.estimator.models.gen_ser import GenSER
from gensr.estimator.models.saved import load_model
from gensr.pipeline.runs.dev import CALIBRATION, DEV, dev_predictions, fitted_on, temperatures
from gensr.pipeline.runs.run import Run
from gensr.pipeline.training import folds
from gensr.pipeline.training.vectors import open_vectors
from support.results import assert_close, log, plain, same_result
from support.told import Told


@pytest.fixture(scope="module")
def calibrated(made, fit) -> Path:
    return fit(made / "runs/calibrated", calibrate=True).run.folder


@pytest.fixture(scope="module")
def chosen(made, fit) -> Path:
    return fit(made / "runs/chosen", choose="looks").run.folder


def dev(run: Path) -> list:
    return dev_predictions(Run.open(run))


def kept(run: Path) -> list:
    """The answers, and the temperatures; whose they are differs."""
    answers = [(run / name).read_bytes() for name in (DEV, "predictions.csv")]
    return [*answers, plain(run, CALIBRATION)["folds"]]


class TestKept:
    def test_a_fold_answers_its_dev_part_and_no_other(self, calibrated, fit, tmp_path, store):
        report = fit(tmp_path / "again", calibrate=True)
        for fold in report.protocol.folds:
            paths = {report.protocol.paths[row] for row in fold.dev}
            found = [row for row in dev(calibrated) if row.fold == fold.name]
            assert paths
            assert {row.path for row in found} == paths
            assert all(row.speaker and row.corpus == "emodb" for row in found)
        same_result(calibrated, tmp_path / "again")
        assert kept(calibrated) == kept(tmp_path / "again")

    def test_the_model_that_answers_has_not_learnt_from_it(self, finished, fit, tmp_path):
        """It sees the train part alone; the final model is that of a run that never asked."""
        real, seen = GenSER.fit, []

        def spies(model, train, how):
            entries = real(model, train, how)
            seen.append((len(train), model))
            return entries

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(GenSER, "fit", spies)
            report = fit(tmp_path / "run", fold="2", calibrate=True)
        fold = report.protocol.folds[1]
        assert [n for n, _ in seen] == [len(fold.train), len(fold.learn)]
        final, _ = load_model(tmp_path / "run/folds/2")
        for name, weight in load_model(finished / "folds/2")[0].weights().items():
            torch.testing.assert_close(weight, final.weights()[name], atol=1e-5, rtol=0)
        with open_vectors(report.run.config.stores, None) as vectors:
            x = np.empty((len(fold.dev), *vectors.shape), np.float32)
            vectors.read(report.protocol.store_rows[fold.dev], x)
        answers = seen[0][1].predict(torch.from_numpy(x)).tolist()
        expected = dict(zip([report.protocol.paths[row] for row in fold.dev], answers, strict=True))
        for given in dev(tmp_path / "run"):
            assert given.probabilities == pytest.approx(expected[given.path], abs=1e-6)

    def test_where_steps_are_chosen_the_answers_are_of_the_chosen_step(self, chosen):
        lines = [line for line in log(chosen) if line["phase"] == "choose"]
        classes = Run.open(chosen).protocol.classes
        for fold in Run.open(chosen).config.folds:
            best = min(line["dev_loss"] for line in lines if line["fold"] == fold)
            found = [row for row in dev(chosen) if row.fold == fold]
            p = np.array([row.probabilities for row in found])
            truth = np.array([[row.label == name for name in classes] for row in found])
            assert np.square(p - truth).sum(1).mean() == pytest.approx(best, abs=1e-5)

    def test_calibrate_changes_no_final_weight(self, calibrated, finished):
        assert_close(calibrated, finished)
        assert (finished / "config.json").is_file()
        assert not (finished / DEV).exists()
        assert dev(finished) == []
        assert temperatures(Run.open(finished)) == {}

    def test_a_model_to_deploy_has_dev_scores_too(self, fit, tmp_path):
        run = fit(tmp_path / "run", fold="none", calibrate=True).run
        assert {row.fold for row in dev_predictions(run)} == {"all"}
        assert temperatures(run)["all"].clips == len(dev_predictions(run))

    def test_temperatures_are_each_folds_own(self, calibrated):
        run = Run.open(calibrated)
        found = temperatures(run)
        assert {*found} == {*run.config.folds}
        rows = dev_predictions(run)
        for fold, one in found.items():
            own = fitted_on([row for row in rows if row.fold == fold], run.protocol.classes)
            assert own[fold].temperature == pytest.approx(one.temperature, rel=1e-3)


class TestKilled:
    @pytest.mark.parametrize("how", [{"calibrate": True}, {"choose": "looks"}])
    @pytest.mark.parametrize("phase", ["choose", "learn"])
    @pytest.mark.parametrize("company", [True, pytest.param(False, marks=pytest.mark.slow)])
    def test_a_kill_at_a_look_changes_no_byte(self, how, phase, company, fit, tmp_path):
        with pytest.MonkeyPatch.context() as patch:
            if not company:
                patch.setattr(folds, "COPY", 0)
            whole = fit(tmp_path / "whole", **how).run.folder
            saved, run = Checkpoint.save, tmp_path / "run"
            left = [2]

            def dies(checkpoint, path, entries):
                saved(checkpoint, path, entries)
                left[0] -= path.name.startswith(phase)
                if not left[0]:
                    raise KeyboardInterrupt

            with pytest.MonkeyPatch.context() as killing:
                killing.setattr(Checkpoint, "save", dies)
                with pytest.raises(KeyboardInterrupt):
                    fit(run, **how)
            fit(run, resume=True, **how)
        same_result(whole, run)
        assert kept(whole) == kept(run)

    def test_a_kill_between_answers_and_checkpoint_changes_no_byte(self, chosen, fit, tmp_path):
        """What is kept of the best look may be one look ahead of the checkpoint."""
        saved, run, left = Checkpoint.save, tmp_path / "run", [3]

        def dies(checkpoint, path, entries):
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            saved(checkpoint, path, entries)

        with pytest.MonkeyPatch.context() as killing:
            killing.setattr(Checkpoint, "save", dies)
            with pytest.raises(KeyboardInterrupt):
                fit(run, choose="looks")
        assert list(run.rglob("choose.answers.checkpoint"))
        fit(run, resume=True, choose="looks")
        same_result(chosen, run)
        assert kept(chosen) == kept(run)

    def test_a_finished_run_that_lost_its_predictions_gets_all_again(self, chosen, fit, copied):
        run = copied(chosen)
        for name in (DEV, CALIBRATION, "predictions.csv", "seal.json"):
            (run / name).unlink()
        hears = Told()
        fit(run, resume=True, choose="looks", progress=hears)
        assert hears.stages == []
        assert kept(chosen) == kept(run)

    def test_damaged_answers_of_the_best_look_are_refused_by_name(self, fit, tmp_path):
        run = tmp_path / "run"
        with pytest.raises(KeyboardInterrupt):
            fit(run, choose="looks", fold="1", progress=Told("fold 1: choose", after=2))
        path = run / "folds/1/choose.answers.checkpoint"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(RunError, match=r"choose\.answers\.checkpoint is damaged .* --resume"):
            fit(run, choose="looks", fold="1", resume=True)
        for each in run.rglob("*.checkpoint"):
            each.unlink()
        fit(run, choose="looks", fold="1", resume=True)

    def test_what_version_0_2_began_ends_without_dev_scores(self, chosen, fit, copied):
        """Its finished folds have none, and a run is not refused for it."""
        run = copied(chosen)
        for name in (DEV, CALIBRATION):
            (run / name).unlink()
        for fold in run.glob("folds/*"):
            (fold / DEV).unlink()
            about = plain(fold, "config.json")
            del about["dev_predictions_sha256"]
            (fold / "config.json").write_text(json.dumps(about))
        fit(run, resume=True, choose="looks")
        assert dev(run) == []
        assert "dev_predictions.csv" not in plain(run, "seal.json")


class TestSealed:
    def test_a_changed_answer_is_noticed(self, calibrated, copied):
        run = copied(calibrated)
        rows = (run / DEV).read_text().replace(",0.", ",0.1", 1)
        (run / DEV).write_text(rows)
        with pytest.raises(RunError, match=rf"{DEV} cannot be read \(it was changed"):
            dev(run)

    @pytest.mark.parametrize(
        ("doubt", "read"), [({}, 0.0), ({"doubt": 0.25}, 0.25), ({"doubt": 1.5}, None)]
    )
    def test_a_run_of_before_has_no_doubt(self, doubt, read, calibrated, monkeypatch):
        told = {"folds": {"1": {"temperature": 2.0, "clips": 3} | doubt}}
        monkeypatch.setattr(Run, "sealed", lambda run, name: json.dumps(told).encode())
        run = Run.open(calibrated)
        if read is None:
            with pytest.raises(RunError, match="lacks the folds' temperatures"):
                temperatures(run)
        else:
            assert temperatures(run)["1"].doubt == read

    @pytest.mark.parametrize("name", [DEV, CALIBRATION])
    def test_one_that_is_gone_is_missed(self, name, calibrated, copied):
        run = copied(calibrated)
        (run / name).unlink()
        with pytest.raises(RunError, match=rf"{name} is missing"):
            (dev if name == DEV else lambda folder: temperatures(Run.open(folder)))(run)

    @pytest.mark.parametrize("name", [DEV, CALIBRATION])
    def test_another_runs_is_refused(self, name, calibrated, finished, copied):
        run = copied(finished)
        shutil.copy(calibrated / name, run / name)
        with pytest.raises(RunError, match=r"cannot be read|damaged"):
            (dev if name == DEV else lambda folder: temperatures(Run.open(folder)))(run)

    def test_a_changed_file_of_a_fold_is_noticed(self, calibrated, fit, copied):
        run = copied(calibrated)
        path = run / "folds/1" / DEV
        path.write_text(path.read_text().replace("0.", "0.1", 1))
        with pytest.raises(RunError, match=rf"{DEV} cannot be read \(it was changed"):
            fit(run, resume=True, calibrate=True)

    def test_another_wish_is_another_run(self, finished, fit, copied):
        with pytest.raises(RunError, match="calibrate = False, now it is True"):
            fit(copied(finished), resume=True, calibrate=True)

    def test_overwrite_leaves_nothing_of_it(self, calibrated, fit, copied):
        run = copied(calibrated)
        fit(run, overwrite=True)
        assert not list(run.rglob(DEV))
        assert not (run / CALIBRATION).exists()


def test_a_protocol_without_a_dev_part_says_so(fit, tmp_path, monkeypatch):
    from gensr.pipeline.protocols import folds

    monkeypatch.setattr(folds, "_drawn_dev", lambda table, splitter, learn, salt: learn[:0])
    report = fit(tmp_path / "run", calibrate=True)
    assert any("no dev scores, so no temperature" in note for note in report.notes)
    assert dev_predictions(report.run) == []
