"""Fixtures that point at real material; a test that needs it skips, saying so, where it is not."""

import os
from pathlib import Path

import pytest

pytest.register_assert_rewrite("support")


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


@pytest.fixture
def memory(monkeypatch, tmp_path):
    """memory() -> {name: bytes} of all that is in memory://, empty at first; no lock of others."""
    from fsspec.implementations.memory import MemoryFileSystem

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    return lambda: {name: file.getvalue() for name, file in MemoryFileSystem.store.items()}
