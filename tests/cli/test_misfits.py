"""Runs, stores and encoders that are whole, but do not belong together: one line says which."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from support import tones


@pytest.fixture
def other(gensr, here):
    root = tones.write_corpus(here / "other", sentences=2)
    gensr("extract", root, "--encoder", "fbank", "--out", "other.zarr").ok()
    return "other.zarr"


def test_a_run_does_not_go_on_with_another_store(home, gensr, other):
    run = home / "runs/gen-ser"
    call = ("train", other, "--run", run, "--model", "gen-ser", "--resume", "--steps", 8)
    assert "store hashes" in gensr(*call, "--config", home / "tiny.toml").complaint


def test_a_store_that_is_gone(home, here, gensr):
    said = gensr("eval", home / "runs/gen-ser", "--store", "gone.zarr").complaint
    assert "gone.zarr does not exist; `gensr extract CORPUS --out gone.zarr` makes it" in said


@pytest.mark.parametrize("command", ["train", "info"])
def test_a_folder_that_is_no_store(command, home, here, gensr):
    (here / "photos.zarr").mkdir()
    said = gensr(command, "photos.zarr").complaint
    assert "photos.zarr is not a gensr store; `gensr extract` makes one" in said


def test_a_damaged_store(home, here, gensr):
    shutil.copytree(home / "tones.zarr", "s.zarr")
    for chunk in Path("s.zarr/vectors/c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"damaged")
    assert "s.zarr" in gensr("train", "s.zarr", "--run", "r").complaint
    Path("s.zarr/zarr.json").write_text("{")
    assert "s.zarr" in gensr("train", "s.zarr", "--run", "r").complaint


def test_vectors_of_two_encoders(home, here, gensr):
    from gensr.features.encoders import Encoder
    from gensr.pipeline.extraction.extract import ExtractConfig, extract

    class Stub(Encoder):
        name, layers, width, equal_lengths = "stub", ("a", "x1"), 4, False

        def _encode(self, waveforms):
            return np.ones((len(waveforms), 2, 4), np.float32)

        def provenance(self):
            return {"name": "stub", "family": "stub"}

    extract(home / "corpus", here / "stub.zarr", ExtractConfig(), encoder=Stub())
    said = gensr("train", home / "tones.zarr", "stub.zarr", "--run", "r").complaint
    assert "were not made alike (encoder: 'fbank' in" in said
    said = gensr("extract", home / "corpus", "--encoder", "fbank", "--out", "stub.zarr")
    assert "stub.zarr" in said.complaint
