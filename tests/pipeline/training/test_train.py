"""A run: what it holds, what it learnt from, and that nothing changes it but its settings."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gensr.estimator.errors import RunError
from gensr.estimator.models.saved import load_model
from gensr.features.store import open_store
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.run import Run, newest
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.train import train
from support import tones
from support.loaded import load_vectors
from support.results import assert_close, files, log, plain, rows


class TestFolder:
    def test_files(self, finished):
        fold = {"config.json", "model.safetensors", "metrics.jsonl"}
        assert files(finished) == {
            *(f"folds/{k}/{name}" for k in "1234" for name in fold),
            "checks.json",
            "config.json",
            "manifest.json",
            "metrics.jsonl",
            "predictions.csv",
            "protocol.json",
            "seal.json",
        }

    def test_every_clip_is_answered_once_by_the_fold_that_did_not_hear_its_speaker(
        self, finished, store
    ):
        found = rows(finished)
        held = plain(finished, "protocol.json")["protocol"]["folds"]
        with open_store(store) as opened:
            emotion = dict(zip(opened.table["path"], opened.table["emotion"], strict=True))
        assert [row["path"] for row in found] == sorted(emotion)
        for row in found:
            assert row["label"] == emotion[row["path"]]
            assert held[row["fold"]] == f"speaker {row['path'][:2]}"

    def test_probabilities(self, finished):
        for row in rows(finished):
            p = {name[2:]: float(value) for name, value in row.items() if name.startswith("p_")}
            assert list(p) == ["angry", "happy", "sad"]
            assert sum(p.values()) == pytest.approx(1, abs=3e-6)
            assert p[row["predicted"]] == max(p.values())
            assert min(p.values()) >= 0

    def test_kept_weights_give_the_kept_answers(self, finished, store):
        vectors = load_vectors([store])
        order = {path: row for row, path in enumerate(vectors.table["path"].tolist())}
        for name in "1234":
            model, spec = load_model(finished / "folds" / name)
            found = [row for row in rows(finished) if row["fold"] == name]
            x = torch.from_numpy(vectors.x[[order[row["path"]] for row in found]])
            kept = np.array([[float(row[f"p_{c}"]) for c in spec.classes] for row in found])
            np.testing.assert_allclose(model.predict(x).numpy(), kept, atol=2e-6)

    def test_metrics(self, finished):
        found = log(finished)
        assert [(line["fold"], line["step"]) for line in found] == [
            (fold, step) for fold in "1234" for step in (4, 8, 12)
        ]
        assert all(np.isfinite(line["loss"]) and line["phase"] == "learn" for line in found)

    def test_manifest(self, finished, store):
        found = plain(finished, "manifest.json")
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
        assert found["git_revision"].removesuffix("+dirty") == head.stdout.strip()
        with open_store(store) as opened:
            fingerprint = opened.fingerprint()
        assert found["stores"] == [{"path": str(store), "hash": fingerprint, "perturb": ""}]
        assert found["seed"] == 0
        protocol = make_protocol(load_vectors([store]).table)
        assert (found["protocol"], found["protocol_hash"]) == ("emodb-loso", protocol.hash)
        assert plain(finished, "protocol.json")["hash"] == protocol.hash
        assert Run.open(finished).protocol.hash == protocol.hash

    def test_config_is_resolved(self, finished, store):
        found = plain(finished, "config.json")
        assert (found["model"], found["label"], found["fold"]) == ("gen-ser", "emotion", "all")
        assert found["folds"] == ["1", "2", "3", "4"]
        assert (found["training"]["steps"], found["training"]["batch_size"]) == (12, 8)
        assert found["options"]["network"]["hidden"] == 16
        assert found["layers"][-1] == "mean"
        assert found["stores"] == [str(store.resolve())]

    def test_an_unnamed_run_is_named_by_time_and_model(self, store, tiny, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        config = TrainConfig(steps=1, settings=tiny, fold="1", device="cpu")
        one, two = (train([store], config).run.folder for _ in range(2))
        assert one != two
        assert one.parent == two.parent == Path("runs")
        assert one.name.split("-")[2:] == ["transformer", "mse"]
        assert newest(Path("runs")) == two


class TestNothingLeaks:
    """The standardiser's mean says which clips a model learnt from."""

    @staticmethod
    def mean(run: Path, fold: str):
        return load_file(run / f"folds/{fold}/model.safetensors")["scale.mean"].numpy()

    def test_a_fold_learns_from_all_of_the_others_and_none_of_its_own(self, finished, store):
        vectors = load_vectors([store])
        held = plain(finished, "protocol.json")["protocol"]["folds"]
        for fold, said in held.items():
            learnt = vectors.x[vectors.table["speaker"] != said.split()[-1]]
            assert len(learnt) == 27
            expected = learnt.mean(0, dtype=np.float64)
            np.testing.assert_allclose(self.mean(finished, fold), expected, rtol=1e-5, atol=1e-5)

    def test_the_model_to_deploy_learns_from_every_clip(self, deployed, store):
        expected = load_vectors([store]).x.mean(0, dtype=np.float64)
        np.testing.assert_allclose(self.mean(deployed, "all"), expected, rtol=1e-5, atol=1e-5)
        assert rows(deployed) == []
        assert plain(deployed, "config.json")["folds"] == ["all"]

    def test_identical_audio_on_both_sides_is_refused_or_said_first(self, fbank, fit, tmp_path):
        root = tones.write_corpus(tmp_path / "c", sentences=1)
        (root / "DC/sad-0.wav").write_bytes((root / "JE/sad-0.wav").read_bytes())
        store = fbank(root, tmp_path / "s.zarr")
        with pytest.raises(ProtocolError, match=r"leak: 2 of 12 .* identical in audio.*--allow"):
            fit(tmp_path / "run", store, steps=1)
        assert not (tmp_path / "run").exists()
        report = fit(tmp_path / "run", store, steps=1, allow_leaks=True)
        said = "leak: 2 of 12 tested clips (16.7 %) are identical in audio to trained ones"
        assert report.notes[0] == said
        assert report.run.protocol.notes()[0] == said
        assert evaluate(report.run, steps=(2,), device="cpu").protocol.leaks == {"audio_sha256": 2}


class TestPlace:
    def test_a_run_is_not_replaced_unasked(self, finished, fit):
        with pytest.raises(RunError, match="pass --resume to go on with it, --overwrite"):
            fit(finished)

    def test_overwrite_replaces_all_of_it(self, finished, fit, copied):
        run = copied(finished)
        (run / "numbers.json").write_text("{}")
        fit(run, overwrite=True, fold="1", seed=3)
        assert plain(run, "config.json")["seed"] == 3
        assert not (run / "numbers.json").exists()
        assert [path.name for path in (run / "folds").iterdir()] == ["1"]

    @pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
    def test_what_is_no_run_is_never_touched(self, options, fit, tmp_path):
        (tmp_path / "thesis.txt").write_text("years of work")
        with pytest.raises(RunError, match=r"is no run.*another --run"):
            fit(tmp_path, **options)
        assert files(tmp_path) == {"thesis.txt"}

    @pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
    def test_a_file_is_no_place_for_a_run(self, options, fit, tmp_path):
        file = tmp_path / "thesis.txt"
        file.write_text("years of work")
        with pytest.raises(RunError, match=r"thesis\.txt"):
            fit(file, **options)
        assert file.read_text() == "years of work"


class TestWhatIsLearnt:
    def test_one_fold_is_the_same_fold_alone(self, finished, fit, tmp_path):
        run = fit(tmp_path / "run", fold="2").run.folder
        assert [path.name for path in (run / "folds").iterdir()] == ["2"]
        assert_close(run, finished)
        whole = [row for row in rows(finished) if row["fold"] == "2"]
        assert [row["predicted"] for row in rows(run)] == [row["predicted"] for row in whole]

    def test_the_seed_decides(self, finished, fit, tmp_path):
        run = fit(tmp_path / "run", fold="2", seed=1).run.folder
        one, two = (r / "folds/2/model.safetensors" for r in (run, finished))
        assert one.read_bytes() != two.read_bytes()

    def test_steps_chosen_on_the_dev_part(self, fit, tmp_path):
        run = fit(tmp_path / "run", choose="looks", steps=24).run.folder
        for fold in "1234":
            lines = [line for line in log(run) if line["fold"] == fold]
            looks = [line for line in lines if line["phase"] == "choose"]
            assert [line["step"] for line in looks] == [4, 8, 12, 16, 20, 24]
            best = min(looks, key=lambda line: line["dev_loss"])
            learn = [line for line in lines if line["phase"] == "learn"]
            assert learn[-1]["step"] == best["step"]
            assert all(line["dev_loss"] is None for line in learn)

    def test_the_model_to_deploy_chooses_too_and_still_learns_from_every_clip(
        self, fit, store, tmp_path
    ):
        run = fit(tmp_path / "run", choose="looks", fold="none").run.folder
        assert {line["phase"] for line in log(run)} == {"choose", "learn"}
        expected = load_vectors([store]).x.mean(0, dtype=np.float64)
        mean = TestNothingLeaks.mean(run, "all")
        np.testing.assert_allclose(mean, expected, rtol=1e-5, atol=1e-5)

    def test_an_official_split(self, fbank, fit, tmp_path):
        """MELD without its dev folder: the official test, and no part to choose on."""
        root = tones.write_corpus(tmp_path / "c", corpus="meld")
        table = tones.read_manifest(root)
        for row in table:
            row["dialogue"], row["split"] = row["speaker"], "test" if row["speaker"] == "KL" else ""
            row["split"] = row["split"] or ("" if row["sentence"] == "w2" else "train")
        tones.write_manifest(root, table)
        report = fit(tmp_path / "run", fbank(root, tmp_path / "s.zarr"), choose="looks", steps=2)
        assert (report.protocol.name, report.protocol.cluster) == ("meld-official", "dialogue")
        assert {row["path"][:2] for row in rows(report.run.folder)} == {"KL"}
        assert "9 clips left out: in no part of the split" in report.notes
        assert "no development part in fold 1: steps are the budget's" in report.notes
        assert [line["phase"] for line in log(report.run.folder)] == ["learn"]

    @pytest.mark.parametrize(
        ("label", "classes"), [("gender", ["female", "male"]), ("mood", ["down", "up"])]
    )
    def test_another_column(self, label, classes, fit, store, tmp_path):
        run = fit(tmp_path / "run", label=label, steps=1).run.folder
        with open_store(store) as opened:
            truth = dict(zip(opened.table["path"], opened.table[label], strict=True))
        assert plain(run, "protocol.json")["protocol"]["classes"] == classes
        assert {row["path"]: row["label"] for row in rows(run)} == truth

    def test_speakers_are_told_apart_on_sentences_that_were_not_trained_on(self, fit, tmp_path):
        run = fit(tmp_path / "run", label="speaker", steps=2).run.folder
        about = plain(run, "protocol.json")["protocol"]
        assert (about["name"], about["classes"]) == ("sentence-holdout", ["DC", "JE", "JK", "KL"])
        assert about["disjoint"] == ["sentence"]
        found = rows(run)
        assert len(found) == 12
        assert len({row["path"][-5] for row in found}) == 1
        assert all(row["label"] == row["path"][:2] for row in found)

    def test_a_class_with_one_clip_is_told(self, fbank, fit, tmp_path):
        root = tones.write_corpus(tmp_path / "c", sentences=1)
        table = tones.read_manifest(root)
        table[0]["emotion"] = "surprised"
        tones.write_manifest(root, table)
        report = fit(tmp_path / "run", fbank(root, tmp_path / "s.zarr"), steps=1)
        assert "1 of 4 classes have under 3 clips: surprised" in report.notes
        assert report.protocol.classes == ("angry", "happy", "sad", "surprised")

    def test_clips_without_a_label_are_counted(self, fbank, fit, tmp_path):
        root = tones.write_corpus(tmp_path / "c", sentences=1)
        table = tones.read_manifest(root)
        table[0]["emotion"] = table[5]["emotion"] = ""
        tones.write_manifest(root, table)
        report = fit(tmp_path / "run", fbank(root, tmp_path / "s.zarr"), steps=1)
        assert "2 clips left out: no emotion label" in report.notes
        assert len(rows(report.run.folder)) == 10
