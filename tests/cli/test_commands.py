"""The commands of the README, one after the other, and what each prints."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from gensr.features.store import open_store
from support.rebind import rebind

KEYS = {
    "model",
    "accuracy",
    "uar",
    "macro_f1",
    "weighted_f1",
    "n",
    "majority_baseline",
    "protocol",
    "classes",
    "folds",
    "intervals",
    "by_steps",
    "options",
}
PNG = b"\x89PNG"


@pytest.fixture
def here(home, tmp_path, monkeypatch):
    """A working folder of one's own, with the shared store and runs to be changed at will."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(home / "runs", "runs")
    for name in ("tones.zarr", "tiny.toml", "corpus"):
        Path(name).symlink_to(home / name)
    return tmp_path


def plain(said):
    """No escapes, no boxes, no bars: what a file or another program can read."""
    for text in (said.out, said.err):
        assert "\x1b" not in text
        assert not re.search("[\u2500-\u259f]", text)
        assert "\r" not in text
    return said


def test_from_speech_to_numbers_as_in_the_readme(gensr, here):
    said = plain(gensr("extract", "corpus/", "--encoder", "fbank", "--out", "new.h5").ok())
    assert said.out == (
        "new.h5: 36 clips, 0.00 h; 36 encoded, 0 copied, 0 done before, 0 unusable\n"
    )
    again = gensr("extract", "corpus/", "--encoder", "fbank", "--out", "new.h5").ok()
    assert "0 encoded, 0 copied, 36 done before" in again.out
    shutil.rmtree("runs")
    call = ("train", "new.h5", "--model", "gen-ser", "--steps", 4, "--config", "tiny.toml")
    said = plain(gensr(*call).ok())
    (run,) = Path("runs").iterdir()
    head = rf"{run}: emodb-loso \([0-9a-f]+\), WA [\d.]+ \[.*\], UAR .*"
    assert re.match(rf"{head}, n = 36, majority class [\d.]+\n", said.out)
    said = plain(gensr("eval", "--sampler-steps", "1,2").ok())
    assert json.loads((run / "numbers.json").read_text())["n"] == 36
    for name in ("confusion", "steps", "trajectory"):
        assert f"{run}/figures/{name}.png\n" in said.out
        assert (run / f"figures/{name}.png").read_bytes().startswith(PNG)
    assert "emodb-loso" in said.out
    assert "gen-ser" in said.out


def test_stages_print_nothing_but_results_on_stdout(gensr, here):
    said = gensr("train", "tones.zarr", "--steps", 1, "--run", "r", "--config", "tiny.toml").ok()
    assert said.out.count("\n") == 1


class TestTrain:
    def test_flags_reach_the_run(self, gensr, here):
        flags = {
            "--run": "r",
            "--model": "transformer-ce",
            "--label": "gender",
            "--protocol": "speaker-5fold",
            "--fold": "2",
            "--steps": 3,
            "--seed": 5,
            "--layers": "p50, std",
            "--choose": "looks",
            "--device": "cpu",
            "--preset": "small",
            "--config": "tiny.toml",
        }
        gensr("train", "tones.zarr", *(word for pair in flags.items() for word in pair)).ok()
        kept = json.loads(Path("r/config.json").read_text())
        assert kept["model"] == "transformer-ce"
        assert (kept["label"], kept["protocol"], kept["fold"]) == ("gender", "speaker-5fold", "2")
        assert (kept["seed"], kept["choose"], kept["preset"]) == (5, "looks", "small")
        assert kept["layers"] == ["p50", "std", "mean"]
        assert (kept["training"]["steps"], kept["training"]["batch_size"]) == (3, 8)

    def test_no_conditioning_layers(self, gensr, here):
        gensr("train", "tones.zarr", "--layers", "none", "--steps", 1, "--run", "r").ok()
        assert json.loads(Path("r/config.json").read_text())["layers"] == ["mean"]

    def test_labels(self, gensr, here):
        gensr("train", "tones.zarr", "--labels", "canonical", "--steps", 1, "--run", "r").ok()
        kept = json.loads(Path("r/protocol.json").read_text())["protocol"]
        assert kept["classes"] == ["anger", "happiness", "sadness"]

    def test_a_run_that_is_there(self, gensr, here):
        call = ("train", "tones.zarr", "--model", "gen-ser", "--steps", 8)
        call += ("--config", "tiny.toml", "--run")
        assert "--resume to go on with it" in gensr(*call, "runs/gen-ser").complaint
        before = Path("runs/gen-ser/predictions.csv").read_bytes()
        gensr(*call, "runs/gen-ser", "--device", "cpu", "--resume").ok()
        assert Path("runs/gen-ser/predictions.csv").read_bytes() == before
        gensr(*call, "runs/gen-ser", "--overwrite", "--seed", 9).ok()
        assert Path("runs/gen-ser/predictions.csv").read_bytes() != before

    def test_to_deploy(self, gensr, here):
        said = gensr("train", "tones.zarr", "--fold", "none", "--steps", 1, "--run", "r").ok()
        assert said.out == "r: learnt from every clip, never tested; ready to predict\n"


class TestEval:
    def test_json_is_one_object(self, gensr, here):
        said = gensr("eval", "runs/gen-ser", "--json", "--sampler-steps", "2,1").ok()
        found = json.loads(said.out)
        assert set(found) >= KEYS
        assert (found["model"], found["n"]) == ("gen-ser", 36)
        assert list(found["by_steps"]) == ["1", "2"]
        assert found["protocol"]["name"] == "emodb-loso"
        assert found["classes"] == ["angry", "happy", "sad"]
        assert set(found["folds"]) == {"1", "2", "3", "4"}
        assert found["options"]["training"]["steps"] == 8
        metrics = {"accuracy", "uar", "macro_f1", "weighted_f1"}
        for name in metrics:
            low, high = found["intervals"][name]
            assert low <= found[name] <= high
        with Path("runs/gen-ser/predictions.csv").open() as file:
            rows = list(csv.DictReader(file))
        right = [row["label"] == row["predicted"] for row in rows]
        assert found["accuracy"] == pytest.approx(sum(right) / 36)
        assert found["majority_baseline"] == pytest.approx(1 / 3)
        assert json.loads(Path("runs/gen-ser/numbers.json").read_text()) == found

    def test_a_sampler_that_no_run_has_is_said_to_be_none(self, gensr, here):
        said = gensr("eval", "runs/linear", "--sampler", "euler").ok()
        assert "--sampler is of models that answer in N steps; no run here has one" in said.err
        said = gensr("eval", "runs/linear", "runs/gen-ser", "--sampler", "euler").ok()
        assert "--sampler is of models" not in said.err
        said = gensr("eval", "runs/linear", "--sampler-steps", "4").ok()
        assert "--sampler-steps is of models that answer in N steps; no run here has" in said.err

    def test_json_of_a_model_without_n(self, gensr, here):
        found = json.loads(gensr("eval", "runs/linear", "--json").ok().out)
        assert set(found) >= KEYS
        assert found["by_steps"] == {}

    def test_json_in_a_process_of_its_own(self, process, here):
        said = process("eval", "runs/linear", "--json").ok()
        assert json.loads(said.out)["model"] == "linear"
        assert said.err == ""

    def test_several_runs_stand_side_by_side(self, gensr, here):
        said = plain(gensr("eval", "runs/gen-ser", "runs/linear", "--sampler-steps", "1").ok())
        rows = [line for line in said.out.splitlines() if re.match(r"(gen-ser|linear)  +", line)]
        assert len(rows) == 2
        paired = r"^linear less gen-ser: WA [+-].* points, p .* \(Holm .*\), detectable "
        assert re.search(paired, said.out, re.MULTILINE)
        assert said.out.count("note: intervals leave out") == 1
        found = json.loads(
            gensr("eval", "runs/gen-ser", "runs/linear", "--json", "--sampler-steps", "1").ok().out
        )
        assert [one["model"] for one in found["runs"]] == ["gen-ser", "linear"]
        for row, one in zip(rows, found["runs"], strict=True):
            assert f"{100 * one['accuracy']:.1f}" in row

    def test_runs_of_two_questions_are_told_apart(self, gensr, here):
        train = ("train", "tones.zarr", "--model", "linear", "--steps", 1, "--label", "gender")
        gensr(*train, "--protocol", "random-holdout", "--run", "runs/gender").ok()
        said = plain(gensr("eval", "runs/linear", "runs/gender").ok())
        lines = [line for line in said.out.splitlines() if "comparable" in line]
        assert len(lines) == 1
        # Three classes beside two mislead most, and are named first.
        assert lines[0].startswith("not comparable: runs/linear and runs/gender differ in classes")
        assert "; protocol (" in lines[0]
        assert "label (emotion; gender)" in lines[0]
        found = json.loads(gensr("eval", "runs/linear", "runs/gender", "--json").ok().out)
        assert found["comparable"] is False
        assert found["differences"][0]["runs"] == ["runs/linear", "runs/gender"]
        same = json.loads(gensr("eval", "runs/linear", "runs/linear", "--json").ok().out)
        assert (same["comparable"], same["differences"]) == (True, [])

    def test_a_named_sampler(self, gensr, here):
        call = ("eval", "runs/gen-ser", "--sampler", "euler", "--json", "--sampler-steps", "4")
        found = json.loads(gensr(*call).ok().out)
        assert found["options"]["options"]["sampler"] == "exact"
        assert found["options"]["sampler"] == "euler"
        assert found["by_steps"]["4"]["accuracy"] == found["accuracy"]
        # A look aside: the numbers of the run's own predictions are not replaced by it.
        assert not Path("runs/gen-ser/numbers.json").exists()
        assert json.loads(Path("runs/gen-ser/numbers-euler.json").read_text()) == found

    def test_the_newest_run_is_the_default(self, gensr, here):
        gensr("train", "tones.zarr", "--model", "linear", "--steps", 1, "--run", "runs/a").ok()
        assert json.loads(gensr("eval", "--json").ok().out)["run"] == "runs/a"

    def test_a_store_that_was_moved(self, gensr, here):
        config = json.loads(Path("runs/gen-ser/config.json").read_text())
        config["stores"] = ["/nowhere/tones.zarr"]
        Path("runs/gen-ser/config.json").write_text(json.dumps(config))
        call = ("eval", "runs/gen-ser", "--sampler-steps", "1")
        assert "/nowhere/tones.zarr does not exist" in gensr(*call).complaint
        gensr(*call, "--store", "tones.zarr").ok()

    def test_a_run_to_deploy(self, gensr, here):
        assert "nothing is left to test" in gensr("eval", "runs/deployed").complaint

    def test_a_damaged_run(self, gensr, here):
        Path("runs/linear/predictions.csv").write_text("path,fold\nx,1\n")
        assert "predictions.csv is damaged" in gensr("eval", "runs/linear").complaint


class TestPredict:
    def test_a_table(self, gensr, here):
        said = plain(gensr("predict", "corpus/DC/sad-0.wav", "corpus/JE", "--run", "runs/deployed"))
        rows = [line.split() for line in said.ok().out.splitlines() if ".wav" in line]
        assert len(rows) == 10
        assert rows[0][0] == "corpus/DC/sad-0.wav"
        assert {row[1] for row in rows} <= {"angry", "happy", "sad"}
        assert all(1 / 3 <= float(row[2]) <= 1 for row in rows)

    def test_json_is_one_object(self, gensr, here):
        (here / "bad.wav").write_text("no audio")
        call = ("predict", "corpus/DC/sad-0.wav", "bad.wav", "--run", "runs/deployed", "--json")
        said = gensr(*call)
        assert said.status == 1
        found = json.loads(said.out)
        (one,) = found["predictions"]
        assert one["path"] == "corpus/DC/sad-0.wav"
        assert one["probabilities"][one["predicted"]] == max(one["probabilities"].values())
        assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert [problem["path"] for problem in found["failed"]] == ["bad.wav"]
        assert re.match(r"bad\.wav: unreadable.*\n", said.err)
        assert gensr(*call, "--allow-errors", 1).ok().out == said.out

    def test_a_cross_validated_run_is_refused(self, gensr, here):
        said = gensr("predict", "corpus/DC", "--run", "runs/gen-ser").complaint
        assert "4 models, each with speakers left out; train with --fold none" in said

    def test_an_encoder_that_moved(self, gensr, here):
        path = Path("runs/deployed/config.json")
        config = json.loads(path.read_text())
        config["encoder"]["name"] = "models/gone"
        path.write_text(json.dumps(config))
        rebind(path.parent)
        call = ("predict", "corpus/DC", "--run", "runs/deployed")
        assert "needs the encoder models/gone" in gensr(*call).complaint
        gensr(*call, "--encoder", "fbank").ok()

    def test_another_encoder(self, gensr, here):
        path = Path("runs/deployed/config.json")
        config = json.loads(path.read_text())
        config["encoder"]["weights_sha256"] = "ab12"
        path.write_text(json.dumps(config))
        rebind(path.parent)
        said = gensr("predict", "corpus/DC", "--run", "runs/deployed").complaint
        assert "encoder.weights_sha256: 'ab12' in the run, None now); pass the same encoder" in said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tones.zarr", "store tones.zarr"),
        ("runs/gen-ser", "run runs/gen-ser"),
        ("corpus", "corpus corpus"),
    ],
)
def test_info(path, said, gensr, here):
    found = plain(gensr("info", path).ok()).out
    assert found.startswith(f"{said}\n")
    assert re.search(r"^  clips +36\b", found, re.MULTILINE)


def test_demo_corpus(gensr, tmp_path):
    call = ("demo-corpus", tmp_path / "d", "--speakers", 2, "--sentences", 1)
    said = plain(gensr(*call).ok())
    assert said.out == f"{tmp_path / 'd'}: 14 clips, 2 speakers, 7 emotions\n"
    found = gensr("info", tmp_path / "d").ok().out
    assert re.search(r"clips +14\b", found)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.wav")}
    gensr(*call).ok()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.wav")} == before
    other = gensr("demo-corpus", tmp_path / "d", "--speakers", 4, "--sentences", 1)
    assert str(tmp_path / "d") in other.complaint


class TestExtract:
    def test_overwrite(self, gensr, here):
        call = ("extract", "corpus", "--encoder", "fbank", "--out", "s.zarr")
        gensr(*call, "--shard-clips", 10).ok()
        said = gensr(*call, "--shard-clips", 20).complaint
        assert "s.zarr" in said
        assert "10" in said
        assert "20" in said
        gensr(*call, "--shard-clips", 20, "--overwrite").ok()
        with open_store(Path("s.zarr")) as store:
            assert store.header.shard_clips == 20

    @pytest.mark.parametrize(
        ("flags", "said"),
        [
            (["--dtype", "float16"], "fbank is computed in float32"),
            (["--dtype", "int8"], "dtype is one of float32, bfloat16, float16"),
            (["--revision", "main"], "fbank has no revisions"),
            (["--context", "none"], "context is one of full, clip"),
            (["--shard-clips", "0"], "shard_clips"),
            (["--encoder", ""], "pass `fbank`, a folder, or a hub id"),
        ],
    )
    def test_flags_that_do_not_fit(self, flags, said, gensr, here):
        default = ["--encoder", "fbank"]
        assert said in gensr("extract", "corpus", "--out", "s.zarr", *default, *flags).usage
        assert not Path("s.zarr").exists()

    @pytest.mark.parametrize("name", ["out.txt", "out"])
    def test_a_name_that_is_no_store(self, name, gensr, here):
        said = gensr("extract", "corpus", "--encoder", "fbank", "--out", name).complaint
        assert "ends in one of .zarr, .h5, .hdf5" in said
