"""Damaged run folders: one line, or the right result; never a traceback, a hang, or another one."""

import json
import random
import shutil
from pathlib import Path

import pytest

from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.fold import FoldTraining
from gensr.pipeline.training.train import train
from support.kept import unpack

VALUES: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    float("nan"),
    float("-inf"),
    "",
    "\x1b[31m",
    "../..",
    [],
    {},
    [[]],
    [None],
    ["x", 3],
    {"name": []},
)
DEEP = b'{"a":' * 100_000
FAST, SLOW = 10, 100
"""Mutants of each of the four runs."""


@pytest.fixture(scope="module")
def place(home, tmp_path_factory):
    """A folder with `runs/` (new), `old/` (of version 0.1.0), and how each is resumed."""
    root = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(home / "runs", root / "runs")
    keep = FoldTraining.keep

    def stops(training, fold, *kept):
        """With two models kept, and a checkpoint of all."""
        if fold.name == "3":
            raise KeyboardInterrupt
        keep(training, fold, *kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FoldTraining, "keep", stops)
        config = TrainConfig(steps=8, device="cpu", settings=home / "tiny.toml")
        with pytest.raises(KeyboardInterrupt):
            train([home / "tones.zarr"], config, folder=root / "runs/half")
    unpack("0.1.0", "runs", root / "old")
    return root


def mutate(rng, run):
    """Damage one file of a run at random; tell how."""
    path = rng.choice(sorted(p for p in run.rglob("*") if p.is_file()))
    how = rng.choice(
        ["truncated", "zeroed", "flipped", "deleted", "folder", "endless", "dangling", "foreign"]
        + ["value", "deep", "grown"] * 2
    )
    data = bytearray(path.read_bytes())
    if how == "truncated":
        path.write_bytes(data[: rng.randrange(len(data) + 1)])
    elif how == "zeroed":
        begin = rng.randrange(len(data) + 1)
        data[begin : begin + 64] = bytes(min(64, len(data) - begin))
        path.write_bytes(data)
    elif how == "flipped" and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
    elif how == "deep":
        path.write_bytes(DEEP)
    elif how == "grown":
        path.write_bytes(data + b"x")
    elif how == "value" and path.suffix == ".json":
        path.write_text(json.dumps(changed(rng, json.loads(data))))
    elif how == "foreign":
        others = sorted(p for p in run.parent.glob(f"*/{path.relative_to(run)}") if p != path)
        if others:
            shutil.copy(rng.choice(others), path)
    elif how in ("deleted", "folder", "endless", "dangling"):
        path.unlink()
        if how == "folder":
            path.mkdir()
        elif how != "deleted":
            path.symlink_to({"endless": "/dev/zero", "dangling": "nowhere"}[how])
    return f"{path.relative_to(run)} {how}"


def changed(rng, plain):
    """A JSON value with one thing in it replaced, or gone."""
    at = plain
    while True:
        keys = list(at) if isinstance(at, dict) else range(len(at))
        key = rng.choice(list(keys))
        if isinstance(at[key], dict | list) and at[key] and rng.random() < 0.7:
            at = at[key]
            continue
        if rng.random() < 0.2:
            del at[key]
        else:
            at[key] = rng.choice(VALUES)
        return plain


def resumed(name, home, old):
    if old:
        settings = () if name == "linear" else ("--config", "../tiny.toml")
        return ("../tones.h5", "--steps", 12, "--layers", "p50", *settings)
    settings = () if name == "linear" else ("--config", home / "tiny.toml")
    return (home / "tones.zarr", "--steps", 8, *settings)


def commands(name, home, old, run):
    """What is called: each of them with what makes its result."""
    store = "../tones.h5" if old else home / "tones.zarr"
    model = "linear" if name == "linear" else "gen-ser"
    fold = ("--fold", "none") if name == "deployed" else ()
    options = ("--model", model, "--device", "cpu", *fold)
    clip = home / "corpus/DC/angry-0.wav"
    predict = {"predict": ("predict", clip, "--run", run, "--device", "cpu", "--json")}
    return {
        **(predict if name == "deployed" else {}),
        "info": ("info", run),
        "eval": ("eval", run, "--sampler-steps", 1, "--store", store, "--device", "cpu", "--json"),
        "resume": ("train", *resumed(name, home, old), *options, "--run", run, "--resume"),
    }


def results(run):
    files = [*run.rglob("*.safetensors"), *run.glob("predictions.csv")]
    return {path.relative_to(run): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    "seeds", [range(FAST), pytest.param(range(FAST, SLOW), marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ["gen-ser", "linear", "deployed", "half"])
@pytest.mark.parametrize("old", [False, True], ids=["new", "0.1.0"])
def test_a_damaged_run(old, name, seeds, place, home, gensr, monkeypatch):
    monkeypatch.setattr("gensr.pipeline.scoring.figures.draw", lambda *_: [])
    kept = (
        place / ("old" if old else "runs") / {"half": ("half", "interrupted")[old]}.get(name, name)
    )
    work = kept.with_name(f"work-{name}")
    monkeypatch.chdir(_made(work))
    run = Path("run")
    asked = commands(name, home, old, run)
    right = {}
    for command, call in asked.items():
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(kept, run)
        right[command] = (gensr(*call), results(run))
    for seed in seeds:
        rng = random.Random(seed)
        command = rng.choice(sorted(asked))
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(kept, run)
        done = f"seed {seed}: {mutate(rng, run)}; {command}"
        said = gensr(*asked[command])
        assert "Traceback" not in said.err, done
        if said.status:
            assert said.status in (1, 2), (done, said)
            lines = [line for line in said.err.splitlines() if line.startswith("gensr: ")]
            assert len(lines) == 1, (done, said)
            assert said.out == "", (done, said)
        elif not old:  # nothing in a run of version 0.1.0 says what it was
            expected, made = right[command]
            assert expected.status == 0, (done, said)
            if command in ("eval", "predict"):
                assert said.out == expected.out, done
            if command == "resume":
                assert results(run) == made, done


def _made(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
