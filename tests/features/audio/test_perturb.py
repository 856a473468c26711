"""Perturbations: each does what it says by the amount it says, and noise follows from the clip."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import welch

from gensr.estimator.errors import ConfigError
from gensr.features.audio import distortions
from gensr.features.audio.errors import AudioError
from gensr.features.audio.perturb import CLEAN, KINDS, perturbation
from gensr.features.hearing.decode import content_address

RATE = 16_000
SEED = b"0" * 32


def speech(seconds=2.0, level=0.1, seed=0):
    """Noise that swells and dies, as syllables do."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    swell = 0.05 + np.sin(2 * np.pi * 2 * t) ** 2
    return (level * swell * rng.standard_normal(len(t))).astype(np.float32)


def tone(hertz, level=0.5, seconds=1.0):
    t = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def decibels(power, by):
    return 10 * np.log10(power / by)


def power(samples):
    return np.square(np.asarray(samples, float)).mean()


@pytest.mark.parametrize("kind", ["noise", "pink"])
@pytest.mark.parametrize("snr", [-5, 0, 10, 20, 40])
@pytest.mark.parametrize("count", [400, 401, 16_000])
def test_the_noise_is_as_far_below_the_clip_as_it_says(kind, snr, count):
    clip = speech()[:count]
    noisy = perturbation(f"{kind}:{snr}dB")(clip, "a" * 64)
    assert noisy.dtype == np.float32
    found = decibels(clip.astype(float).var(), (noisy.astype(float) - clip).var())
    assert found == pytest.approx(snr, abs=0.1)
    shifted = perturbation(f"{kind}:{snr}dB")(clip + np.float32(0.25), "a" * 64)
    assert np.allclose(shifted - 0.25, noisy, atol=1e-6)  # a constant part is no signal


def test_white_is_flat_and_pink_falls_by_three_decibels_an_octave():
    bands = [(125 * 2**k, 250 * 2**k) for k in range(6)]
    slopes = {}
    for name, add in (("white", distortions.white), ("pink", distortions.pink)):
        clip = np.sin(np.arange(60 * RATE))
        hertz, density = welch(add(clip, 0.0, SEED) - clip, RATE, nperseg=4096)
        means = [density[(hertz >= low) & (hertz < high)].mean() for low, high in bands]
        slopes[name] = np.diff(10 * np.log10(means))
    assert np.allclose(slopes["white"], 0.0, atol=0.3)
    assert np.allclose(slopes["pink"], -3.0, atol=0.6)


def test_the_variates_are_gaussian_and_of_the_seed_alone():
    n = 200_000
    found = distortions.gaussian(n, SEED)
    z = [found.mean(), found.var() - 1, (found**3).mean(), (found**4).mean() - 3]
    bounds = 5 * np.sqrt(np.array([1, 2, 15, 96]) / n)
    assert (np.abs(z) < bounds).all()
    assert abs((found[1:] * found[:-1]).mean()) < 5 / np.sqrt(n)
    assert np.array_equal(distortions.gaussian(1_000, SEED), found[:1_000])
    assert abs(np.corrcoef(found, distortions.gaussian(n, b"1" * 32))[0, 1]) < 5 / np.sqrt(n)


def test_the_variates_are_the_same_on_every_machine():
    """Their bits are those of PCG64, seeded by SeedSequence: both are promised to stay."""
    found = distortions.gaussian(5, bytes(range(32))).tolist()
    words = np.random.PCG64(int.from_bytes(bytes(range(32)), "big")).random_raw(2)
    first = [int(words[0]) >> shift & 0xFFFF for shift in (0, 16, 32, 48)]
    places = [*first, int(words[1]) & 0xFFFF]
    from statistics import NormalDist

    exact = [NormalDist().inv_cdf((place + 0.5) / 65536) for place in places]
    assert found == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("level", [-12, -0.5, 6, 20])
def test_gain_is_exact_and_cut_at_full_scale(level):
    clip = speech(level=0.2)
    clip /= 1.25 * np.abs(clip).max()
    found = perturbation(f"gain:{level}dB")(clip, "")
    exact = clip.astype(float) * 10 ** (level / 20)
    assert np.array_equal(found, np.clip(exact, -1, 1).astype(np.float32))
    assert (np.abs(found) == 1.0).any() == (np.abs(exact) > 1).any() == (level >= 6)


def test_clip_cuts_below_the_own_peak():
    clip = speech()
    found = perturbation("clip:6dB")(clip, "")
    limit = float(np.abs(clip).max()) * 10 ** (-6 / 20)
    assert np.abs(found).max() == pytest.approx(limit)
    inside = np.abs(clip) < limit
    assert np.array_equal(found[inside], clip[inside])
    assert np.array_equal(perturbation("clip:0dB")(clip, ""), clip)


@pytest.mark.parametrize(
    ("hertz", "least", "most"),
    [
        (100, -np.inf, -45),
        (200, -np.inf, -35),
        (300, -3.2, -2.8),
        (400, -0.5, 0.5),
        (1000, -0.2, 0.2),
        (3200, -0.5, 0.5),
        (3400, -3.2, -2.8),
        (3600, -np.inf, -45),
        (6000, -np.inf, -45),
    ],
)
def test_a_telephone_passes_its_band(hertz, least, most):
    heard = perturbation("phone")(tone(hertz), "")[2000:-2000]
    assert least <= decibels(power(heard) + 1e-12, power(tone(hertz))) <= most


def test_a_telephone_delays_nothing_and_keeps_the_length():
    for count in (400, 401, 8_001):
        clip = tone(1000)[:count]
        heard = perturbation("phone")(clip, "")
        assert len(heard) == count
    middle = slice(1_000, 7_000)
    assert np.abs(heard[middle] - clip[middle]).max() < 0.02


def test_mu_law_is_that_of_g_711():
    """ITU-T G.711, table 2a: decoder outputs 0, 2, ... 30, 33, 37, ... 8031; 255 values."""
    everything = np.arange(-8159, 8160) / 8192
    found = (distortions.mu_law(everything) * 8192).round(6)
    values = np.unique(found)
    assert len(values) == 255
    assert values.max() == 8031 == -values.min()
    assert values[127 : 127 + 16].tolist() == [*range(0, 31, 2)]
    assert values[127 + 16 : 127 + 20].tolist() == [33, 37, 41, 45]
    steps = np.diff(values[127:])
    for segment in range(8):  # each of 16 steps but the first, which holds half of zero's
        assert steps[16 * segment : 16 * segment + 15].tolist() == [2 ** (segment + 1)] * 15
    # Decision values lie half a step beside: 30 is the last output of a segment, 31 the next's.
    decided = distortions.mu_law(np.array([30.9, 31.0, 34.9, 35.0]) / 8192) * 8192
    assert decided.tolist() == [30.0, 33.0, 33.0, 37.0]


def test_mu_law_of_a_sine_is_as_noisy_as_the_standard_allows():
    """G.711's ratio to distortion is some 38 dB over 30 dB of level (ITU-T G.712, figure 10)."""
    for level in (0.9, 0.3, 0.1, 0.03):
        sine = tone(1013, level).astype(float)
        assert 35 < decibels(power(sine), power(distortions.mu_law(sine) - sine)) < 42


def test_a_room_dies_by_sixty_decibels_in_its_time_and_keeps_the_level():
    seconds = 0.5
    click = np.zeros(RATE)
    click[0] = 0.5
    heard = distortions.reverberant(click, seconds, SEED)
    assert power(heard) == pytest.approx(power(click))
    tail = heard[1:]
    assert np.square(tail).sum() == pytest.approx(heard[0] ** 2)  # 0 dB direct to reverberant
    left = 10 * np.log10(np.cumsum(np.square(tail[: round(seconds * RATE)])[::-1])[::-1])
    t = np.arange(len(left)) / RATE
    fit = slice(round(0.02 * RATE), round(0.3 * RATE))  # Schroeder's line
    slope = np.polyfit(t[fit], left[fit], 1)[0]
    assert -60 / slope == pytest.approx(seconds, rel=0.1)


def test_all_keep_the_length():
    values = {"noise": ":10", "pink": ":10", "gain": ":-3", "clip": ":3", "reverb": ":0.3"}
    for name in KINDS:
        for count in (400, 16_001):
            clip = speech()[:count]
            assert len(perturbation(name + values.get(name, ""))(clip, "")) == count


def test_parts_are_applied_from_left_to_right():
    clip = speech(level=0.3)
    first = perturbation("gain:20dB,gain:-20dB")(clip, "")
    assert np.abs(first).max() == pytest.approx(0.1)
    other = perturbation("gain:-20dB,gain:20dB")(clip, "")
    assert np.allclose(other, np.clip(clip, -1, 1), atol=1e-6)
    band = perturbation("noise:0dB,phone")(clip, "x")
    full = perturbation("phone,noise:0dB")(clip, "x")
    above = slice(int(5_000 * len(clip) / RATE), None)
    high = [power(np.abs(np.fft.rfft(each)[above])) for each in (band, full)]
    assert high[1] > 1e4 * high[0]


def test_noise_follows_from_the_recording_and_from_nothing_else():
    clip = speech()
    noisy = perturbation("noise:10dB")
    a, b = (noisy(clip, name) - clip for name in ("a" * 64, "b" * 64))
    assert np.array_equal(noisy(clip, "a" * 64) - clip, a)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.05
    softer = perturbation("noise:30dB")(clip, "a" * 64) - clip  # the same noise at another level
    assert np.corrcoef(a, softer)[0, 1] > 0.999
    twice = perturbation("noise:10dB,noise:10dB")(clip, "a" * 64) - clip
    assert decibels(power(twice), power(a)) == pytest.approx(3.2, abs=0.3)  # not the same again


def test_another_process_hears_the_same():
    code = (
        "import numpy as np\n"
        "from gensr.features.audio.perturb import perturbation\n"
        "from gensr.features.hearing.decode import content_address\n"
        "clip = (np.arange(9000) % 97 / 200 - 0.2).astype('f4')\n"
        "print(content_address(perturbation('noise:10,reverb:0.2,pink:20,phone')(clip, 'ab')))\n"
    )
    clip = (np.arange(9000) % 97 / 200 - 0.2).astype("f4")
    here = perturbation("noise:10,reverb:0.2,pink:20,phone")(clip, "ab")
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == content_address(here)


def test_there_is_one_way_to_write_it():
    assert str(perturbation(" noise:+20 , GAIN:-12.50dB,phone")) == "noise:20dB,gain:-12.5dB,phone"
    assert perturbation("noise:20 dB") == perturbation("noise:20.0db")
    assert perturbation("gain:-0") == perturbation("gain:0")
    assert str(perturbation("gain:-0")) == "gain:0dB"
    text = str(perturbation("noise:1234.567".replace("1234", "34")))
    assert str(perturbation(text)) == text == "noise:34.567dB"


def test_whole_numbers_as_floats_have_another_full_scale():
    """Decoding takes them; what must know full scale does not, and says so."""
    clip = speech() * 32768
    for text in ("gain:-12dB", "noise:20dB,phone"):
        with pytest.raises(
            AudioError, match=r"^holds a sample of \d+, where full scale is 1, and "
        ):
            perturbation(text)(clip, "")
    assert np.allclose(
        perturbation("noise:20dB")(clip, "a") / 32768,
        perturbation("noise:20dB")(clip / 32768, "a"),
        atol=1e-6,
    )
    above = speech() * 4
    assert np.abs(perturbation("gain:0dB")(above, "")).max() == 1.0


def test_nothing_is_nothing():
    clip = speech()
    assert perturbation(None) is CLEAN
    assert CLEAN(clip, "") is clip
    assert CLEAN.provenance() == {}
    assert perturbation("phone").provenance() == {"perturb": "phone"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"^perturb has '': no such kind; there are noise:20dB, pink:20dB, gain:-12dB, "),
        ("hiss:20dB", r"^perturb has 'hiss:20dB': no such kind; "),
        ("noise:20dB,", r"^perturb has '': no such kind"),
        ("noise", r"^perturb has 'noise': it must be noise:20dB, from -20 to 100 dB$"),
        ("noise:loud", r"^perturb has 'noise:loud': it must be noise:20dB, from -20 to 100 dB$"),
        ("phone,noise:20s", r"^perturb has 'noise:20s': it must be noise:20dB"),
        ("noise:nan", r"^perturb has 'noise:nan': it must be"),
        ("noise:1e1", r"^perturb has 'noise:1e1': it must be"),
        ("gain:90dB", r"^perturb has 'gain:90dB': it must be gain:-12dB, from -60 to 60 dB$"),
        ("reverb:0s", r"^perturb has 'reverb:0s': it must be reverb:0.5s, from 0.05 to 5 s$"),
        ("phone:8kHz", r"^perturb has 'phone:8kHz': phone takes no value$"),
        (",".join(["phone"] * 17), r"^perturb has 17 parts: it takes 16 at most$"),
    ],
)
def test_what_is_no_perturbation_is_refused_in_one_line(text, said):
    with pytest.raises(ConfigError, match=said) as caught:
        perturbation(text)
    assert "\n" not in str(caught.value)
