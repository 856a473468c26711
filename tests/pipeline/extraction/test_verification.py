"""--verify: what it compares, what it records, and that it finds an encoder that leaks."""

import sys

import numpy as np
import pytest
import soundfile

from gensr.cli.main import run
from gensr.features.encoders import Encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.store import open_store
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.extraction.verification import relative_errors


class Leaking(Encoder):
    """The standard deviation of a clip, and `leak` times that of the longest in its batch."""

    name = "leaking"
    layers = ("0", "x1")
    width = 3
    equal_lengths = False

    def __init__(self, leak=0.0, dtype="float32"):
        self.leak, self.dtype = leak, dtype
        self.batches = []

    def _encode(self, waveforms):
        self.batches.append(len(waveforms))
        longest = max(waveforms, key=len).std() if len(waveforms) > 1 else 0.0
        vectors = np.ones((len(waveforms), 2, 3), np.float32)
        for vector, wave in zip(vectors, waveforms, strict=True):
            vector[1] *= wave.std() * (1 + self.leak * longest)
        return vectors

    def provenance(self):
        return {"name": self.name, "dtype": self.dtype}


@pytest.fixture
def corpus(tmp_path):
    root = tmp_path / "corpus"
    for number in range(20):
        path = root / ("calm", "angry")[number % 2] / f"{number:02}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).normal(0, 0.1, 2_000 + 7 * number)
        soundfile.write(path, noise, 16_000, subtype="FLOAT")
    return root


def config(**more):
    return ExtractConfig(**{"batch_seconds": 0.6, "shard_clips": 8, "verify": 6} | more)


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_an_exact_encoder_passes_and_the_store_says_so(name, corpus, tmp_path):
    encoder = Leaking()
    found = extract(corpus, tmp_path / name, config(), encoder=encoder).verification
    assert found.clips == 6
    assert encoder.batches[-6:] == [1] * 6
    assert found.batches == len(encoder.batches) - 6 > 3
    assert found.error == 0.0
    assert found.bound == 1e-5
    with open_store(tmp_path / name) as store:
        assert store.header.verification == found.as_json()


def test_a_leak_is_found_and_nothing_is_committed(corpus, tmp_path):
    out = tmp_path / "s.zarr"
    with pytest.raises(EncoderError, match=r"verification failed: .*\.wav, layer x1.* above 1e-05"):
        extract(corpus, out, config(), encoder=Leaking(leak=1e-3))
    with pytest.raises(Exception, match="not finished"):
        open_store(out)
    one_by_one = config(overwrite=True, batch_seconds=0.1)  # as the message says
    report = extract(corpus, out, one_by_one, encoder=Leaking(leak=1e-3))
    assert report.encoded == 20
    assert report.verification.error == 0.0


@pytest.mark.parametrize(
    ("dtype", "leak", "above"),
    [
        ("float32", 0.02, "1e-05"),  # the error is about a tenth of the leak
        ("float16", 0.02, None),
        ("float16", 0.1, "5e-03"),
        ("bfloat16", 0.1, None),
        ("bfloat16", 0.5, "3e-02"),
    ],
)
def test_each_precision_has_its_bound(dtype, leak, above, corpus, tmp_path):
    encoder = Leaking(leak=leak, dtype=dtype)
    if above:
        with pytest.raises(EncoderError, match=f"verification failed: .* above {above}"):
            extract(corpus, tmp_path / "s.zarr", config(), encoder=encoder)
    else:
        found = extract(corpus, tmp_path / "s.zarr", config(), encoder=encoder).verification
        assert leak / 20 < found.error < found.bound


def command(monkeypatch, *arguments):
    """The exit status of `gensr extract --encoder fbank --verify 6`."""
    options = ["--encoder", "fbank", "--verify", "6", "--batch-seconds", "0.6"]
    monkeypatch.setattr(sys, "argv", ["gensr", "extract", *map(str, arguments), *options])
    with pytest.raises(SystemExit) as end:
        run()
    return end.value.code


def test_the_command_says_what_it_found(corpus, tmp_path, monkeypatch, capsys):
    assert not command(monkeypatch, corpus, "--out", tmp_path / "s.zarr")
    _, said = capsys.readouterr().out.strip().splitlines()
    assert said.startswith("verified: 6 clips (extracted in ")
    assert said.endswith("bound 1e-05)")


def test_the_command_fails_where_the_clips_differ(corpus, tmp_path, monkeypatch, capsys):
    loaded = "gensr.pipeline.extraction.local.load_encoder"
    monkeypatch.setattr(loaded, lambda *names, **more: Leaking(leak=1e-3))
    assert command(monkeypatch, corpus, "--out", tmp_path / "s.zarr") == 1
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert said.startswith("gensr: verification failed: ")
    assert "--batch-seconds 0.1" in said


def test_rounding_to_float16_is_no_error(corpus, tmp_path):
    found = extract(
        corpus, tmp_path / "s.zarr", config(store_dtype="float16"), encoder=Leaking()
    ).verification
    assert 0 < found.error < 1e-3


def test_a_finished_store_can_be_verified_later(corpus, tmp_path):
    out = tmp_path / "s.zarr"
    extract(corpus, out, config(verify=0), encoder=Leaking())
    encoder = Leaking()
    report = extract(corpus, out, config(verify=100), encoder=encoder)
    assert (report.encoded, report.skipped) == (0, 20)
    assert encoder.batches == [1] * 20
    assert report.verification.clips == 20
    assert report.verification.batches == 0
    with open_store(out) as store:
        assert store.header.verification["clips"] == 20
    with pytest.raises(EncoderError, match="verification failed"):
        extract(corpus, out, config(), encoder=Scaled())
    with open_store(out) as store:  # the store stays as it was
        assert store.header.verification["clips"] == 20


class Scaled(Leaking):
    def _encode(self, waveforms):
        return super()._encode(waveforms) * np.float32(1.001)


def test_relative_errors():
    alone = np.array([[[3.0, 4.0], [0.0, 0.0], [0.0, 0.0]]], np.float32)
    found = np.array([[[3.0, 4.5], [0.0, 0.0], [0.0, 1.0]]], np.float32)
    np.testing.assert_allclose(relative_errors(found, alone), [[0.1, 0.0, np.inf]])
