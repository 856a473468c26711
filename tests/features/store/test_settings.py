"""Settings as a type: what a plan keeps of them is what earlier versions kept."""

import hashlib
import json

from gensr.pipeline.extraction.config import ExtractConfig
from gensr.pipeline.extraction.settings import ExtractionSettings, settings_of
from support import stub
from support import synthetic as made

NAMES = ["encoder", "layers", "width", "dtype", "preprocessing", "shard_clips"]
MORE = ["batch_seconds", "longest", "equal_lengths"]


def test_a_plan_is_written_as_before(tmp_path):
    out = tmp_path / "s.zarr"
    with made.started(out, made.clips("abc")) as (job, planned):
        written = json.loads((tmp_path / "s.zarr.work/plan.json").read_bytes())
    assert [*written] == ["id", "mode", "settings", "base", "clips", "clips_hash"]
    assert written["mode"] == "fresh"
    assert [*written["settings"]] == NAMES
    assert job.writer.plan_id == written.pop("id") == hashed(written)
    assert written["settings"] == planned.settings.as_plain()


def hashed(plan):
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def test_settings_survive_a_plan():
    """Whatever an encoder tells of itself: a resumed run compares what JSON gives back."""

    class Encoder(stub.StubEncoder):
        def provenance(self):
            return {**super().provenance(), "layers": (1, 2), "heads": {3: None}}

    settings = settings_of(Encoder(), ExtractConfig(batch_seconds=5, shard_clips=4))
    text = json.dumps(settings.as_plain())
    assert [*json.loads(text)] == NAMES + MORE
    assert ExtractionSettings.from_plain(json.loads(text)) == settings
    assert settings.encoder["layers"] == [1, 2]
    assert json.loads(text)["batch_seconds"] == 5
    assert '"batch_seconds": 5,' in text  # as it was given
