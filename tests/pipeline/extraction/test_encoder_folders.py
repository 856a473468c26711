"""Where a local encoder was is remembered by the machine, and by nothing that is passed on."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from gensr.estimator.errors import RunError
from gensr.features.store import open_store
from gensr.pipeline.extraction.encoder_folders import recall, remember
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.use.predict import predict
from support.checkpoints import save_checkpoint

ABOUT = {"weights_sha256": "a" * 64, "config_sha256": "b" * 64}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/gensr/encoders"


def test_a_folder_is_found_again_by_the_hashes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", os.fsdecode(b"tw\xff"), "line\nend"):
        Path(name).mkdir()
        remember(ABOUT, Path(name))
        assert recall(ABOUT) == tmp_path / name
    assert recall(ABOUT | {"weights_sha256": "c" * 64}) is None
    Path("line\nend").rmdir()
    assert recall(ABOUT) is None


def test_an_encoder_without_hashes_is_nowhere(tmp_path, cache):
    remember({"weights_sha256": None}, tmp_path)
    remember({}, tmp_path)
    assert not cache.exists()
    assert recall({}) is None


def test_a_home_that_cannot_be_written_is_no_fault(tmp_path, cache):
    cache.parent.parent.write_text("a file")
    remember(ABOUT, tmp_path)
    assert recall(ABOUT) is None


def test_a_cache_is_no_part_of_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    remember(ABOUT, tmp_path)
    assert recall(ABOUT) == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@given(content=st.binary(max_size=100))
def test_a_note_of_garbage_is_none(content, tmp_path_factory):
    root = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(root))
        remember(ABOUT, root)
        (note,) = (root / "gensr/encoders").iterdir()
        note.write_bytes(content)
        found = recall(ABOUT)
    assert found is None or found.is_dir()


@pytest.fixture
def local(tmp_path):
    """A small encoder in a folder of its own."""
    save_checkpoint("wav2vec2-base", tmp_path / "models/small")
    return tmp_path / "models/small"


def trained(fit, corpus, local, tmp_path, **more):
    config = ExtractConfig(encoder=str(local), device="cpu", **more)
    extract(corpus, tmp_path / "s.zarr", config)
    return fit(tmp_path / "run", tmp_path / "s.zarr", fold="none", steps=1, settings=None).run


def test_predict_needs_no_encoder_while_it_is_there(fit, corpus, local, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = trained(fit, corpus, local.relative_to(tmp_path), tmp_path)
    for file in ("s.zarr/zarr.json", "run/config.json"):
        assert "models" not in (tmp_path / file).read_text()
    assert len(predict([corpus / "DC/sad-0.wav"], run, device="cpu").rows) == 1
    moved = Path(shutil.move(local, tmp_path / "moved"))
    with pytest.raises(RunError, match=r"needs the encoder small, .*not where it was.*--encoder"):
        predict([corpus / "DC/sad-0.wav"], run, device="cpu")
    asked = predict([corpus / "DC/sad-0.wav"], run, encoder=str(moved), device="cpu")
    assert len(asked.rows) == 1
    again = predict([corpus / "DC/sad-0.wav"], run, device="cpu")
    assert again.rows == asked.rows


def test_other_weights_in_that_folder_are_one_line(fit, corpus, local, tmp_path):
    run = trained(fit, corpus, local, tmp_path)
    weights = load_file(local / "model.safetensors")
    weights["encoder.layer_norm.weight"] += torch.ones(())
    save_file(weights, local / "model.safetensors", {"format": "pt"})
    with pytest.raises(RunError, match=r"another encoder \(encoder\.weights_sha256: .* in .*small"):
        predict([corpus / "DC/sad-0.wav"], run, device="cpu")


@pytest.mark.slow
def test_so_it_is_after_an_extraction_by_workers(fit, corpus, local, tmp_path):
    run = trained(fit, corpus, local, tmp_path, workers=1)
    assert len(predict([corpus / "DC/sad-0.wav"], run, device="cpu").rows) == 1


def test_a_renamed_folder_goes_on_with_the_store_under_its_first_name(corpus, local, tmp_path):
    few = tmp_path / "few"
    shutil.copytree(corpus / "DC", few / "DC")
    config = {"device": "cpu", "shard_clips": 4}
    extract(few, tmp_path / "s.zarr", ExtractConfig(encoder=str(local), **config))
    renamed = local.rename(local.with_name("other"))
    shutil.copytree(corpus / "JE", few / "JE")
    report = extract(few, tmp_path / "s.zarr", ExtractConfig(encoder=str(renamed), **config))
    assert (report.encoded, report.clips) == (9, 18)
    with open_store(tmp_path / "s.zarr") as store:
        assert store.header.encoder["name"] == "small"
    assert json.loads((tmp_path / "s.zarr/zarr.json").read_text())
