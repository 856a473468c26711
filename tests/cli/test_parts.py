"""The parts of the method by their short names: `gensr train`, `eval --json` and `path`."""

import json
import shutil
from pathlib import Path

import pytest

PARTS = {
    "target": "score",
    "mean": "linear",
    "variance": "constant",
    "codes": "random-orthogonal",
}


@pytest.fixture
def here(home, tmp_path, monkeypatch):
    """A working folder with a store, runs, and settings that train in a blink."""
    monkeypatch.chdir(tmp_path)
    for name in ("tones.zarr", "runs"):
        shutil.copytree(home / name, name)
    shutil.copy(home / "tiny.toml", "tiny.toml")
    return tmp_path


def trained(gensr, *more):
    how = ("--model", "gen-ser", "--config", "tiny.toml", "--steps", 8, "--fold", 1, "--run", "r")
    return gensr("train", "tones.zarr", *how, *more)


def test_every_part_is_exchanged_and_told(gensr, here):
    named = [part for name, value in PARTS.items() for part in (f"--{name}", value)]
    trained(gensr, *named, "--sampler", "heun", "--readout", "after").ok()
    options = json.loads(Path("r/config.json").read_text())["options"]
    assert {name: options[name]["name"] for name in PARTS} == PARTS
    assert (options["sampler"], options["readout"]) == ("heun", "after")  # what was asked stands
    assert (options["T"], options["start"]) == (0.99, "noisy")  # and the rest is the target's own
    found = json.loads(gensr("eval", "r", "--json", "--sampler-steps", "1,50").ok().out)
    assert {name: found[name] for name in PARTS} == PARTS
    assert found["model"] == "gen-ser"
    assert list(found["by_steps"]) == ["1", "50"]
    lines = [json.loads(line) for line in Path("r/metrics.jsonl").read_text().splitlines()]
    assert all(line["start_loss"] > 0 for line in lines)


def test_what_a_model_has_not_is_none(gensr, here):
    found = json.loads(gensr("eval", "runs/linear", "--json").ok().out)
    assert {name: found[name] for name in PARTS} == dict.fromkeys(PARTS)


@pytest.mark.parametrize("name", [*PARTS, "sampler", "readout"])
def test_a_part_is_refused_for_a_model_that_has_none(gensr, here, name):
    value = {**PARTS, "sampler": "heun", "readout": "after"}[name]
    said = gensr("train", "tones.zarr", "--model", "linear", f"--{name}", value, "--run", "r").usage
    assert f"linear: no setting '{name}'" in said
    assert not Path("r").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--readout", "mean"], "readout must be one of estimate, state, after; found mean"),
        (["--target", "flw"], "no target 'flw'; choose one of x0, flow, score"),
        (["--target", "flow", "--mean", "ve"], "the target flow says nothing of x0 at t = 0.95"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(gensr, here, asked, said):
    assert said in trained(gensr, *asked).usage
    assert not Path("r").exists()


def test_a_mean_that_carries_the_label_is_refused_with_what_to_do(gensr, here):
    with Path("tiny.toml").open("a") as file:
        file.write('\n[model.mean]\nname = "ve"\ngamma = 1.5\n')
    said = trained(gensr).usage
    assert "the mean ve still carries 22.3 % of the label (most: 2 %)" in said
    assert "raise T, or make the mean steeper" in said


def test_the_diffusion_classifier_is_trained_and_evaluated(gensr, here):
    trained(gensr, "--model", "diffusion-classifier").ok()
    found = json.loads(gensr("eval", "r", "--json").ok().out)
    assert (found["model"], found["codes"], found["by_steps"]) == ("diffusion-classifier", None, {})


class TestPath:
    def test_it_tells_what_is_given_away(self, gensr):
        said = gensr("path", "--width", 512, "--points", 3).ok().out
        assert "logistic mean, bridge variance, sinusoidal codes: width 512, 7 classes" in said
        assert "0.999  0.9999   0.2529       14.3         14.4" in said
        assert "by chance 14.3 %; over the times of training 25.3 %, and 25.5 % where x1" in said

    def test_json_is_one_object(self, gensr):
        asked = ("--mean", "linear", "--variance", "exploding", "--target", "score")
        found = json.loads(gensr("path", *asked, "--classes", 4, "--json").ok().out)
        parts = {name: found[name] for name in ("target", "mean", "variance", "codes")}
        assert parts == {
            "target": "score",
            "mean": "linear",
            "variance": "exploding",
            "codes": "sinusoidal",
        }
        assert (found["chance"], found["classes"], found["width"]) == (0.25, 4, 1024)
        assert found["times"][0]["t"] == pytest.approx(0.99)  # the target's own
        assert len(found["times"]) == 11

    def test_a_run_has_its_own_settings_and_sizes(self, gensr, here):
        found = json.loads(gensr("path", "runs/gen-ser", "--json").ok().out)
        assert found["classes"] == 3
        assert found["width"] == 80
        for more in (("--mean", "linear"), ("--preset", "paper")):
            assert "a RUN has its own settings" in gensr("path", "runs/gen-ser", *more).usage

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            (["runs/linear"], "linear has no path from speech to class; gen-ser has one"),
            (["--classes", "0"], "classes must be from 1 to 65536, found 0"),
            (["--width", "8"], "7 classes do not fit vectors of width 8"),
        ],
    )
    def test_what_has_no_path_is_refused_in_one_line(self, gensr, here, asked, said):
        assert said in gensr("path", *asked).usage


def test_enrolled_runs_stand_in_tables_of_their_own(gensr, here):
    """And say what they are, in `eval` and in `info`."""
    some = ("--config", "tiny.toml", "--steps", 2, "--fold", 1)
    for name, more in (("plain", ()), ("met", ("--enrol", "speaker", "--enrol-clips", 2))):
        gensr("train", "tones.zarr", "--run", name, *some, *more).ok()
    said = gensr("eval", "plain", "met").ok().out
    assert said.count("emodb-loso") == 2
    tables = said.split("emodb-loso")[1:]
    assert "enrolled: vectors of every speaker" not in tables[0]
    assert "enrolled: vectors of every speaker" in tables[1]
    assert "enrolled by clips" in gensr("info", "met").ok().out
