"""Copies of a recording are found, whatever was done to it; other recordings are not."""

import io
from functools import cache

import numpy as np
import pytest
import soundfile

from gensr.features.hearing.fingerprint import FRAME, HOP, fingerprint
from gensr.pipeline.lint.copies import alike
from gensr.pipeline.lint.findings import FATAL, WARNING
from gensr.pipeline.lint.near import LEAST, candidates, compared, near
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid

RATE = 16_000


@cache
def _speech(seed: int, seconds: float = 1.0):
    """Tones in twelve drifting bands, louder and softer five times a second."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(RATE * seconds)) / RATE
    wave = np.zeros(len(t))
    for low in np.geomspace(220, 3400, 12):
        phase = 2 * np.pi * np.cumsum(low * (1 + 0.1 * np.sin(rng.uniform(3, 9) * t))) / RATE
        beat = np.interp(
            t, np.arange(0, seconds + 0.2, 0.1), rng.gamma(1, 1, round(seconds * 10) + 2)
        )
        wave += beat * np.sin(phase + rng.uniform(0, 6))
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def _ogg(wave):
    held = io.BytesIO()
    soundfile.write(held, wave, RATE, format="OGG", subtype="VORBIS", compression_level=0.99)
    held.seek(0)
    return soundfile.read(held, dtype="float32")[0]


COPIES = {
    "ogg": _ogg,
    "louder": lambda wave: 2 * wave,
    "quieter": lambda wave: wave / 2,
    "start": lambda wave: wave[RATE // 10 :],
    "end": lambda wave: wave[: -RATE // 10],
    "between two hops": lambda wave: wave[1677:],
    "all": lambda wave: _ogg(wave[1677:] / 2),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found_among_others(kind):
    waves = [_speech(seed) for seed in range(12)]
    prints = [fingerprint(wave) for wave in (*waves, COPIES[kind](waves[7]))]
    (found,) = near(prints)
    assert (found.a, found.b) == (7, 12)
    cut = 1677 if kind in ("between two hops", "all") else RATE // 10 * (kind == "start")
    assert abs(found.lag - cut / HOP) <= 1


def test_other_recordings_are_none():
    assert near([fingerprint(_speech(seed)) for seed in range(24)]) == ()


def test_a_cut_of_either_clip_is_found_from_either_side():
    wave = _speech(1)
    one, other = fingerprint(wave), fingerprint(wave[RATE // 10 :])
    assert compared(one, other, 10) == 0
    assert compared(other, one, -10) == 0
    assert compared(one, other, 0) > 0.3


def test_bits_of_unlike_clips_are_a_coin():
    one, other = fingerprint(_speech(1)), fingerprint(_speech(2))
    assert 0.4 < compared(one, other, 0, covered=0.3) < 0.6


def test_too_few_frames_are_never_alike():
    short = fingerprint(_speech(3)[: FRAME + HOP * (LEAST - 5)])
    assert compared(short, short, 0) == 1


def test_silence_is_like_nothing():
    quiet = fingerprint(np.zeros(RATE, np.float32))
    assert not quiet.loud.any()
    assert near([quiet, quiet, fingerprint(np.zeros(10, np.float32))]) == ()


def test_nothing_to_compare():
    assert list(candidates([])) == []
    assert near([fingerprint(_speech(0))]) == ()


class TestAcross:
    """A copy on the other side of a fold."""

    def _found(self, copy_of: int, at: int, *, allowed: bool = False):
        table = grid("acme", [f"s{k}" for k in range(4)], sentences=2)
        waves = [_speech(seed) for seed in range(len(table["path"]))]
        waves[at] = waves[copy_of] / 2
        protocol = make_protocol(table, name="loso")
        return list(alike([fingerprint(w) for w in waves], table, protocol, allowed=allowed))

    def test_it_is_a_leak(self):
        told, leak = self._found(0, 23)
        assert (told.kind, told.weight) == ("near-identical", WARNING)
        assert told.clips == ("0000.wav", "0023.wav")
        assert (leak.kind, leak.weight, leak.count, leak.of) == ("leak", FATAL, 2, 24)

    def test_a_warning_where_leaks_are_allowed(self):
        assert self._found(0, 23, allowed=True)[1].weight == WARNING

    def test_on_one_side_it_is_told_alone(self):
        (told,) = self._found(0, 1)
        assert told.kind == "near-identical"
