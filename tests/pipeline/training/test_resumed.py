"""A training that was killed goes on to what it would have been, alone or in company."""

import pytest

from gensr.estimator.checkpoint import Checkpoint
from gensr.estimator.errors import RunError
from gensr.estimator.stack import Stack
from gensr.pipeline.training import folds
from gensr.pipeline.training.fold import FoldTraining
from support import tones
from support.results import assert_close, files, same_result
from support.told import Told


class TestResume:
    @pytest.mark.parametrize("choose", ["beforehand", "looks"])
    def test_a_kill_at_a_look_changes_nothing(self, choose, finished, fit, tmp_path, monkeypatch):
        whole = finished
        if choose == "looks":
            whole = fit(tmp_path / "whole", choose=choose).run.folder
        run, saved = tmp_path / "run", Checkpoint.save
        phase = "choose" if choose == "looks" else "learn"

        def dies(checkpoint, path, log):
            saved(checkpoint, path, log)
            if path.name == f"{phase}.together.checkpoint" and log[-1][1] == 8:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Checkpoint, "save", dies)
            with pytest.raises(KeyboardInterrupt):
                fit(run, choose=choose)
        assert (run / f"folds/1/{phase}.together.checkpoint").is_file()
        assert not list(run.rglob("*.safetensors"))
        hears = Told()
        fit(run, choose=choose, resume=True, progress=hears)
        assert sum(hears.units) == hears.stages[0][1]  # what was done before counts
        same_result(whole, run)

    def test_a_kill_between_looks_changes_nothing(self, finished, fit, tmp_path, monkeypatch):
        real, taken = Stack.take, 0

        def dies(*args):
            nonlocal taken
            taken += 1
            if taken == 7:  # the checkpoint is of the fourth
                raise MemoryError
            return real(*args)

        run = tmp_path / "run"
        monkeypatch.setattr(Stack, "take", dies)
        with pytest.raises(MemoryError):
            fit(run)
        fit(run, resume=True)
        assert taken == 7 + 8
        same_result(finished, run)

    def test_a_kill_while_models_are_kept_changes_nothing(
        self, finished, fit, tmp_path, monkeypatch
    ):
        """Some folds of a lot have a model, the others but the lot's checkpoint."""
        kept, run = FoldTraining.keep, tmp_path / "run"

        def dies(training, fold, model, *kept_with):
            if fold.name == "3":
                raise MemoryError
            kept(training, fold, model, *kept_with)

        with monkeypatch.context() as patch:
            patch.setattr(FoldTraining, "keep", dies)
            with pytest.raises(MemoryError):
                fit(run)
        assert len(list(run.rglob("*.safetensors"))) == 2
        before = (run / "folds/1/model.safetensors").stat().st_mtime_ns
        fit(run, resume=True)
        assert (run / "folds/1/model.safetensors").stat().st_mtime_ns == before
        same_result(finished, run)

    def test_lots_beside_each_other_do_not_meet(self, finished, fit, tmp_path, monkeypatch):
        """On two cores, and one after another: to the bit; in another lot: but for last bits."""
        monkeypatch.setattr(folds, "_LOT", 2)
        runs = []
        for cores in (2, 1):
            monkeypatch.setattr(folds, "usable_cores", lambda cores=cores: cores)
            hears = Told()
            runs.append(fit(tmp_path / f"on-{cores}", progress=hears).run.folder)
            assert hears.stages == [("4 folds", 4 * 12)]
            assert sum(hears.units) == 4 * 12
            assert (runs[-1] / "folds/1/metrics.jsonl").is_file()
        same_result(*runs)
        assert_close(runs[0], finished)

    def test_one_lot_that_fails_ends_the_others(self, fit, tmp_path, monkeypatch):
        monkeypatch.setattr(folds, "_LOT", 2)
        real = FoldTraining.keep

        def dies(training, fold, model, *kept_with):
            if fold.name == "2":
                raise MemoryError
            real(training, fold, model, *kept_with)

        with monkeypatch.context() as patch:
            patch.setattr(FoldTraining, "keep", dies)
            with pytest.raises(MemoryError):
                fit(tmp_path / "run")
        assert not (tmp_path / "run/lock").exists()
        fit(tmp_path / "run", resume=True)

    @pytest.mark.parametrize("choose", ["beforehand", "looks"])
    def test_one_after_another_is_the_same_but_for_last_bits(
        self, choose, finished, fit, tmp_path, monkeypatch
    ):
        """And a fold that was stopped alone goes on alone."""
        whole = finished
        if choose == "looks":
            whole = fit(tmp_path / "whole", choose=choose).run.folder
        monkeypatch.setattr(folds, "COPY", 0)  # vectors too large for company
        run = tmp_path / "run"
        phase = "choose" if choose == "looks" else "learn"
        with pytest.raises(KeyboardInterrupt):
            fit(run, choose=choose, progress=Told(f"fold 2: {phase}", after=2))
        assert (run / f"folds/2/{phase}.checkpoint").is_file()
        hears = Told()
        fit(run, choose=choose, resume=True, progress=hears)
        assert {name.split(":")[0] for name, _ in hears.stages} == {"fold 2", "fold 3", "fold 4"}
        assert files(whole) == files(run)
        assert_close(run, whole)

    def test_a_kill_after_the_last_fold_trains_nothing_again(self, finished, fit, copied):
        run = copied(finished)
        (run / "predictions.csv").unlink()
        (run / "metrics.jsonl").unlink()
        hears = Told()
        fit(run, resume=True, progress=hears)
        assert hears.stages == []
        same_result(finished, run)

    def test_progress_adds_up(self, fit, tmp_path):
        hears = Told()
        fit(tmp_path / "run", fold="3", steps=10, progress=hears)
        assert hears.stages == [("fold 3: learn", 10)]
        assert hears.units == [10]

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"seed": 1}, "seed = 0, now it is 1"),
            ({"steps": 13}, "training.steps = 12, now it is 13; resume"),
            ({"choose": "looks"}, "choose = beforehand, now it is looks"),
            ({"fold": "1"}, "fold = all, now it is 1"),
            ({"layers": ("std",)}, "layers = .*flux.*, now it is"),
            ({"label": "gender"}, "label = emotion, now it is gender"),
            ({"protocol": "speaker-5fold"}, "protocol = None, now it is speaker-5fold"),
            ({"settings": None}, "options.network.hidden = 16, now it is 128; resume"),
            ({"options": {"k": 4}}, "options.mean.k = 10.0, now it is 4.0; resume"),
        ],
    )
    def test_other_settings_are_refused(self, changed, said, finished, fit):
        before = (finished / "predictions.csv").stat().st_mtime_ns
        with pytest.raises(RunError, match=rf"gen-ser was started with {said}"):
            fit(finished, resume=True, **changed)
        assert (finished / "predictions.csv").stat().st_mtime_ns == before

    def test_other_vectors_are_refused(self, finished, fit, fbank, tmp_path):
        other = fbank(tones.write_corpus(tmp_path / "c", sentences=4), tmp_path / "s.zarr")
        with pytest.raises(RunError, match="store hashes"):
            fit(finished, other, resume=True)

    def test_other_labels_are_refused(self, finished, fit, fbank, tmp_path):
        """Labels are no part of the vectors' hash, yet folds of two labellings never mix."""
        root = tones.write_corpus(tmp_path / "c")
        table = tones.read_manifest(root)
        table[0]["emotion"] = "sad"
        tones.write_manifest(root, table)
        with pytest.raises(RunError, match="labels or splits"):
            fit(finished, fbank(root, tmp_path / "s.zarr"), resume=True)

    def test_a_store_that_was_moved_is_the_same_store(self, finished, fit, copied, store, tmp_path):
        moved = tmp_path / "moved.zarr"
        moved.symlink_to(store)
        run = copied(finished)
        fit(run, moved, resume=True)
        same_result(finished, run)

    def test_there_must_be_a_run_to_resume(self, fit, tmp_path):
        with pytest.raises(RunError, match="holds no run to resume; train without --resume"):
            fit(tmp_path / "run", resume=True)
