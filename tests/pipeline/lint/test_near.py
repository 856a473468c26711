"""Copies of a recording are found, whatever was done to it; other recordings are not."""

import io

import numpy as np
import pytest
import soundfile

from gensr.features.hearing.fingerprint import fingerprint
from gensr.pipeline.lint.near import MOST_ERRORS, candidates, compared, near
from support.babble import RATE, babble


def _coded(wave, form, subtype):
    held = io.BytesIO()
    with soundfile.SoundFile(
        held, "w", RATE, 1, format=form, subtype=subtype, compression_level=0.9
    ) as file:
        file.write(wave)
    held.seek(0)
    return soundfile.read(held, dtype="float32")[0]


COPIES = {
    "mp3": lambda wave: _coded(wave, "MP3", "MPEG_LAYER_III"),
    "ogg": lambda wave: _coded(wave, "OGG", "VORBIS"),
    "louder": lambda wave: 2 * wave,
    "quieter": lambda wave: wave / 2,
    "cut at the start": lambda wave: wave[RATE // 10 :],
    "cut at the end": lambda wave: wave[: -RATE // 10],
    "cut between two frames": lambda wave: wave[RATE // 10 + 77 :],
    "all at once": lambda wave: _coded(wave[1677:] / 2, "OGG", "VORBIS"),
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found_among_others(kind):
    waves = [babble(seed) for seed in range(12)]
    copy = COPIES[kind](waves[4])
    (pair,) = near([fingerprint(wave) for wave in (*waves, copy)])
    assert (pair.a, pair.b) == (4, 12)
    assert pair.errors <= MOST_ERRORS


def test_the_lag_is_where_the_other_begins():
    wave = babble(0)
    (pair,) = near([fingerprint(wave), fingerprint(wave[160 * 10 :])])
    assert (pair.lag, pair.errors) == (10, 0.0)


def test_other_recordings_are_none():
    assert near([fingerprint(babble(seed)) for seed in range(60)]) == ()


def test_bits_of_other_recordings_agree_by_half():
    one, other = fingerprint(babble(1)), fingerprint(babble(2))
    assert 0.4 < compared(one, other, 0) < 0.6


def test_a_part_of_a_clip_is_not_the_clip():
    """A word in common is no copy: most of the shorter clip must be in the other."""
    word = babble(9, 0.6)
    one, other = (np.concatenate([word, babble(seed, 2.0)]) for seed in (1, 2))
    assert near([fingerprint(one), fingerprint(other)]) == ()


def test_clips_too_short_to_say_are_none():
    wave = babble(3, 0.2)
    assert near([fingerprint(wave), fingerprint(2 * wave)]) == ()


def test_silence_says_nothing():
    quiet = np.zeros(RATE, np.float32)
    one, other = (np.concatenate([babble(seed), quiet]) for seed in (1, 2))
    assert near([fingerprint(one), fingerprint(other)]) == ()


def test_nothing_to_compare():
    assert near([]) == ()
    assert list(candidates([fingerprint(babble(0))])) == []


def test_counts_are_the_same_in_small_portions(monkeypatch):
    waves = [babble(seed) for seed in range(8)]
    prints = [fingerprint(wave) for wave in (*waves, waves[2] / 2, waves[5][1600:])]
    whole = near(prints)
    monkeypatch.setattr("gensr.pipeline.lint.near._KEYS", 10)
    assert near(prints) == whole
    assert len(whole) == 2
