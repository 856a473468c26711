"""What is measured of a clip, against waves whose rate, level and ceiling are known."""

import hashlib

import numpy as np
import pytest
import soundfile

from gensr.features.audio.errors import AudioError
from gensr.features.hearing.fingerprint import FRAME, HOP, LAG, fingerprint
from gensr.features.hearing.measure import clipped_share, level_db, measure
from support.babble import babble


def _sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_file(tmp_path, rate):
    t = np.arange(rate) / rate
    path = tmp_path / "tone.flac"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * t), rate)
    found = measure(path, _sha(path))
    assert found.rate == rate
    assert found.seconds == pytest.approx(1.0, abs=0.001)
    assert found.level_db == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert found.clipped < 0.01


def test_a_file_that_a_process_of_its_own_decodes(tmp_path):
    path = tmp_path / "x.mp3"
    soundfile.write(path, babble(0), 16_000)
    found = measure(path, _sha(path))
    assert found.rate == 0  # not known of those
    assert found.level_db == pytest.approx(level_db(babble(0)), abs=0.5)


def test_another_file_is_refused_by_name(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, babble(0), 16_000)
    with pytest.raises(AudioError, match=r"x\.wav: changed"):
        measure(path, "0" * 64)


def test_clipping():
    wave = np.sin(np.linspace(0, 600, 48_000)).astype(np.float32)
    assert clipped_share(0.4 * np.clip(2 * wave, -1, 1)) == 0  # quiet: nobody's ceiling
    one_sided = np.minimum(1.5 * wave, 0.9)
    # Of a sine cut at 0.6 of its peak the share above: acos(0.6) / pi.
    assert clipped_share(one_sided) == pytest.approx(np.arccos(0.6) / np.pi, abs=0.03)
    spikes = np.zeros(1000, np.float32)
    spikes[::10] = 0.9
    assert clipped_share(spikes) == 0  # single samples are no plateau


def test_a_fingerprint_knows_no_level_and_moves_with_the_clip():
    wave = babble(0)
    one, quieter, later = (fingerprint(w) for w in (wave, wave / 4, wave[10 * HOP :]))
    assert len(one.words) == (len(wave) - FRAME) // HOP + 1 - LAG
    assert (one.words == quieter.words).mean() > 0.99
    assert (one.words[10:] == later.words).all()


def test_a_clip_shorter_than_a_frame_has_an_empty_one():
    assert len(fingerprint(np.ones(400, np.float32)).words) == 0


def test_variants_differ_in_the_doubtful_bits():
    one = fingerprint(babble(0))
    words, first, second, both = one.variants()
    assert (np.bitwise_count(words ^ first) == 1).all()
    assert (np.bitwise_count(words ^ second) == 1).all()
    assert (np.bitwise_count(words ^ both) == 2).all()
