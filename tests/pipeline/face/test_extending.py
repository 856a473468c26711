"""The package of docs/extending.md: written from that page, installed, and worked with."""

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
import soundfile

import gensr
from support import tones
from support.acme import FILES

PARTS = "--mean cosine --variance sine --codes one-hot --target difference --sampler midpoint"
DRIVER = """
import io, json, sys
from contextlib import redirect_stdout, redirect_stderr
from gensr.cli.main import run

for line in sys.stdin:
    out, err, status = io.StringIO(), io.StringIO(), 0
    sys.argv = ["gensr", *json.loads(line)]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            run()
        except SystemExit as end:
            status = end.code or 0
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""
"""Many commands in one process: importing torch takes longer than all of them."""


@pytest.fixture(scope="module")
def said(site, tmp_path_factory):
    """Answers to commands, by the command: (status, stdout, stderr)."""
    place = tmp_path_factory.mktemp("work")
    write_acted(place / "acted")
    (place / "tiny.toml").write_text(tones.TINY)
    train = "train s.zarr --model gen-ser --config tiny.toml --steps 8"
    commands = [
        "extract --help",
        "train --help",
        "eval --help",
        "info acted",
        "extract acted --encoder bands --out s.zarr --verify 4",
        "extract acted --encoder bands --dtype bfloat16 --out t.zarr",
        "train s.zarr --model nearest-mean --run near",
        "train s.zarr --model perceptron --steps 60 --run perceptron",
        f"{train} {PARTS} --run ours",
        f"{train} --run theirs",
        "train s.zarr --model nearest-mean --steps 5 --run no",
        "eval near perceptron --json",
        "eval ours --sampler-steps 1,3",
        "eval theirs --sampler midpoint --sampler-steps 2",
        "info ours",
        "train s.zarr --model nearest-mean --fold none --run deployed",
        "predict acted/f00_sad_000.wav --run deployed",
    ]
    return place, dict(zip(commands, driven(commands, place, site), strict=True))


def write_acted(folder):
    """Clips under the names of the page's corpus."""
    folder.mkdir()
    for s, speaker in enumerate([f"{'fm'[i % 2]}{i:02}" for i in range(12)]):
        for e, emotion in enumerate(("angry", "happy", "sad")):
            for n in range(2):
                clip = tones.chord(s, e, n)
                soundfile.write(folder / f"{speaker}_{emotion}_{n:03}.wav", clip, 16_000)


def driven(commands, place, site=None):
    """What each command answers, in one process that can import from `site`."""
    lines = "".join(json.dumps(command.split()) + "\n" for command in commands)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=lines,
        cwd=place,
        env={**os.environ, "COLUMNS": "200", **({"PYTHONPATH": str(site)} if site else {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_page_holds_every_file_of_the_package():
    named = tomllib.loads(FILES["pyproject.toml"])["project"]["entry-points"]
    modules = {place.partition(":")[0] for group in named.values() for place in group.values()}
    assert {f"{module.replace('.', '/')}.py" for module in modules} == set(FILES) - {
        "pyproject.toml"
    }


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("extract --help", ("fbank or bands", "msp_podcast or acted")),
        ("train --help", ("nearest-mean or perceptron", "vp or cosine", "exploding or sine")),
        ("train --help", ("autoencoder or one-hot", "score or difference", "heun or midpoint")),
        ("eval --help", ("heun or midpoint",)),
    ],
)
def test_help_knows_what_the_package_brings(said, command, names):
    status, out, _ = said[1][command]
    told = " ".join(re.sub(r"[│|]", " ", out).split())
    assert status == 0
    assert [name for name in names if name not in told] == []


def test_a_corpus_and_an_encoder_are_known_by_name(said):
    place, answers = said
    status, out, _ = answers["info acted"]
    assert status == 0
    assert "acted" in out
    status, out, err = answers["extract acted --encoder bands --out s.zarr --verify 4"]
    assert status == 0
    assert [line for line in err.splitlines() if " in " not in line] == []  # but how far it is
    assert "72 clips" in out
    with gensr.open_store(place / "s.zarr") as store:
        assert store.attributes["encoder"]["name"] == "bands"
    status, _, err = answers["extract acted --encoder bands --dtype bfloat16 --out t.zarr"]
    assert (status, err) == (2, "gensr: bands is computed in float32, not bfloat16\n")


def test_models_and_a_metric_are_known_by_name(said):
    place, answers = said
    status, out, _ = answers["eval near perceptron --json"]
    assert status == 0
    near, other = json.loads(out)["runs"]
    assert (near["model"], other["model"]) == ("nearest-mean", "perceptron")
    for one in (near, other):
        assert one["accuracy"] > 0.6  # of three classes
        low, high = one["intervals"]["worst_recall"]
        assert low <= one["worst_recall"] <= min(one["recall"].values()) + 1e-9 <= high + 1e-9
    manifest = json.loads((place / "near/manifest.json").read_text())
    assert manifest["packages"] == {"model nearest-mean": "gensr-acme 1.0"}
    assert json.loads((place / "near/config.json").read_text())["training"] is None
    status, _, err = answers["train s.zarr --model nearest-mean --steps 5 --run no"]
    assert (status, err) == (
        2,
        "gensr: nearest-mean is not trained by steps; drop steps = 5\n",
    )


def test_the_parts_of_the_method_are_exchanged_by_name(said):
    place, answers = said
    status, out, err = answers["eval ours --sampler-steps 1,3"]
    assert status == 0, err
    assert "N steps of the midpoint sampler" in out
    options = json.loads((place / "ours/numbers.json").read_text())["options"]["options"]
    assert options["mean"] == {"name": "cosine"}
    assert options["variance"] == {"name": "sine", "strength": 0.5}
    assert (options["codes"], options["target"]) == ({"name": "one-hot"}, {"name": "difference"})
    status, out, err = answers["eval theirs --sampler midpoint --sampler-steps 2"]
    assert status == 0, err
    assert (place / "theirs/numbers-midpoint.json").is_file()
    status, out, _ = answers["info ours"]
    assert status == 0
    assert out.count("gensr-acme 1.0") == 5


def test_new_speech_is_answered_by_what_the_package_brought(said):
    status, out, err = said[1]["predict acted/f00_sad_000.wav --run deployed"]
    assert status == 0, err
    assert "sad" in out


def test_without_the_package_one_line_says_what_is_missing(said):
    place, _ = said
    for status, _, err in driven(["eval near", "predict acted --run deployed"], place):
        assert status == 1
        assert err.count("\n") == 1
        assert "needs what other packages brought (model nearest-mean of gensr-acme 1.0)" in err
