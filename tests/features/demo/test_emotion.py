"""The rules of emotion against the published directions, on the synthesiser's own parameters."""

import numpy as np
import pytest

from gensr.features.demo.emotion import (
    EMOTIONS,
    HABITS,
    PROFILES,
    SECONDS_OF_SPEECH,
    SPREAD,
    Manner,
    manner_of,
    melody,
    time_sentence,
    voice_of,
)
from gensr.features.demo.voice import FRAMES_PER_SECOND, frames

WORDS = [["DH", "AH"], ["P", "AA1", "R", "S", "AH", "L"], ["IH", "Z"], ["K", "OW1", "L", "D"]]


def test_the_emotions_are_the_seven() -> None:
    expected = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    assert expected == EMOTIONS


@pytest.mark.parametrize(
    ("field", "more", "less"),
    [
        # Juslin & Laukka (2003), Table 11 and text; Murray & Arnott (1993), Table I.
        ("pitch", "anger", "neutral"),
        ("pitch", "fear", "neutral"),
        ("pitch", "happiness", "neutral"),
        ("pitch", "neutral", "sadness"),
        ("pitch", "neutral", "disgust"),
        ("span", "anger", "fear"),
        ("span", "happiness", "neutral"),
        ("span", "neutral", "sadness"),
        ("energy", "anger", "happiness"),
        ("energy", "happiness", "neutral"),
        ("energy", "neutral", "sadness"),
        ("rate", "fear", "neutral"),
        ("rate", "anger", "neutral"),
        ("rate", "neutral", "sadness"),
        ("rate", "neutral", "disgust"),
        ("tilt", "sadness", "neutral"),
        ("tilt", "neutral", "anger"),
        ("pause", "sadness", "anger"),
        ("precision", "anger", "sadness"),
        ("jaw", "anger", "sadness"),
        ("jitter", "anger", "happiness"),
        ("final", "surprise", "neutral"),
        ("smile", "happiness", "neutral"),
    ],
)
def test_profiles_point_as_published(field: str, more: str, less: str) -> None:
    assert getattr(PROFILES[more], field) > getattr(PROFILES[less], field)


def test_habits_and_spread_overlap_with_every_cue() -> None:
    for field in Manner._fields:
        assert getattr(HABITS, field) > 0
        assert getattr(SPREAD, field) > 0


def test_intensity_scales_the_profile() -> None:
    habits = HABITS.draw(np.random.default_rng(1))
    weak, strong = (
        manner_of("anger", intensity, habits, np.random.default_rng(2)) for intensity in (0.5, 1.0)
    )
    difference = np.array(strong) - np.array(weak)
    np.testing.assert_allclose(difference, 0.5 * np.array(PROFILES["anger"]), atol=1e-12)


@pytest.mark.parametrize("rate", [-0.8, -0.1, 0.0, 0.1, 0.8])
def test_sentences_keep_within_their_seconds(rate: float) -> None:
    segments, stressed = time_sentence(WORDS, Manner(rate=rate), np.random.default_rng(3))
    seconds = sum(map(frames, segments)) / FRAMES_PER_SECOND
    slack = len(segments) / FRAMES_PER_SECOND  # rounding to frames
    assert SECONDS_OF_SPEECH[0] - slack <= seconds <= SECONDS_OF_SPEECH[1] + slack
    assert len(stressed) == 2
    assert 0 < stressed[0] < stressed[1] < seconds


def test_more_pauses_make_more_silences() -> None:
    def silences(pause: float) -> int:
        rng = np.random.default_rng(4)
        draws = (time_sentence(WORDS, Manner(pause=pause), rng)[0] for _ in range(200))
        return sum(sum(s.voice == s.hiss == 0 for s in segments) for segments in draws)

    assert silences(1.0) > silences(0.0) + 100


def test_melody_follows_pitch_span_and_final() -> None:
    def draw(**manner: float) -> np.ndarray:
        hz = melody(300, [0.3, 0.9], 120.0, Manner(**manner), np.random.default_rng(5))
        return 12 * np.log2(hz / 120.0)

    flat = draw()
    np.testing.assert_allclose(draw(pitch=3.0), flat + 3)
    assert np.ptp(draw(span=0.5)) > 1.3 * np.ptp(flat)
    assert draw(final=5.0)[-1] > flat[-1] + 4.9
    np.testing.assert_allclose(draw(final=5.0)[:200], flat[:200])


def test_voices_stay_within_what_a_body_can_do() -> None:
    for shift in (-100.0, 0.0, 100.0):
        voice = voice_of(Manner(tilt=shift, breath=shift, jitter=shift, shimmer=shift), 1.0)
        assert 0.3 <= voice.open_quotient <= 0.9
        assert voice.tilt > 0
        assert 0 < voice.breath < 0.5
        assert 0 < voice.jitter <= 0.05
