import json

import numpy as np
import pytest

from gensr.features.encoders import load_encoder
from gensr.features.encoders.fbank import log_mel_bands
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
