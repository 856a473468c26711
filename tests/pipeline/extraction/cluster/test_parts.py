"""Parts of files on workers: the bytes that one process writes."""

import numpy as np
import pytest
import soundfile

from gensr.pipeline.extraction.extract import ExtractConfig, extract
from support import stub
from support.trees import tree


@pytest.fixture
def talks(tmp_path):
    root = tmp_path / "talks"
    root.mkdir()
    for seed, name in enumerate(("a.wav", "b.flac", "c.mp3")):
        noise = np.random.default_rng(seed).normal(0, 0.1, 24_000)
        soundfile.write(root / name, noise, 16_000)
    lines = [f"{name},{k / 8},{k / 8 + 0.2},sad" for name in ("a.wav", "b.flac") for k in range(5)]
    lines += ["c.mp3,0.25,0.5,joy", "c.mp3,,,joy", "c.mp3,0.5,7,joy"]
    (root / "manifest.csv").write_text("file,start,end,emotion\n" + "\n".join(lines))
    return root


def test_workers_write_the_same_store(talks, tmp_path, settings):
    alone, there = tmp_path / "alone.zarr", tmp_path / "there.zarr"
    here = extract(talks, alone, settings(), encoder=stub.StubEncoder())
    report = extract(talks, there, settings(workers=2), encoder=stub.StubEncoder())
    assert report.encoded == here.encoded == 12
    assert [problem.path for problem in report.failed] == ["c.mp3#t=0.5,7"]
    assert tree(there) == tree(alone)


@pytest.mark.slow
def test_workers_that_listen_too(talks, tmp_path, scheduler):
    scheduler.worker("one")
    config = {"encoder": "fbank", "shard_clips": 4, "allow_errors": 1}
    extract(talks, tmp_path / "alone.zarr", ExtractConfig(**config))
    extract(talks, tmp_path / "s.zarr", ExtractConfig(**config, cluster=scheduler.address))
    assert tree(tmp_path / "s.zarr") == tree(tmp_path / "alone.zarr")
