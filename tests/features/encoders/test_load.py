"""Every way in which an encoder may not be there: one line, and a way out."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gensr.estimator.errors import GensrError
from gensr.features.encoders import DEFAULT_ENCODER, load_encoder
from support.sounds import noise


def fails(name, **options):
    """The error's line."""
    with pytest.raises(GensrError) as caught:
        load_encoder(str(name), **{"device": "cpu", **options})
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.fixture
def copy(checkpoint, tmp_path):
    """A checkpoint's folder to damage."""
    return lambda kind="hubert-large": Path(shutil.copytree(checkpoint(kind), tmp_path / kind))


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Point the hub's client at an address, with an empty cache."""
    from huggingface_hub import constants

    def point(url):
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))

    return point


@pytest.mark.parametrize(
    "name", ["./nowhere", "/nowhere/at/all", "a/b/c", "models/", "~/nowhere", "~no-such-user/x"]
)
def test_a_path_without_a_folder(name):
    line = fails(name)
    assert "no such folder" in line
    assert "--encoder fbank" in line


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert "is a file" in fails(tmp_path / "model.safetensors")


def test_a_folder_that_holds_no_encoder(tmp_path):
    assert "no config.json" in fails(tmp_path)
    (tmp_path / "config.json").write_text("{")
    assert "not JSON" in fails(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    assert "JSON object" in fails(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    line = fails(tmp_path)
    assert "'bert'" in line
    assert "hubert" in line


def test_missing_weights(copy):
    folder = copy()
    (folder / "model.safetensors").unlink()
    assert "no weights" in fails(folder)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "model-00001-of-00002.safetensors" in fails(folder)


@pytest.mark.parametrize("names", [None, [], "x", 1, {"a": None}, {"a": ["x"]}, {}])
def test_an_index_that_names_no_files(copy, names):
    folder = copy()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    fails(folder)


def test_weights_in_parts_are_those_of_one_file(copy, tmp_path):
    from transformers import AutoModel

    folder = copy()
    whole = load_encoder(str(folder), device="cpu")
    model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    model.save_pretrained(tmp_path / "parts", max_shard_size="50KB")
    shutil.copy(folder / "preprocessor_config.json", tmp_path / "parts")
    assert len(list((tmp_path / "parts").glob("model-*"))) > 1
    parts = load_encoder(str(tmp_path / "parts"), device="cpu")
    clips = noise(5_000)
    np.testing.assert_array_equal(parts.encode(clips), whole.encode(clips))
    assert parts.provenance()["weights_sha256"] != whole.provenance()["weights_sha256"]


@pytest.mark.parametrize("keep", [0, 7, 5_000])
def test_corrupt_weights(copy, keep):
    weights = copy() / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    assert "cannot be loaded" in fails(weights.parent)


def test_weights_that_would_be_random_are_an_error(copy):
    weights = copy() / "model.safetensors"
    tensors = load_file(weights)
    name = "encoder.layers.1.attention.k_proj.weight"
    del tensors[name]
    save_file(tensors, weights, {"format": "pt"})
    line = fails(weights.parent)
    assert "1 tensors are missing" in line
    assert name in line


def test_weights_of_another_shape_are_an_error(copy):
    weights = copy() / "model.safetensors"
    tensors = load_file(weights)
    tensors["encoder.layer_norm.weight"] = torch.ones(31)
    save_file(tensors, weights, {"format": "pt"})
    assert "of another shape" in fails(weights.parent) or "cannot be loaded" in fails(
        weights.parent
    )


def test_a_training_weight_may_be_missing(copy):
    folder = copy()
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("masked_spec_embed")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert load_encoder(str(folder), device="cpu").encode(noise(400)).shape == (1, 4, 32)


def test_an_old_pickle_of_a_task_model_is_read_whole(copy, checkpoint, capfd):
    """As on the hub: `.bin`, the task's prefix and head, weight norm under its old names."""
    folder = copy()
    old = {}
    for name, tensor in load_file(folder / "model.safetensors").items():
        name = name.replace("parametrizations.weight.original0", "weight_g")
        old["hubert." + name.replace("parametrizations.weight.original1", "weight_v")] = tensor
    assert any(name.endswith("conv.weight_g") for name in old)
    (folder / "model.safetensors").unlink()
    torch.save({**old, "lm_head.weight": torch.ones(5, 32)}, folder / "pytorch_model.bin")
    clips = noise(5_000)
    capfd.readouterr()
    found = load_encoder(str(folder), device="cpu").encode(clips)
    assert capfd.readouterr() == ("", "")
    reference = load_encoder(str(checkpoint("hubert-large")), device="cpu").encode(clips)
    np.testing.assert_array_equal(found, reference)


def test_a_pickle_that_runs_code_is_refused(copy, tmp_path):
    folder = copy()
    (folder / "model.safetensors").unlink()
    torch.save({"a": Bomb(tmp_path / "ran")}, folder / "pytorch_model.bin")
    assert "cannot be loaded" in fails(folder)
    assert not (tmp_path / "ran").exists()


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_that_a_checkpoint_brings_is_not_run(copy, tmp_path):
    folder = copy("hubert-large")
    ran = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    assert load_encoder(str(folder), device="cpu").encode(noise(400)).shape == (1, 4, 32)
    assert not ran.exists()


def test_settings_out_of_range(tmp_path):
    assert "dtype is one of" in fails("fbank", dtype="int8")
    assert "float32" in fails("fbank", dtype="float16")
    assert "no revisions" in fails("fbank", revision="main")
    assert "context is one of" in fails("fbank", context="half")
    assert "which has no revision, not 'main'" in fails(tmp_path, revision="main")
    assert "no device is called 'gpu'" in fails(tmp_path, device="gpu")
    assert "is not there" in fails(tmp_path, device="cuda:99")


def test_the_hub_refuses_the_connection(hub):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    hub(f"http://127.0.0.1:{port}")
    line = fails(DEFAULT_ENCODER)
    assert "cannot be reached" in line
    assert "--encoder fbank" in line


def test_a_hub_that_never_answers_is_given_up(hub, monkeypatch):
    from gensr.features.encoders import resolve

    monkeypatch.setattr(resolve, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts, says nothing
        hub(f"http://127.0.0.1:{server.getsockname()[1]}")
        started = time.monotonic()
        assert "cannot be reached" in fails("some/encoder")
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("RepoNotFound", "neither a folder here nor a model on the hub"),
        ("RevisionNotFound", "no revision 'v9'"),
        ("GatedRepo", "accept its terms"),
    ],
)
def test_the_hub_says_no(hub, code, words):
    with socket.create_server(("127.0.0.1", 0)) as server:
        status = "403 Forbidden" if code == "GatedRepo" else "404 Not Found"
        reply = f"HTTP/1.1 {status}\r\nX-Error-Code: {code}\r\nContent-Length: 0\r\n\r\n"
        thread = threading.Thread(target=_answer, args=(server, reply.encode()))
        thread.start()
        hub(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert words in fails("some/encoder", revision="v9")
        thread.join()


def _answer(server, reply):
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(reply)


def test_an_encoder_in_the_cache_needs_no_network(hub, checkpoint, tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    hub("http://127.0.0.1:9")
    model = tmp_path / "cache" / "models--some--encoder"
    shutil.copytree(checkpoint("hubert-large"), model / "snapshots" / commit)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(commit)
    for revision in (None, commit):
        encoder = load_encoder("some/encoder", revision=revision, device="cpu")
        assert encoder.provenance()["revision"] == commit
        assert encoder.name == "some/encoder"
        assert encoder.encode(noise(400)).shape == (1, 4, 32)


def test_fbank_needs_no_transformers():
    code = """
import sys
import gensr.features.encoders
assert "torch" not in sys.modules
import gensr.features.hearing.decode
assert "torch" not in sys.modules
import numpy
encoder = gensr.features.encoders.load_encoder("fbank")
encoder.encode([numpy.ones(400, "f4")])
assert "torch" in sys.modules and "transformers" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (["model.safetensors", "pytorch_model.bin"], "model*.safetensors"),
        (["fairseq.pt", "pytorch_model.bin"], "pytorch_model*.bin"),
        (
            ["model.fp16.safetensors", "models/a.safetensors", "pytorch_model.bin"],
            "pytorch_model*.bin",
        ),
    ],
)
def test_a_download_takes_one_kind_of_weights_at_the_commit_the_hub_names(
    monkeypatch, checkpoint, files, wanted
):
    import huggingface_hub

    asked = {}

    def download(name, **options):
        asked.update(options, name=name)
        return str(checkpoint("hubert-large"))

    siblings = [SimpleNamespace(rfilename=file) for file in [*files, "config.json"]]
    found = SimpleNamespace(sha="c0ffee", siblings=siblings)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *args, **options: found)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    encoder = load_encoder("some/encoder", device="cpu")
    assert encoder.provenance()["revision"] == asked["revision"] == "c0ffee"
    assert wanted in asked["allow_patterns"]
    assert "config.json" in asked["allow_patterns"]
    assert (
        len([kind for kind in asked["allow_patterns"] if kind.endswith((".bin", "tensors"))]) == 1
    )

    def break_off(name, **options):
        raise ConnectionError("reset\nby peer")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", break_off)
    assert "broke off (reset by peer)" in fails("some/encoder")
