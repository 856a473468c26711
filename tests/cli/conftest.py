"""`gensr` called as a user calls it: by its entry point, in this process or in one of its own."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from gensr.estimator.device import threads_for

PLAIN = {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "GITHUB_ACTIONS", "PY_COLORS", "COLUMNS"}
"""Variables that change how a terminal is written to."""


@dataclass(frozen=True)
class Said:
    """How a call ended."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of what could not be done, with exit status 1."""
        return self._one_line(1)

    @property
    def usage(self) -> str:
        """The one line of a call that cannot be meant, with exit status 2."""
        return self._one_line(2)

    def _one_line(self, status: int) -> str:
        """Alone on stderr, nothing on stdout, no traceback."""
        assert self.status == status, self
        assert self.out == ""
        assert re.fullmatch(r"gensr: [^\n]+\n", self.err), self.err
        assert "Traceback" not in self.err
        return self.err

    def ok(self) -> "Said":
        assert self.status == 0, self
        return self


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

    def call(*args: object, **options: object) -> Said:
        found = subprocess.run(
            [Path(sys.executable).with_name("gensr"), *map(str, args)],
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        return Said(found.returncode, found.stdout, found.stderr)

    return call


@pytest.fixture(scope="session")
def tones(load_helper) -> ModuleType:
    """tests/pipeline/tones.py as a module."""
    module: ModuleType = load_helper(Path(__file__).parents[1] / "pipeline/tones.py")
    return module


@pytest.fixture(scope="session")
def rebind(load_helper):
    """rebind(run): what was changed on purpose, bound together again."""
    return load_helper(Path(__file__).parents[1] / "pipeline/rebind.py").rebind


@pytest.fixture(scope="session")
def home(tones, tmp_path_factory) -> Path:
    """A working folder with a corpus, a store, settings, and three runs under runs/."""
    from gensr.pipeline.extraction.extract import ExtractConfig, extract
    from gensr.pipeline.training.train import TrainConfig, train

    root = tmp_path_factory.mktemp("home")
    corpus = tones.write_corpus(root / "corpus")
    extract(corpus, root / "tones.zarr", ExtractConfig(encoder="fbank"))
    (root / "tiny.toml").write_text(tones.TINY)
    tiny = {"steps": 8, "device": "cpu", "settings": root / "tiny.toml"}
    for name, options in (
        ("gen-ser", tiny),
        ("linear", {"steps": 8, "device": "cpu", "model": "linear"}),
        ("deployed", tiny | {"fold": "none"}),
    ):
        train([root / "tones.zarr"], TrainConfig(**options), folder=root / f"runs/{name}")
    return root


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, and the working one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
