import json

import numpy as np
import pytest
import torch

from gensr.features.encoders import load_encoder
from gensr.features.encoders.band_statistics import percentiles, slopes
from gensr.features.encoders.log_mel import log_mel_bands
from support.contracts.encoder import EncoderContract
from support.sounds import noise


@pytest.fixture(scope="module")
def fbank():
    return load_encoder("fbank")


class TestFbank(EncoderContract):
    bound = 0.0

    @pytest.fixture
    def encoder(self, fbank):
        return fbank


def row(encoder, vectors, name):
    return vectors[:, encoder.layers.index(name)]


def test_x1_is_the_mean_of_the_bands(fbank):
    (clip,) = noise(8_000)
    bands = log_mel_bands(clip).numpy()
    assert bands.shape == ((8_000 - 400) // 160 + 1, 80) == (fbank.frames(8_000), 80)
    vectors = fbank.encode([clip])
    assert fbank.layers[-1] == "mean"
    np.testing.assert_allclose(vectors[0, -1], bands.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(row(fbank, vectors, "std")[0], bands.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose(row(fbank, vectors, "p50")[0], np.median(bands, axis=0), rtol=1e-5)


def test_a_single_frame_neither_swings_nor_changes(fbank):
    vectors = fbank.encode(noise(400))
    for name in ("std", "flux", "delta_std", "delta2_std"):
        assert not row(fbank, vectors, name).any()
    for name in ("p10", "p90", "loud_mean"):
        np.testing.assert_allclose(row(fbank, vectors, name), row(fbank, vectors, "mean"))


def test_bands_are_kaldis_in_scale_and_frequency():
    """A tone of full scale: its band, and the energy a 16-bit integer file would give."""
    time = np.arange(16_000) / 16_000
    bands = log_mel_bands(np.sin(2 * np.pi * 1_000 * time).astype(np.float32)).mean(dim=0)
    mel = 1127 * np.log(1 + np.array([20.0, 1_000.0, 8_000.0]) / 700)
    centre = (mel[1] - mel[0]) / (mel[2] - mel[0]) * 81 - 1
    assert abs(int(bands.argmax()) - centre) <= 1
    assert 20 < float(bands.max()) < 35


def test_digital_silence_within_a_clip_is_quiet_not_an_outlier(fbank):
    (clip,) = noise(16_000)
    clip[4_000:12_000] = 0.0
    assert fbank.encode([clip]).min() >= 0.0


def test_provenance(fbank):
    provenance = json.loads(json.dumps(fbank.provenance()))
    assert provenance["family"] == "fbank"
    assert "transformers" not in provenance["libraries"]


@pytest.mark.parametrize("samples", [400, 559, 560, 5_000, 48_123])
@pytest.mark.parametrize("seed", range(3))
def test_bands_are_torchaudios_to_the_bit(samples, seed):
    """Its loud and quiet, its silences, and a clip that begins with a click."""
    from torchaudio.compliance import kaldi

    (clip,) = noise(samples, seed=seed)
    clip *= (0.0, 1e-4, 30.0)[seed]
    clip[:1] = 1.0
    theirs = kaldi.fbank(
        torch.tensor(clip)[None] * 32_768.0, num_mel_bins=80, dither=0.0, sample_frequency=16_000.0
    )
    assert torch.equal(log_mel_bands(clip), theirs.clamp_min(0.0))
    with torch.inference_mode():
        assert torch.equal(log_mel_bands(clip), theirs.clamp_min(0.0))


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 6, 11, 100, 1_000])
def test_statistics_are_those_of_the_libraries_to_the_bit(frames):
    from torchaudio.functional import compute_deltas

    across = 30 * torch.rand((80, frames), generator=torch.Generator().manual_seed(frames))
    across[3] = 0.0
    delta = compute_deltas(across[None], win_length=5)
    assert torch.equal(slopes(across), delta[0])
    assert torch.equal(slopes(slopes(across)), compute_deltas(delta, win_length=5)[0])
    theirs = np.percentile(across.numpy(), (10, 25, 50, 75, 90), axis=1)
    np.testing.assert_array_equal(percentiles(across.numpy()), theirs)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_neither_order_nor_bytes_follow_the_number_of_threads(fbank, threads):
    batches = [noise(400 + 3_000 * (number % 7), seed=number) for number in range(40)]
    expected = [fbank.encode(batch) for batch in batches]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = list(fbank.stream(batches))
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
