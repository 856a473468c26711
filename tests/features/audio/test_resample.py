"""Oracles: torchaudio where it can compute, and sines, which any resampling has to keep or drop."""

import math
import tracemalloc

import numpy as np
import pytest
import torch
import torchaudio

from gensr.features.audio.resample import resample, resampled_blocks


def sine(rate, hertz, seconds=1.0):
    time = np.arange(round(seconds * rate)) / rate
    return np.sin(2 * np.pi * hertz * time)


@pytest.mark.parametrize("rate", [1_000, 8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("count", [1, 300, 20_011, 230_000])
def test_torchaudio_gives_the_same_numbers(rate, count):
    samples = np.random.default_rng(rate).standard_normal(min(count, 14 * rate))
    samples = samples.astype(np.float32)
    expected = torchaudio.functional.resample(torch.from_numpy(samples.astype(float)), rate, 16_000)
    found = np.concatenate(list(resampled_blocks(samples, rate)))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=2e-12)
    np.testing.assert_array_max_ulp(resample(samples, rate), expected.numpy().astype(np.float32))


@pytest.mark.parametrize("rate", [24_414, 44_101, 15_991, 767_999])
@pytest.mark.parametrize("count", [1, 50_021])
def test_rates_without_a_common_divisor_keep_their_length(rate, count):
    found = resample(np.ones(count, np.float32), rate)
    assert found.dtype == np.float32
    assert len(found) == math.ceil(count * 16_000 / rate)


@pytest.mark.parametrize("rate", [24_414, 44_101, 15_991, 22_050])
def test_a_chirp_is_kept_up_to_8_khz_and_gone_beyond(rate):
    """From 100 Hz to the highest that the rate holds: its frequency is known at each moment."""
    seconds, top = 4.0, rate / 2
    climb = (top - 100) / seconds

    def chirp(at):
        time = np.arange(round(seconds * at)) / at
        return np.sin(2 * np.pi * (100 * time + climb / 2 * time**2)), 100 + climb * time

    found = resample(chirp(rate)[0].astype(np.float32), rate)
    wanted, hertz = chirp(16_000)
    count = min(len(found), len(wanted))
    found, wanted, hertz = found[:count], wanted[:count], hertz[:count]
    kept = (hertz > 300) & (hertz < 5_000)
    assert np.abs(found - wanted)[kept].max() < 1e-2
    gone = hertz[:-200] > 10_200  # the filter is short: its slope ends there
    assert gone.any() == (top > 10_300)
    assert np.abs(found[:-200][gone]).max(initial=0) < 1e-2


@pytest.mark.parametrize("rate", [24_414, 96_000])
def test_what_16_khz_cannot_hold_is_filtered_out(rate):
    high = resample(sine(rate, 12_000.0).astype(np.float32), rate)
    assert np.abs(high[800:-800]).max() < 4e-3


@pytest.mark.parametrize("rate", [8_000, 15_991, 24_414, 44_100, 44_101, 48_000])
def test_blocks_join_without_a_seam(rate, monkeypatch):
    samples = np.random.default_rng(0).standard_normal(5 * rate)
    monkeypatch.setattr("gensr.features.audio.resample._BLOCK_SAMPLES", 1 << 30)
    (whole,) = resampled_blocks(samples, rate)
    monkeypatch.setattr("gensr.features.audio.resample._BLOCK_SAMPLES", 1_000)
    blocks = list(resampled_blocks(samples, rate))
    assert len(blocks) > 4
    assert np.concatenate(blocks).tobytes() == whole.tobytes()


def test_memory_does_not_follow_the_length():
    peaks = []
    for seconds in (30, 120):
        samples = np.ones(seconds * 24_414, np.float32)
        tracemalloc.start()
        for block in resampled_blocks(samples, 24_414):
            assert len(block) <= 1 << 17
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
