"""The stage as a function: settings, order of work, progress, and what it reports."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from gensr.estimator.errors import ConfigError, CorpusError, EncoderError, StoreError
from gensr.features.audio import read_audio
from gensr.features.encoders import Encoder
from gensr.features.store import open_store
from gensr.pipeline import extract as stage
from gensr.pipeline.extract import ExtractConfig, extract


class Lengths(Encoder):
    """Says how long a clip is, and with how many it was."""

    name = "lengths"
    layers = ("x1",)
    width = 2
    equal_lengths = False

    def __init__(self, *, equal_lengths=False):
        self.equal_lengths = equal_lengths
        self.batches = []

    def _encode(self, waveforms):
        self.batches.append([len(wave) for wave in waveforms])
        rows = [[[len(wave), wave[0]]] for wave in waveforms]
        return np.array(rows, np.float32)

    def provenance(self):
        return {"name": self.name}


class Told:
    def __init__(self):
        self.stages, self.clips, self.seconds = [], [], []

    def stage(self, name, clips, seconds=0.0):
        self.stages.append((name, clips, seconds))
        self.clips.append(0)
        self.seconds.append(0.0)

    def advance(self, clips, seconds=0.0):
        self.clips[-1] += clips
        self.seconds[-1] += seconds


@pytest.fixture
def corpus(tmp_path):
    root = tmp_path / "corpus"
    for number in range(12):
        path = root / ("calm", "angry")[number % 2] / f"{number:02}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).normal(0, 0.1, 1000 + 10 * (number % 5))
        soundfile.write(path, noise, 16_000, subtype="FLOAT")
    return root


def test_report_and_progress(corpus, tmp_path):
    (corpus / "calm/bad.wav").write_bytes(b"not audio")
    told = Told()
    encoder = Lengths()
    report = extract(
        corpus, tmp_path / "s.h5", ExtractConfig(shard_clips=5), encoder=encoder, progress=told
    )
    seconds = sum(map(sum, encoder.batches)) / 16_000
    assert (report.clips, report.encoded, report.copied, report.skipped) == (12, 12, 0, 0)
    assert (report.shards, report.out) == (3, tmp_path / "s.h5")
    assert report.seconds == report.encoded_seconds == pytest.approx(seconds)
    assert [problem.path for problem in report.failed] == ["calm/bad.wav"]
    assert not report.ok
    assert [name for name, _, _ in told.stages] == ["survey", "encode", "convert"]
    assert told.clips == [clips for _, clips, _ in told.stages] == [13, 12, 12]
    assert told.stages[1][2] == pytest.approx(seconds) == pytest.approx(told.seconds[1])
    again = extract(
        corpus, tmp_path / "s.h5", ExtractConfig(shard_clips=5, allow_errors=1), encoder=encoder
    )
    assert again.ok
    assert (again.encoded, again.skipped, again.encoded_seconds) == (0, 12, 0.0)


def test_batches_are_sorted_by_length_within_a_shard(corpus, tmp_path):
    encoder = Lengths()
    config = ExtractConfig(shard_clips=6, batch_seconds=0.2)
    extract(corpus, tmp_path / "s.zarr", config, encoder=encoder)
    assert sum(map(len, encoder.batches)) == 12
    for batch in encoder.batches:
        assert len(batch) * max(batch) <= 0.2 * 16_000
    first = [length for batch in encoder.batches for length in batch][:6]
    assert all(a <= b for a, b in pairwise(first))
    with open_store(tmp_path / "s.zarr") as store:
        np.testing.assert_array_equal(store.vectors()[:, 0, 0], store.table["samples"])


def test_encoders_that_ask_for_equal_lengths_get_them(corpus, tmp_path):
    encoder = Lengths(equal_lengths=True)
    extract(corpus, tmp_path / "s.zarr", ExtractConfig(), encoder=encoder)
    assert all(len(set(batch)) == 1 for batch in encoder.batches)
    assert max(map(len, encoder.batches)) > 1


def test_a_corpus_without_usable_audio_writes_nothing(tmp_path):
    (tmp_path / "corpus/calm").mkdir(parents=True)
    (tmp_path / "corpus/calm/a.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"none of 1 clips can be used.*calm/a.wav: empty"):
        extract(tmp_path / "corpus", tmp_path / "s.zarr", ExtractConfig(), encoder=Lengths())
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_file_that_changes_meanwhile_is_named(corpus, tmp_path, monkeypatch):
    def changing(path):
        if path.name == "03.wav":
            soundfile.write(path, np.linspace(-0.5, 0.5, 1000), 16_000, subtype="FLOAT")
        return read_audio(path)

    monkeypatch.setattr(stage, "survey", _after_survey(changing, stage.survey, monkeypatch))
    with pytest.raises(StoreError, match=r"angry/03\.wav changed while it was read"):
        extract(corpus, tmp_path / "s.zarr", ExtractConfig(), encoder=Lengths())


def test_a_file_that_vanishes_meanwhile_is_named(corpus, tmp_path, monkeypatch):
    def vanishing(path):
        if path.name == "03.wav":
            path.unlink()
        return read_audio(path)

    monkeypatch.setattr(stage, "survey", _after_survey(vanishing, stage.survey, monkeypatch))
    with pytest.raises(StoreError, match=r"angry/03\.wav changed while it was read: no such file"):
        extract(corpus, tmp_path / "s.zarr", ExtractConfig(), encoder=Lengths())


def _after_survey(read, survey, monkeypatch):
    def surveyed(*args, **kwargs):
        result = survey(*args, **kwargs)
        monkeypatch.setattr(stage, "read_audio", read)
        return result

    return surveyed


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": ""},
        {"batch_seconds": 0.0},
        {"batch_seconds": float("nan")},
        {"shard_clips": 0},
        {"allow_errors": -1},
    ],
)
def test_settings_out_of_range(settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        ExtractConfig(**settings)


def test_the_encoder_is_loaded_as_the_settings_say(corpus, tmp_path, monkeypatch):
    asked = {}

    def load(name, **settings):
        asked.update(settings, name=name)
        raise EncoderError("stop here")

    monkeypatch.setattr(stage, "load_encoder", load)
    config = ExtractConfig(
        encoder="x", revision="r", device="cpu", dtype="bfloat16", context="clip"
    )
    with pytest.raises(EncoderError):
        extract(corpus, tmp_path / "s.zarr", config)
    assert asked == {
        "name": "x",
        "revision": "r",
        "device": "cpu",
        "dtype": "bfloat16",
        "context": "clip",
    }
    assert not (tmp_path / "s.zarr.work").exists()


def test_fbank_end_to_end_without_transformers(corpus, tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from gensr.pipeline.extract import ExtractConfig, extract\n"
        "assert 'torch' not in sys.modules\n"
        "report = extract(Path(sys.argv[1]), Path(sys.argv[2]), ExtractConfig(encoder='fbank'))\n"
        "print(report.encoded, 'transformers' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(corpus), str(tmp_path / "s.zarr")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "12 False\n"
    with open_store(tmp_path / "s.zarr") as store:
        assert store.attributes["encoder"]["name"] == "fbank"
        assert np.isfinite(store.vectors()).all()
