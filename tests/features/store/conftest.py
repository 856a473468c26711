"""The stub corpus, extracted by the stub encoder, into either container."""

import pytest

from support import stub


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
