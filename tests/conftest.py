"""Fixtures that point at real material; a test that needs it skips, saying so, where it is not."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _folder(variable: str) -> Path:
    value = os.environ.get(variable, "")
    if not value or not Path(value).is_dir():
        pytest.skip(f"{variable} does not name a folder")
    return Path(value)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora: emodb/, ravdess/, meld/, crema-d/."""
    return _folder("GENSR_CORPORA")


@pytest.fixture(scope="session")
def encoders() -> Path:
    """The folder of real pre-trained encoders: whisper-base-encoder/."""
    return _folder("GENSR_ENCODERS")


@pytest.fixture(scope="session")
def load_helper() -> Callable[[Path], ModuleType]:
    """A file of helpers as a module: pytest's importlib mode finds no neighbours by itself."""

    def load(path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"gensr_test_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def answering() -> Callable[[Path], Any]:
    """answering(script): a process that is asked by lines of JSON, and answers each by a number.

    What dies of a question does so in a child of its own; to start a Python for each would take
    most of the time.
    """

    @contextmanager
    def started(script: Path) -> Iterator[Callable[[object], int]]:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def ask(question: object) -> int:
            asked.write(json.dumps(question, default=str) + "\n")
            asked.flush()
            return int(answers.readline())

        yield ask
        asked.close()
        process.wait()
        answers.close()

    return started
