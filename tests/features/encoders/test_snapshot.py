"""A hub id, the hub's snapshot of it as a folder, a copy of that: one encoder."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gensr.features.encoders import load_encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.same_encoder import differences

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def snapshot(checkpoint, tmp_path, monkeypatch):
    """The hub's cache with one encoder in it, and no hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    model = tmp_path / "cache/models--some--en-coder"
    shutil.copytree(checkpoint("hubert-base"), model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    (model / "refs/main").write_text(COMMIT)
    return model / "snapshots" / COMMIT


def test_a_snapshot_is_named_as_the_hub_names_it(snapshot, tmp_path, monkeypatch):
    by_id = load_encoder("some/en-coder", device="cpu").provenance()
    assert (by_id["name"], by_id["revision"]) == ("some/en-coder", COMMIT)
    assert load_encoder(str(snapshot), device="cpu").provenance() == by_id
    assert load_encoder(str(snapshot), revision=COMMIT, device="cpu").provenance() == by_id
    (tmp_path / "link").symlink_to(snapshot)
    assert load_encoder(str(tmp_path / "link"), device="cpu").provenance() == by_id
    monkeypatch.chdir(snapshot)
    assert load_encoder(".", device="cpu").provenance() == by_id
    with pytest.raises(EncoderError, match=rf"is revision {COMMIT}, not 'main'"):
        load_encoder(str(snapshot), revision="main", device="cpu")


def test_a_copy_is_the_same_encoder_by_another_name(snapshot, tmp_path):
    by_id = load_encoder(str(snapshot), device="cpu").provenance()
    copy = load_encoder(str(shutil.copytree(snapshot, tmp_path / "mine")), device="cpu")
    assert (copy.provenance()["name"], copy.provenance()["revision"]) == ("mine", None)
    assert differences({"encoder": by_id}, {"encoder": copy.provenance()}) == []


@pytest.mark.parametrize(
    "path",
    [
        f"models--some--en-coder/other/{COMMIT}",
        f"some--en-coder/snapshots/{COMMIT}",
        "models--some--en-coder/snapshots/main",
        f"models--/snapshots/{COMMIT}",
        f"models--a--b--c/snapshots/{COMMIT}",
    ],
)
def test_what_only_looks_like_a_snapshot_keeps_its_name(path, checkpoint, tmp_path):
    folder = Path(shutil.copytree(checkpoint("hubert-base"), tmp_path / path))
    about = load_encoder(str(folder), device="cpu").provenance()
    assert (about["name"], about["revision"]) == (folder.name, None)


class Hub(BaseHTTPRequestHandler):
    """A hub that has one file of the encoder, and counts what it is asked for."""

    content = json.dumps({"feature_extractor": {"do_normalize": True}}).encode()
    asked: list[str]

    def do_HEAD(self):
        self.asked.append(self.path)
        there = self.path.endswith("/processor_config.json")
        self.send_response(200 if there else 404)
        self.send_header("X-Repo-Commit", COMMIT)
        if there:
            self.send_header("ETag", '"abc"')
            self.send_header("Content-Length", str(len(self.content)))
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        if self.path.endswith("/processor_config.json"):
            self.wfile.write(self.content)

    def log_message(self, *words):
        pass


def test_a_snapshot_of_an_earlier_version_is_completed_once(snapshot, monkeypatch):
    """It was fetched without processor_config.json, which decides the normalisation."""
    from huggingface_hub import constants

    Hub.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        try:
            found = load_encoder("some/en-coder", revision=COMMIT, device="cpu").provenance()
            first = len(Hub.asked)
            again = load_encoder("some/en-coder", revision=COMMIT, device="cpu").provenance()
        finally:
            server.shutdown()
            thread.join()
    assert "unit variance over the clip (processor_config.json)" in str(found)
    assert again == found
    assert len(Hub.asked) == first
    assert any("adapter_config.json" in path for path in Hub.asked)
