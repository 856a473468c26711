"""A small formant synthesiser for the demo corpus: phones in, speech-like sound out.

Source and filter, after Fant (1960) and Klatt (1980, "Software for a cascade/parallel formant
synthesizer", JASA 67):

- the glottis gives polynomial flow pulses (KLGLOTT88, from Klatt & Klatt 1990, JASA 87), with
  jitter, shimmer, tremor, spectral tilt, and aspiration noise in the open phase;
- a cascade of resonators, renewed every 5 ms, makes the formants F1 to F3 and the nasal
  pole-zero pair move from phone to phone; the formants above stay where the tract has them;
- hiss and bursts are noise through a resonator of their own, beside the cascade.

Targets are glided over by smoothing the tracks: the wider the window, and the nearer the
targets to the neutral vowel, the less precise the articulation.

Letters: T frames of 5 ms, S samples. Everything is at 16 kHz, in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d
from scipy.signal import lfilter, sosfilt

Array: TypeAlias = NDArray[np.float64]

SAMPLE_RATE = 16_000
HOP = 80
"""Samples per frame of the tracks: 5 ms, as Klatt (1980) renews his parameters."""
FRAMES_PER_SECOND = SAMPLE_RATE / HOP

SCHWA = np.array([500.0, 1500.0, 2500.0])
"""Hz: the resonances of an even tube of 17.5 cm, an adult male's tract at rest."""
BANDWIDTHS = np.array([70.0, 100.0, 160.0])
"""Hz: of F1 to F3; the middle of Klatt's (1980) ranges."""
EMPHASIS = 0.97
"""The usual pre-emphasis, undone exactly after the filter."""
TREMOR_HZ = 6.0
"""Between physiological tremor and vibrato (Titze 1994, Principles of Voice Production)."""


class Segment(NamedTuple):
    """A stretch of speech with one target: a phone is one or two of them."""

    seconds: float
    """Inherent duration, before stress and rate."""
    formants: tuple[float, float, float]
    """F1, F2, F3 in Hz, for an adult male."""
    voice: float = 0.0
    """Amplitude of voicing; 1 is a vowel's."""
    nasal: float = 0.0
    """How far the velum is down, 0 to 1."""
    breath: float = 0.0
    """Aspiration at the glottis, beside the voice's own; 1 is as strong as a vowel's voicing."""
    hiss: float = 0.0
    """RMS of the noise made in the mouth; 1 is a vowel's RMS."""
    centre: float = 0.0
    """Hz: where that noise is strongest."""
    width: float = 0.0
    """Hz: its bandwidth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How larynx and tract are set for one utterance."""

    open_quotient: float
    """Part of the cycle with the glottis open, 0.3 (pressed) to 0.9 (lax)."""
    tilt: float
    """dB that the source loses at 3 kHz beyond the pulse's own fall."""
    breath: float
    """Amplitude of aspiration noise relative to voicing."""
    jitter: float
    """Standard deviation of the period from cycle to cycle, relative."""
    shimmer: float
    """Standard deviation of the amplitude from cycle to cycle, in dB."""
    tremor: float
    """Depth of the 6 Hz modulation of F0, relative."""
    tract: float
    """Factor on all formants: 1 for a tract of 17.5 cm, more for a shorter one."""
    jaw: float
    """Factor on F1: a wider jaw raises it."""
    precision: float
    """1: targets are reached; 0: everything is a neutral vowel."""


def _vowel(seconds: float, *targets: tuple[float, float, float]) -> tuple[Segment, ...]:
    return tuple(Segment(seconds / len(targets), target, voice=1.0) for target in targets)


def _sonorant(target: tuple[float, float, float], nasal: float = 0.0) -> tuple[Segment, ...]:
    return (Segment(0.060, target, voice=0.55 if nasal else 0.7, nasal=nasal),)


def _fricative(
    target: tuple[float, float, float], hiss: float, centre: float, width: float, voice: float = 0.0
) -> tuple[Segment, ...]:
    seconds = 0.065 if voice else 0.090
    return (Segment(seconds, target, voice=voice, hiss=hiss, centre=centre, width=width),)


def _stop(
    target: tuple[float, float, float], hiss: float, centre: float, voice: float = 0.0
) -> tuple[Segment, ...]:
    """A closure (with the low murmur of a voiced one), then the burst and its aspiration."""
    closure = Segment(0.050, (220.0, *target[1:]), voice=0.6 * voice)
    release = Segment(
        0.015 if voice else 0.030,
        target,
        voice=voice,
        breath=0.0 if voice else 0.12,
        hiss=hiss,
        centre=centre,
        width=1800.0,
    )
    return closure, release


# Vowels: men's means of Peterson & Barney (1952), diphthongs and consonants after the tables of
# Klatt (1980). Hiss: levels and places after Jongman, Wayland & Wong (2000), stops likewise.
PHONES: dict[str, tuple[Segment, ...]] = {
    "IY": _vowel(0.080, (270, 2290, 3010)),
    "IH": _vowel(0.065, (390, 1990, 2550)),
    "EH": _vowel(0.080, (530, 1840, 2480)),
    "AE": _vowel(0.105, (660, 1720, 2410)),
    "AA": _vowel(0.100, (730, 1090, 2440)),
    "AO": _vowel(0.100, (570, 840, 2410)),
    "UH": _vowel(0.075, (440, 1020, 2240)),
    "UW": _vowel(0.090, (300, 870, 2240)),
    "AH": _vowel(0.065, (640, 1190, 2390)),
    "ER": _vowel(0.085, (490, 1350, 1690)),
    "EY": _vowel(0.110, (480, 1720, 2520), (330, 2020, 2600)),
    "AY": _vowel(0.125, (660, 1200, 2550), (400, 1880, 2500)),
    "OW": _vowel(0.110, (540, 1100, 2300), (450, 900, 2300)),
    "W": _sonorant((290, 610, 2150)),
    "R": _sonorant((310, 1060, 1380)),
    "L": _sonorant((310, 1050, 2880)),
    "M": _sonorant((480, 1270, 2130), nasal=1.0),
    "N": _sonorant((480, 1340, 2470), nasal=1.0),
    "NG": _sonorant((480, 2000, 2900), nasal=1.0),
    "F": _fricative((340, 1100, 2080), 0.08, 6500, 6000),
    "S": _fricative((320, 1390, 2530), 0.28, 6300, 1300),
    "SH": _fricative((300, 1840, 2750), 0.35, 3400, 1400),
    "V": _fricative((220, 1100, 2080), 0.05, 6500, 6000, voice=0.5),
    "DH": _fricative((270, 1290, 2540), 0.04, 6500, 6000, voice=0.5),
    "Z": _fricative((240, 1390, 2530), 0.15, 6300, 1300, voice=0.4),
    "HH": (Segment(0.060, (500, 1500, 2500), voice=0.1, breath=0.25),),
    "P": _stop((400, 1100, 2150), 0.20, 1000),
    "T": _stop((400, 1600, 2600), 0.40, 4500),
    "K": _stop((300, 1990, 2850), 0.35, 2200),
    "B": _stop((200, 1100, 2150), 0.12, 900, voice=0.5),
    "D": _stop((200, 1600, 2600), 0.22, 4200, voice=0.5),
    "G": _stop((200, 1990, 2850), 0.20, 2000, voice=0.5),
}


def frames(segment: Segment) -> int:
    """How many frames a segment takes: at least one."""
    return max(1, round(segment.seconds * FRAMES_PER_SECOND))


def _smooth(track: Array, width: int) -> Array:
    """Glide over the steps of `track` (T, ...) with a Hann window of `width` frames."""
    window = np.hanning(width + 2)[1:-1]
    return np.asarray(convolve1d(track, window / window.sum(), axis=0, mode="nearest"))


def _per_sample(track: Array) -> Array:
    """A track of T frames at S = T * HOP samples, linear between the frames' centres."""
    centres = (np.arange(len(track)) + 0.5) * HOP
    return np.interp(np.arange(len(track) * HOP), centres, track)


def _glottis(f0: Array, voice: Voice, rng: np.random.Generator) -> tuple[Array, Array]:
    """Flow derivative (S,) of unit RMS, and where the glottis is open (S,), from F0 (T,) in Hz.

    The samples are differences of the analytic flow: the mean of its derivative over each
    sample, which aliases far less than the derivative's own corner would.
    """
    hz = _per_sample(f0)
    time = np.arange(len(hz)) / SAMPLE_RATE
    hz = hz * (1 + voice.tremor * np.sin(2 * np.pi * (TREMOR_HZ * time + rng.uniform())))
    cycle = np.floor(np.cumsum(hz) / SAMPLE_RATE).astype(np.intp)
    period, loudness = rng.standard_normal((2, cycle[-1] + 1)).clip(-3, 3)
    phase = np.cumsum(hz * (1 + voice.jitter * period[cycle])) / SAMPLE_RATE
    cycle = np.floor(phase).astype(np.intp)
    u = np.minimum((phase - cycle) / voice.open_quotient, 1.0)
    gain = 10 ** (voice.shimmer * loudness.take(cycle, mode="wrap") / 20)
    derivative = np.diff(gain * (u**2 - u**3), prepend=0.0)
    return derivative / np.sqrt(np.mean(derivative**2)), (u < 1).astype(np.float64)


def _resonator(hz: Array, bandwidth: Array) -> tuple[Array, Array, Array]:
    """Klatt's (1980) digital resonator b0 / (1 + a1 z^-1 + a2 z^-2), of gain 1 at 0 Hz."""
    hz, bandwidth = np.broadcast_arrays(hz, bandwidth)
    radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
    a1 = -2 * radius * np.cos(2 * np.pi * hz / SAMPLE_RATE)
    a2 = radius**2
    return 1 + a1 + a2, a1, a2


def _sections(pole: tuple[Array, Array, Array]) -> Array:
    """Resonators (...,) as second-order sections (..., 6)."""
    b0, a1, a2 = pole
    zero = np.zeros_like(b0)
    return np.stack([b0, zero, zero, np.ones_like(b0), a1, a2], axis=-1)


def _carry(sos: Array) -> tuple[Array, Array]:
    """How a filter's state passes from the coefficients of a frame to those of the next.

    A section keeps z2 = -a2 y1 and z1 = -a1 y1 - a2 y2. When the coefficients step, it is the
    past output y that must be continuous, not z, or every step clicks; so z2' = r z2 and
    z1' = r z1 + m z2, with r = a2' / a2 and m = (a1' - r a1) / a2. The zeros: likewise, with the
    past input.

    Args:
        sos: (T, K, 6), each section either all-pole or all-zero.

    Returns:
        r and m, (T, K) each: from frame t - 1 to frame t.
    """
    old, new = np.concatenate([sos[:1], sos[:-1]]), sos
    is_zero = old[..., 5] == 0
    old1, old2 = (np.where(is_zero, old[..., 1 + k], old[..., 4 + k]) for k in (0, 1))
    new1, new2 = (np.where(is_zero, new[..., 1 + k], new[..., 4 + k]) for k in (0, 1))
    r = new2 / old2
    return r, (new1 - r * old1) / old2


def _cascade(source: Array, formants: Array, nasal: Array, voice: Voice) -> Array:
    """Filter `source` (S,) by F1 to F3 (T, 3) and the nasal pair, set anew in each frame.

    The treble is raised before and lowered after: a step of the coefficients bends the wave in
    proportion to the low partials, and the bend's own treble would show as clicks.
    """
    source = np.asarray(lfilter([1, -EMPHASIS], [1], source))
    lossy = 1 + 2 * voice.breath  # an open glottis damps the formants, F1 most
    mouth = _sections(_resonator(formants, BANDWIDTHS * np.array([lossy, 1.0, 1.0])))[:, ::-1]
    wide = np.asarray(100.0)  # Hz, of the nasal pole and zero (Klatt 1980)
    g0, z1, z2 = _resonator(270 + 180 * nasal, wide)  # the zero: 270 Hz, or 450 Hz in a nasal
    one, none = np.ones_like(nasal), np.zeros_like(nasal)
    zero = np.stack([one / g0, z1 / g0, z2 / g0, one, none, none], axis=-1)
    pole = _sections(_resonator(np.full_like(nasal, 270.0), wide))
    sos = np.concatenate([zero[:, None], pole[:, None], mouth], axis=1)  # (T, 5, 6)
    r, m = _carry(sos)
    state = np.zeros((sos.shape[1], 2))
    out = np.empty_like(source)
    for t, block in enumerate(source.reshape(-1, HOP)):
        state[:, 0] = r[t] * state[:, 0] + m[t] * state[:, 1]
        state[:, 1] *= r[t]
        out[t * HOP : (t + 1) * HOP], state = sosfilt(sos[t], block, zi=state)
    # F4 and up, 1 kHz apart as in an even tube, as far as they lie under half the rate.
    upper = np.arange(3500.0, 7600.0, 1000.0) * voice.tract
    upper = upper[upper < 0.48 * SAMPLE_RATE]
    out = sosfilt(_sections(_resonator(upper, 0.07 * upper)), out)
    return np.asarray(lfilter([1], [1, -EMPHASIS], out))


def _hiss(segments: Sequence[Segment], tract: float, rng: np.random.Generator) -> Array:
    """The noises of the mouth (S,): each a resonance of white noise with soft edges."""
    ends = np.cumsum([frames(segment) for segment in segments]) * HOP
    out = np.zeros(ends[-1])
    for segment, end in zip(segments, ends, strict=True):
        if not segment.hiss:
            continue
        length = frames(segment) * HOP
        # Cavities in front of a constriction scale less with the tract than the formants do.
        centre = min(segment.centre * np.sqrt(tract), 0.47 * SAMPLE_RATE)
        b0, a1, a2 = map(float, _resonator(np.asarray(centre), np.asarray(segment.width)))
        noise = lfilter([b0, 0, -b0], [1, a1, a2], rng.standard_normal(length))
        edge = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)) / (0.4 * length)
        noise *= np.sin(np.pi / 2 * edge.clip(max=1.0))
        out[end - length : end] = segment.hiss * noise / np.sqrt(np.mean(noise**2))
    return out


def speak(segments: Sequence[Segment], f0: Array, voice: Voice, rng: np.random.Generator) -> Array:
    """Speak the segments.

    Args:
        segments: What to say, with final durations.
        f0: Fundamental frequency in Hz, one value per frame of all segments together.
        voice: How larynx and tract are set.
        rng: Gives the noises and the irregularities.

    Returns:
        Samples at 16 kHz, `HOP` for each frame; vowels have an RMS near 1.
    """
    counts = [frames(segment) for segment in segments]
    target = np.repeat(np.array([segment.formants for segment in segments]), counts, axis=0)
    target = SCHWA + np.clip(voice.precision, 0.3, 1.1) * (target - SCHWA)
    glide = round((0.110 - 0.05 * voice.precision) * FRAMES_PER_SECOND)  # 60 ms when precise
    formants = _smooth(target, glide) * voice.tract
    formants[:, 0] *= voice.jaw
    rows = np.array([(segment.voice, segment.nasal, segment.breath) for segment in segments])
    levels = _smooth(np.repeat(rows, counts, axis=0), 5)  # 25 ms: voicing does not click
    voicing, breath = _per_sample(levels[:, 0]), _per_sample(levels[:, 2])

    pulses, is_open = _glottis(f0, voice, rng)
    corner = 3000 / np.sqrt(10 ** (max(voice.tilt, 0.5) / 10) - 1)  # one pole, `tilt` dB at 3 kHz
    decay = np.exp(-2 * np.pi * corner / SAMPLE_RATE)
    pulses = np.asarray(lfilter([1 - decay], [1, -decay], pulses))
    air = rng.standard_normal(len(pulses)) * (0.3 + 0.7 * is_open)
    source = voicing * pulses + (voicing * voice.breath + breath) * 0.3 * air
    sound = _cascade(source, formants, levels[:, 1], voice)
    vowels = voicing > 0.5 * voicing.max()
    loud = np.sqrt(np.mean(sound[vowels] ** 2)) if vowels.any() else 1.0
    return np.asarray(sound / loud + _hiss(segments, voice.tract, rng))
