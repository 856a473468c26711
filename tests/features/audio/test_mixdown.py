"""Channels that cancel are refused; what merely differs between channels is not."""

import math

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from gensr.features.audio.errors import AudioError
from gensr.features.audio.mixdown import LEAST_LEVEL, Mixdown
from gensr.features.hearing.decode import read_audio


def mixed(samples, block=1_000):
    found = Mixdown(16_000)
    for start in range(0, len(samples), block):
        found.add(samples[start : start + block].astype(np.float32))
    return found


def noise(channels=1, seed=0, count=4_000):
    return np.random.default_rng(seed).normal(0, 0.1, (count, channels))


@pytest.mark.parametrize("kept", [1.0, 0.999, 0.99, 0.95, 0.91])
@pytest.mark.parametrize("form", ["WAV", "FLAC", "CAF"])
def test_a_channel_turned_over_is_refused_by_name(tmp_path, kept, form):
    one = 2 * noise()
    path = tmp_path / "x"
    soundfile.write(path, np.hstack([one, -kept * one]), 16_000, format=form, subtype="PCM_16")
    with pytest.raises(AudioError, match=r"^its 2 channels cancel: their sum is .*; keep one"):
        read_audio(path)


def test_a_constant_part_hides_nothing():
    one = noise()
    for sign in (1, -1):
        with pytest.raises(AudioError, match="cancel"):
            mixed(np.hstack([0.5 + one, 0.5 * sign - 0.999 * one])).check()
    mixed(np.hstack([0.5 + one, -0.5 + one])).check()


@pytest.mark.parametrize(
    ("name", "samples", "level"),
    [
        ("dual mono", np.repeat(noise(), 2, axis=1), 2.0),
        ("one silent", np.hstack([noise(), np.zeros((4_000, 1))]), 1.0),
        ("one of 64 live", np.hstack([noise(), np.zeros((4_000, 63))]), 1.0),
        ("5.1, each its own", noise(6), math.sqrt(6)),
        ("wide stereo", noise() + noise(2, 1) * [3, -3], None),
        ("half over", np.hstack([noise(), -0.5 * noise()]), 0.5),
        ("one channel", noise(), math.inf),
        ("silence", np.zeros((4_000, 2)), math.inf),
    ],
)
def test_what_real_recordings_are_passes(name, samples, level):
    found = mixed(samples)
    found.check()
    if level is not None:
        assert found.level() == pytest.approx(level, rel=0.1)


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.floats(-1, 1), min_size=2, max_size=8),
    block=st.integers(1, 5_000),
    offset=st.floats(-1, 1),
    seed=st.integers(0, 99),
)
def test_the_level_is_the_sum_over_the_loudest_however_it_is_cut(weights, block, offset, seed):
    """One voice at any weights: |sum of the weights| / largest; and the mean is numpy's."""
    samples = (noise(seed=seed, count=500) * weights + offset).astype(np.float32)
    found = mixed(samples, block)
    loudest = max(map(abs, weights))
    if loudest > 1e-3:
        expected = abs(math.fsum(weights)) / loudest
        assert found.level() == pytest.approx(expected, abs=1e-3 / loudest)
        if expected > LEAST_LEVEL * 1.1 + 1e-3 / loudest:
            found.check()
        elif expected < LEAST_LEVEL * 0.9 - 1e-3 / loudest:
            with pytest.raises(AudioError, match=f"its {len(weights)} channels cancel"):
                found.check()
    mean = samples.mean(axis=1, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(found.mono(), mean)
