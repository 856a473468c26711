"""The stub corpus, extracted by the stub encoder, into either container."""

import pytest

from support import kept, stub
from support import synthetic as made


@pytest.fixture
def corpus(tmp_path):
    return stub.write_corpus(tmp_path / "corpus")


@pytest.fixture(params=["s.zarr", "s.h5"])
def out(request, tmp_path):
    return tmp_path / request.param


@pytest.fixture
def run(corpus):
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
def url(out):
    return f"memory://some/where/{out.name}"


@pytest.fixture
def rows():
    return made.clips("abcdefghij", emotion="angry")


@pytest.fixture
def at(memory, url):
    """at() -> the bytes of the store at the URL, as `tree` gives those of a local one."""

    def at(place=url):
        root = "/" + place.removeprefix("memory://")
        found = {name: data for name, data in memory().items() if name.startswith(root)}
        return {name.removeprefix(root).lstrip("/"): data for name, data in found.items()}

    return at


@pytest.fixture
def again(run):
    """again(out, root) -> the call that the kept stores of the stub were made by; its encoder."""

    def again(out, root):
        encoder = stub.StubEncoder()
        report = run(out, encoder, root=root, shard_clips=kept.SHARD, allow_errors=1)
        return report, encoder

    return again
