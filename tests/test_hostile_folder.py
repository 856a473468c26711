"""Files of the folder that one happens to be in run in nothing that gensr starts."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gensr.features.hearing.decoders import Decoders
from gensr.features.interpreter import import_path, safe_starts, start_folder

NAMES = ("signal", "select", "typing", "json", "torch", "numpy", "distributed", "sitecustomize")
BIN = Path(sys.executable).parent


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """The current folder: modules, packages and settings that leave a trace and break."""
    here = tmp_path / "here"
    here.mkdir()
    trace = f"import os; open({str(here / 'ran')!r}, 'a').write(f'{{__name__}} {{os.getpid()}}\\n')"
    for name in NAMES:
        (here / f"{name}.py").write_text(f"{trace}\nraise SystemExit(9)\n")
    for package in ("gensr", "gensr/features", "gensr/pipeline", "dask"):
        (here / package).mkdir(exist_ok=True)
        (here / package / "__init__.py").write_text(f"{trace}\nraise SystemExit(9)\n")
    for name in ("distributed.yaml", "dask.yaml", ".env"):
        (here / name).write_text("distributed: {worker: {preload: [hostile]}}\n")
    (here / "hostile.py").write_text(trace)
    for number in range(6):
        noise = np.random.default_rng(number).normal(0, 0.1, 4_000)
        path = here / f"corpus/{('happy', 'sad')[number % 2]}/{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise, 16_000)
    monkeypatch.chdir(here)
    return here


def run(*command):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=250, check=False
    )


def test_the_decoding_children_run_nothing_of_it(hostile, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # as in a notebook
    decoders = Decoders(1)
    try:
        file_sha256, verdict = decoders.hear(Path("corpus/sad/1.wav"))
    finally:
        decoders.close()
    assert (verdict.samples, verdict.reason) == (4_000, "")
    assert file_sha256
    assert not (hostile / "ran").exists()


@pytest.mark.slow
@pytest.mark.parametrize("start", [[BIN / "gensr"], [sys.executable, "-P", "-m", "gensr.cli.main"]])
def test_nor_do_workers_and_the_other_commands(hostile, start):
    done = run(*start, "extract", "corpus", "--encoder", "fbank", "--workers", 1, "--out", "s.zarr")
    assert done.returncode == 0, done.stderr
    for command in (["verify", "s.zarr"], ["convert", "s.zarr", "s.h5"]):
        done = run(*start, "store", *command)
        assert done.returncode == 0, done.stderr
    assert not (hostile / "ran").exists()


@pytest.mark.slow
def test_python_m_looks_here_for_itself_alone(hostile):
    """`python -m` puts the current folder first, which is the user's word; workers do not."""
    for name in ("typing", "json", "torch", "numpy", "distributed", "sitecustomize", "select"):
        (hostile / f"{name}.py").unlink()
    for package in ("gensr/features", "gensr/pipeline", "gensr", "dask"):
        (hostile / package / "__init__.py").unlink()
        (hostile / package).rmdir()
    real = Path(os.__file__).with_name("signal.py")
    trace = "import os; open('ran', 'a').write(f'{os.getpid()}\\n')\n"
    (hostile / "signal.py").write_text(trace + f"exec(open({str(real)!r}).read())\n")
    options = "extract corpus --encoder fbank --workers 1 --out s.zarr"
    done = run(sys.executable, "-m", "gensr.cli.main", *options.split())
    assert done.returncode == 0, done.stderr
    ran = (hostile / "ran").read_text().split() if (hostile / "ran").exists() else []
    assert len(set(ran)) <= 1


def test_pythonpath_is_the_users_choice(tmp_path):
    code = "from gensr.features.interpreter import import_path; print('\\n'.join(import_path()))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout.splitlines()
    assert str(tmp_path) in said
    assert "" not in said
    assert str(Path.cwd()) not in said


@pytest.mark.parametrize("keep", [False, True])
def test_a_start_leaves_everything_as_it_was(keep, monkeypatch, tmp_path):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setattr(sys, "path", ["", "/a", "/b"])
    # What runs the tests may lie in this folder, as a script of the caller's own would.
    monkeypatch.setattr("gensr.features.interpreter._holds_main", lambda folder: False)
    path = sys.path
    assert start_folder() == ""
    assert import_path() == ["/a", "/b"]
    with safe_starts(keep=keep), safe_starts(keep=keep):
        assert os.environ["PYTHONSAFEPATH"] == "1"
        assert sys.path[:2] == ["/a", "/b"]
        assert len(sys.path) == 2 + keep
    assert sys.path is path
    assert sys.path == ["", "/a", "/b"]
    assert "PYTHONSAFEPATH" not in os.environ
