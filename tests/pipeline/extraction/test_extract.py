"""The stage as a function: settings, order of work, progress, and what it reports."""

import subprocess
import sys
import threading
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from gensr.estimator.errors import ConfigError
from gensr.features.corpora.errors import CorpusError
from gensr.features.encoders import Encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.hearing.survey import survey
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.shard_writer import ShardWriter
from gensr.pipeline.extraction import extract as stage
from gensr.pipeline.extraction import local
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.extraction.settings import settings_of
from support.told import Told


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
    assert [name for name, _ in told.stages] == ["survey", "encode", "convert"]
    assert told.units == [clips for _, clips in told.stages] == [13, 12, 12]
    assert told.promised[1] == pytest.approx(seconds) == pytest.approx(told.seconds[1])
    again = extract(
        corpus, tmp_path / "s.h5", ExtractConfig(shard_clips=5, allow_errors=1), encoder=encoder
    )
    assert again.ok
    assert (again.encoded, again.skipped, again.encoded_seconds) == (0, 12, 0.0)


def test_a_shard_is_written_while_the_next_is_encoded(corpus, tmp_path, monkeypatch):
    """Here writing goes on only when it is: one after the other, they would be stuck."""
    begun = threading.Event()
    write = ShardWriter.write

    class Notes(Lengths):
        def _encode(self, waveforms):
            if self.batches:
                begun.set()
            return super()._encode(waveforms)

    def waits(self, shard, rows):
        assert begun.wait(60)
        write(self, shard, rows)

    monkeypatch.setattr(ShardWriter, "write", waits)
    config = ExtractConfig(encoder="lengths", shard_clips=6)
    assert extract(corpus, tmp_path / "s.zarr", config, encoder=Notes()).encoded == 12


def test_where_memory_runs_out_the_advice_can_be_followed(corpus, tmp_path):
    """What it advises is another plan, so it says --overwrite."""

    class Greedy(Lengths):
        def _encode(self, waveforms):
            if len(waveforms) > 2:
                np.zeros(2**58, np.uint8)
            return super()._encode(waveforms)

    out = tmp_path / "s.zarr"
    with pytest.raises(EncoderError, match=r"out of memory while lengths .* --overwrite with"):
        extract(corpus, out, ExtractConfig(encoder="lengths"), encoder=Greedy())
    smaller = ExtractConfig(encoder="lengths", batch_seconds=0.1, overwrite=True)
    assert extract(corpus, out, smaller, encoder=Greedy()).encoded == 12


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


def test_long_clips_are_cut_into_windows(corpus, tmp_path):
    soundfile.write(
        corpus / "calm/long.wav", np.random.default_rng(1).normal(0, 0.1, 50_000), 16_000
    )
    encoder = Lengths()
    extract(corpus, tmp_path / "s.zarr", ExtractConfig(max_seconds=1), encoder=encoder)
    assert max(length for batch in encoder.batches for length in batch) == 16_000
    with open_store(tmp_path / "s.zarr") as store:
        row = store.table["path"].tolist().index("calm/long.wav")
        windows = {16_000: 49 + 49, 9_920: 30, 8_080: 25}  # samples: frames
        mean = sum(n * frames for n, frames in windows.items()) / sum(windows.values())
        assert store.vectors([row])[0, 0, 0] == pytest.approx(mean)
        assert store.table["samples"][row] == 50_000
        assert store.attributes["encoder"]["max_seconds"] == 1.0
    with pytest.raises(StoreError, match=r"encoder\.max_seconds: 1\.0 there, 30\.0 here"):
        extract(corpus, tmp_path / "s.zarr", ExtractConfig(), encoder=encoder)


def test_an_encoders_own_limit_is_kept(corpus, tmp_path):
    soundfile.write(corpus / "calm/long.wav", np.linspace(-0.1, 0.1, 5_000), 16_000)
    encoder = Lengths()
    encoder.max_samples = 3_300
    extract(corpus, tmp_path / "s.zarr", ExtractConfig(), encoder=encoder)
    assert max(length for batch in encoder.batches for length in batch) == 3_200  # whole frames
    with open_store(tmp_path / "s.zarr") as store:
        assert store.attributes["encoder"]["max_seconds"] == 0.2


def test_half_the_bytes_on_demand(corpus, tmp_path):
    half = ExtractConfig(store_dtype="float16")
    extract(corpus, tmp_path / "half.zarr", half, encoder=Lengths())
    extract(corpus, tmp_path / "whole.zarr", ExtractConfig(), encoder=Lengths())
    with open_store(tmp_path / "half.zarr") as one, open_store(tmp_path / "whole.zarr") as other:
        assert one.vectors().dtype == np.float32
        np.testing.assert_array_equal(one.vectors(), other.vectors().astype(np.float16))


def test_a_corpus_without_usable_audio_writes_nothing(tmp_path):
    (tmp_path / "corpus/calm").mkdir(parents=True)
    (tmp_path / "corpus/calm/a.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"none of 1 clips can be used.*calm/a.wav: empty"):
        extract(tmp_path / "corpus", tmp_path / "s.zarr", ExtractConfig(), encoder=Lengths())
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.parametrize("change", ["rewritten", "removed"])
def test_a_file_that_changes_after_the_survey_is_named(change, corpus, tmp_path, monkeypatch):
    file = corpus / "angry/03.wav"

    def then_changed(*args, **kwargs):
        result = survey(*args, **kwargs)
        if change == "removed":
            file.unlink()
        else:
            soundfile.write(file, np.linspace(-0.5, 0.5, 1000), 16_000, subtype="FLOAT")
        return result

    monkeypatch.setattr(stage, "survey", then_changed)
    why = {
        "removed": "cannot be read: no such file",
        "rewritten": "changed while it was read: .*changed since",
    }
    with pytest.raises(StoreError, match=rf"angry/03\.wav {why[change]}"):
        extract(corpus, tmp_path / "s.zarr", ExtractConfig(), encoder=Lengths())


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": ""},
        {"batch_seconds": 0.0},
        {"batch_seconds": float("nan")},
        {"shard_clips": 0},
        {"allow_errors": -1},
        {"max_seconds": 0.5},
        {"store_dtype": "bfloat16"},
        {"verify": -1},
        {"workers": 0},
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

    monkeypatch.setattr(local, "load_encoder", load)
    config = ExtractConfig(
        encoder="x", revision="r", device="cpu", dtype="bfloat16", context="clip", allow_slow=True
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
        "from gensr.pipeline.extraction.extract import ExtractConfig, extract\n"
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


class Nameless(Lengths):
    """An encoder of one's own that says of itself what it is told to."""

    def __init__(self, **says):
        super().__init__()
        self.says = says

    def provenance(self):
        return self.says


@pytest.mark.parametrize("says", [{}, {"family": "mine"}, {"dtype": "int8"}, {"dtype": ["x"]}])
def test_an_encoder_of_ones_own_may_say_little_of_itself(says, corpus, tmp_path):
    config = ExtractConfig(verify=2)
    report = extract(corpus, tmp_path / "s.zarr", config, encoder=Nameless(**says))
    assert report.verification.bound == 1e-5
    with open_store(tmp_path / "s.zarr") as store:
        assert store.header.encoder == {**says, "name": Lengths.name, "max_seconds": 30.0}


@pytest.mark.parametrize("name", ["", 3, None, ["x"]])
def test_an_encoder_without_a_name_is_refused(name, corpus, tmp_path):
    with pytest.raises(EncoderError, match="give it a name"):
        extract(corpus, tmp_path / "s.zarr", ExtractConfig(), encoder=Nameless(name=name))


def test_an_encoder_on_no_kind_of_device_is_refused(corpus, tmp_path):
    encoder = Lengths()
    encoder.device = "cuda:0"
    with pytest.raises(EncoderError, match="'cuda:0'; its `device` is the kind alone"):
        extract(corpus, tmp_path / "s.zarr", ExtractConfig(), encoder=encoder)


@pytest.mark.parametrize(
    ("device", "own", "batch", "shard"),
    [("cpu", None, 5.0, 256), ("cuda", None, 100.0, 2048), ("cuda", 800.0, 800.0, 2048)],
)
def test_batches_and_shards_are_as_the_device_likes_them(device, own, batch, shard):
    encoder = Lengths()
    encoder.device, encoder.batch_seconds = device, own
    settings = settings_of(encoder, ExtractConfig())
    assert (settings.batch_seconds, settings.shard_clips) == (batch, shard)
    asked = settings_of(encoder, ExtractConfig(batch_seconds=7.0, shard_clips=9))
    assert (asked.batch_seconds, asked.shard_clips) == (7.0, 9)


def test_a_store_keeps_the_size_of_its_shards_when_none_is_said(corpus, tmp_path):
    out = tmp_path / "s.zarr"
    late = corpus / "calm" / "00.wav"
    samples = late.read_bytes()
    late.unlink()
    extract(corpus, out, ExtractConfig(shard_clips=5), encoder=Lengths())
    late.write_bytes(samples)
    assert extract(corpus, out, ExtractConfig(), encoder=Lengths()).encoded == 1
    with open_store(out) as store:
        assert store.header.shard_clips == 5
    with pytest.raises(StoreError, match="shard_clips"):
        extract(corpus, out, ExtractConfig(shard_clips=6), encoder=Lengths())
    extract(corpus, out, ExtractConfig(overwrite=True), encoder=Lengths())
    with open_store(out) as store:
        assert store.header.shard_clips == 256
