"""`gensr` called as a user calls it: by its entry point, in this process or in one of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gensr.estimator.device import threads_for
from support import tones
from support.command import GENSR, Said

PLAIN = {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "GITHUB_ACTIONS", "PY_COLORS", "COLUMNS"}
"""Variables that change how a terminal is written to."""


@pytest.fixture(scope="session", autouse=True)
def _plain():
    """No colour from outside, one thread, wherever the tests run."""
    before = {name: os.environ.pop(name, None) for name in PLAIN}
    with threads_for(0):
        yield
    os.environ.update({name: value for name, value in before.items() if value is not None})


@pytest.fixture
def gensr(monkeypatch, capfd):
    """gensr(*args) -> Said, in this process."""
    from gensr.cli.main import run

    def call(*args: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["gensr", *map(str, args)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        out, err = capfd.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    return call


@pytest.fixture(scope="session")
def process():
    """process(*args, **subprocess's) -> Said, in a process of its own."""

    def call(*args: object, **options: Any) -> Said:
        found = subprocess.run(
            [GENSR, *map(str, args)],
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        return Said(found.returncode, found.stdout, found.stderr)

    return call


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """A working folder with a corpus, a store, settings, and three runs under runs/."""
    from gensr.pipeline.extraction.extract import ExtractConfig, extract
    from gensr.pipeline.training.config import TrainConfig
    from gensr.pipeline.training.train import train

    root = tmp_path_factory.mktemp("home")
    corpus = tones.write_corpus(root / "corpus")
    extract(corpus, root / "tones.zarr", ExtractConfig(encoder="fbank"))
    (root / "tiny.toml").write_text(tones.TINY)
    tiny = {"steps": 8, "device": "cpu", "settings": root / "tiny.toml"}
    for name, options in (
        ("gen-ser", tiny | {"model": "gen-ser"}),
        ("linear", {"steps": 8, "device": "cpu", "model": "linear"}),
        ("deployed", tiny | {"model": "gen-ser", "fold": "none"}),
    ):
        train([root / "tones.zarr"], TrainConfig(**options), folder=root / f"runs/{name}")
    return root


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, and the working one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
