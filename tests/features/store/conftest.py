from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def stub(load_helper) -> ModuleType:
    """stub.py as a module: a stub encoder, a stub corpus."""
    module: ModuleType = load_helper(Path(__file__).with_name("stub.py"))
    return module


@pytest.fixture
def corpus(stub, tmp_path):
    return stub.write_corpus(tmp_path / "corpus")


@pytest.fixture(params=["s.zarr", "s.h5"])
def out(request, tmp_path):
    return tmp_path / request.param


@pytest.fixture
def run(stub, corpus):
    """Extract the stub corpus: run(out, encoder=..., root=..., **config) -> report."""
    from gensr.pipeline.extraction.extract import ExtractConfig, extract

    def run(out, encoder=None, root=corpus, progress=None, **config):
        settings = {"encoder": "stub", "shard_clips": 4, "batch_seconds": 0.2} | config
        return extract(
            root,
            out,
            ExtractConfig(**settings),
            encoder=encoder or stub.StubEncoder(),
            progress=progress,
        )

    return run


@pytest.fixture
def tree():
    """All bytes of a store: {file: bytes}, no matter the container."""

    def tree(path):
        if path.is_file():
            return {"": path.read_bytes()}
        return {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in path.rglob("*")
            if file.is_file()
        }

    return tree


@pytest.fixture(scope="session")
def made(load_helper) -> ModuleType:
    """synthetic.py as a module: stores without audio."""
    module: ModuleType = load_helper(Path(__file__).with_name("synthetic.py"))
    return module
