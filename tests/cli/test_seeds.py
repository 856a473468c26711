"""Several seeds by one flag, and what the other commands make of them."""

import json
import re


def test_a_set_is_trained_shown_and_compared(gensr, here, home):
    train = (
        "train",
        home / "tones.zarr",
        "--model",
        "linear",
        "--steps",
        2,
        "--run",
        "runs/several",
    )
    said = gensr(*train, "--seeds", "0,1").ok()
    assert [line.split(":")[0] for line in said.out.splitlines()] == [
        "runs/several/seed-0",
        "runs/several/seed-1",
    ]
    shown = gensr("eval", "runs/several").ok().out
    found = json.loads(gensr("compare", "runs/several", "--json").ok().out)
    both = json.loads(gensr("eval", "runs/several", "--json").ok().out)
    (means,) = both["means"]
    assert (means["seeds"], means["accuracy"]) == ([0, 1], found["systems"][0]["accuracy"])
    both = both["runs"]
    mean = sum(one["accuracy"] for one in both) / 2
    (system,) = found["systems"]
    assert abs(system["accuracy"] - mean) < 1e-12
    assert re.search(rf"^several, 2 seeds +{100 * mean:.1f}", shown, re.MULTILINE)
    assert "runs/several: recall by class" in shown
    again = gensr(*train, "--seeds", "0,1")
    assert "several seeds already; pass --resume" in again.complaint
    assert "--seeds takes several" in gensr(*train, "--seeds", "3").err
    assert (
        "name one of them" in gensr("predict", home / "corpus", "--run", "runs/several").complaint
    )


def test_info_of_a_set_names_its_runs(gensr, here, home):
    train = (
        "train",
        home / "tones.zarr",
        "--model",
        "linear",
        "--steps",
        2,
        "--run",
        "runs/several",
    )
    gensr(*train, "--seeds", "0,1").ok()
    said = gensr("info", "runs/several")
    assert "seed-0" in said.out + said.err


def test_a_slip_leaves_a_set_as_it_was(gensr, here, home):
    train = ("train", home / "tones.zarr", "--model", "linear", "--run", "runs/kept")
    gensr(*train, "--steps", 2, "--seeds", "0,1").ok()
    before = json.loads(gensr("compare", "runs/kept", "--json").ok().out)
    assert "steps" in gensr(*train, "--steps", 3, "--seeds", "0-2", "--resume").complaint
    overwrite = (*train, "--steps", 2, "--seeds", "0-2", "--overwrite")
    assert "no protocol" in gensr(*overwrite, "--protocol", "nope").complaint
    assert json.loads(gensr("compare", "runs/kept", "--json").ok().out) == before
    gone = ("train", "gone.zarr", "--run", "runs/none", "--seeds", "0-1")
    assert gensr(*gone).complaint
    assert not (here / "runs/none").exists()
    assert "--enrol-clips 3 has no say" in gensr(*train, "--enrol-clips", 3).err
    assert "--seed 3 has no say" in gensr(*train, "--seeds", "0-1", "--seed", 3).err
