"""`gensr eval RUN --store OTHER`, and `gensr extract --perturb`, as a user calls them."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def here(home, here):
    """A copy of the working folder: corpus, store and runs."""
    return Path(shutil.copytree(home, here, dirs_exist_ok=True))


@pytest.fixture
def noisy(gensr, here):
    call = ("extract", "corpus", "--encoder", "fbank", "--perturb", "noise:0dB,phone")
    gensr(*call, "--out", "noisy.zarr").ok()
    return "noisy.zarr"


def test_a_wrong_perturbation(gensr, here):
    call = ("extract", "corpus", "--encoder", "fbank", "--out", "s.zarr", "--perturb")
    said = gensr(*call, "noise:loud").usage
    assert "perturb has 'noise:loud': it must be noise:20dB, from -20 to 100 dB" in said
    assert not Path("s.zarr").exists()


def test_it_is_told_and_not_resumed_by_another(gensr, noisy):
    assert "perturbed        noise:0dB,phone" in gensr("info", noisy).ok().out
    call = ("extract", "corpus", "--encoder", "fbank", "--out", noisy)
    said = gensr(*call, "--perturb", "phone").complaint
    assert "preprocessing.perturb: 'noise:0dB,phone' there, 'phone' here" in said
    assert (
        "preprocessing.perturb"
        in gensr("store", "merge", noisy, "tones.zarr", "--out", "b.zarr").complaint
    )


def test_a_run_says_that_it_learnt_from_perturbed_clips(gensr, noisy):
    told = gensr("train", noisy, "--model", "linear", "--steps", 1, "--run", "runs/n").ok()
    line = "perturbed clips: noisy.zarr by noise:0dB,phone"
    assert line in told.out + told.err
    assert line in gensr("eval", "runs/n").ok().out
    assert line in gensr("info", "runs/n").ok().out
    assert json.loads(gensr("eval", "runs/n", "--json").ok().out)["perturbed"] == line


class TestElsewhere:
    def test_the_drop(self, gensr, noisy):
        pytest.importorskip("gensr.estimator.paired")
        said = gensr("eval", "runs/gen-ser", "--store", noisy).ok().out
        for part in ("noisy.zarr", "the run's own", "WA change", "perturbed by noise:0dB,phone"):
            assert part in said
        found = json.loads(gensr("eval", "runs/gen-ser", "--store", noisy, "--json").ok().out)
        (one,) = found["elsewhere"]
        assert one["n"] == one["own"]["n"] == 36
        assert set(one["drop"]) == {"accuracy", "uar", "macro_f1", "weighted_f1"}
        kept = json.loads(Path("runs/gen-ser/numbers-noisy.zarr.json").read_text())
        assert kept["accuracy"] == one["accuracy"]
        assert (one["model"], one["target"], one["mean"]) == ("gen-ser", "x0", "logistic")
        assert (one["variance"], one["codes"]) == ("bridge", "sinusoidal")

    def test_a_leak_is_fatal_unless_allowed_and_then_said_first(self, gensr, noisy):
        call = ("eval", "runs/deployed", "--store", noisy)
        assert "leak: " in gensr(*call).complaint
        said = gensr(*call, "--allow-leaks").ok().out
        assert said.startswith("note: leak: 36 of 36 tested clips (100.0 %)")

    @pytest.mark.parametrize(
        "option",
        [
            ("--sampler", "euler"),
            ("--sampler-steps", "1"),
            ("--trajectory", "sad"),
            ("--by", "sentence"),
            ("--reject-below", "0.5"),
        ],
    )
    def test_what_is_of_own_vectors(self, option, gensr, noisy):
        said = gensr("eval", "runs/gen-ser", "--store", noisy, *option).usage
        assert f"{option[0]} is about a run's own vectors" in said
