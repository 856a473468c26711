"""The synthesiser against what it was told: F0, formants, hiss, silence, and no clicks."""

import numpy as np
import pytest

from gensr.features.demo.voice import HOP, PHONES, SAMPLE_RATE, Segment, Voice, frames, speak

MODAL = Voice(
    open_quotient=0.6,
    tilt=8.0,
    breath=0.02,
    jitter=0.0,
    shimmer=0.0,
    tremor=0.0,
    tract=1.0,
    jaw=1.0,
    precision=1.0,
)


def _say(segments: list[Segment], hz: float = 100.0, voice: Voice = MODAL, seed: int = 0):
    f0 = np.full(sum(map(frames, segments)), hz)
    return speak(segments, f0, voice, np.random.default_rng(seed))


def _band(x: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    hz = np.fft.rfftfreq(len(x), 1 / SAMPLE_RATE)
    return float(power[(hz >= low) & (hz < high)].sum())


@pytest.mark.parametrize("hz", [90.0, 140.0, 230.0])
def test_the_spectrum_is_a_comb_of_f0(hz: float) -> None:
    x = _say([Segment(1.0, (500, 1500, 2500), voice=1.0)], hz)[1600:-1600]
    lines = sum(_band(x, k * hz - 8, k * hz + 8) for k in range(1, 12))
    assert lines > 0.95 * _band(x, 0.5 * hz, 11.5 * hz)


@pytest.mark.parametrize("phone", ["IY", "AA", "AE", "UW", "EH"])
def test_formants_lie_where_the_table_says(phone: str) -> None:
    # A pulse train of 20 Hz: its partials are close enough to draw the envelope. The source
    # falls with frequency, so that peaks are sought after whitening by the first difference.
    (segment,) = PHONES[phone]
    x = np.diff(_say([segment._replace(seconds=2.0)], hz=20.0))[1600:-1600]
    for formant, width in zip(segment.formants[:2], (120, 160), strict=True):
        low, high = formant - 3 * width / 2, formant + 3 * width / 2
        at_peak = _band(x, formant - width / 2, formant + width / 2)
        assert at_peak > 0.4 * _band(x, max(low, 40), high)


def test_a_shorter_tract_raises_the_formants() -> None:
    schwa = [Segment(1.0, (500, 1500, 2500), voice=1.0)]
    short = Voice(**{name: getattr(MODAL, name) for name in MODAL.__slots__} | {"tract": 1.2})
    x, y = np.diff(_say(schwa, 20.0)), np.diff(_say(schwa, 20.0, short))
    assert _band(x, 1400, 1600) > 3 * _band(x, 1700, 1900)
    assert _band(y, 1700, 1900) > 3 * _band(y, 1400, 1600)


def test_tilt_and_breath_change_the_treble() -> None:
    vowel = [Segment(0.5, (500, 1500, 2500), voice=1.0)]
    fields = {name: getattr(MODAL, name) for name in MODAL.__slots__}

    def treble(**change: float) -> float:
        x = _say(vowel, voice=Voice(**fields | change))
        return _band(x, 2000, 5000) / _band(x, 60, 1000)

    assert treble(tilt=2.0) > 2 * treble() > 4 * treble(tilt=20.0)
    assert treble(tilt=20.0, breath=0.4) > 2 * treble(tilt=20.0)


def test_s_hisses_and_silence_is_silent() -> None:
    rest = Segment(0.2, (500, 1500, 2500))
    x = _say([rest, *PHONES["S"], rest])
    hiss = x[len(x) // 2 - 400 : len(x) // 2 + 400]
    assert _band(hiss, 4500, 8000) > 10 * _band(hiss, 0, 4000)
    assert np.abs(x[:1600]).max() < 1e-6


def test_moving_formants_do_not_click() -> None:
    """The coefficients step every 5 ms; beyond the moving formants the steps stay unheard."""
    still = [Segment(0.3, (300, 2200, 2900), voice=1.0)]
    moving = [Segment(0.06, (300, 2200 - 1400 * (k % 2), 2900), voice=1.0) for k in range(5)]
    fields = {name: getattr(MODAL, name) for name in MODAL.__slots__}
    voice = Voice(**fields | {"breath": 0.0})
    x, y = _say(still, voice=voice), _say(moving, voice=voice)
    assert _band(y, 5000, 8000) / _band(y, 0, 1000) < 4 * _band(x, 5000, 8000) / _band(x, 0, 1000)


def test_length_follows_the_segments_and_the_seed_the_samples() -> None:
    segments = [*PHONES["T"], *PHONES["EY"], *PHONES["N"]]
    x = _say(segments)
    assert len(x) == HOP * sum(map(frames, segments))
    assert np.array_equal(x, _say(segments))
    assert not np.array_equal(x, _say(segments, seed=1))
    assert np.isfinite(x).all()
