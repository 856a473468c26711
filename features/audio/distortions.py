"""What may befall speech on its way: noise, another level, a telephone, a room, an amplifier.

Each function takes samples, (n,) float64 at 16 kHz, full scale 1, and gives as many. Whatever is
random follows from a seed alone, on every machine: the bits of a bit generator are promised to
stay what they are, its normal variates are not (NEP 19), so they are looked up in a table by 16
bits each. Sums run from left to right, as numpy's own order depends on the processor.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gensr.features.audio.resample import SAMPLE_RATE

Samples = NDArray[np.float64]

_BITS = 16
"""Of one variate: it lies within 4.3 standard deviations."""
_PINK = (
    (0.049922035, -0.095993537, 0.050612699, -0.004408786),
    (1.0, -2.494956002, 2.017265875, -0.522189400),
)
"""Numerator and denominator of 1/f: J. O. Smith, Spectral Audio Signal Processing, 2011,
"Example: Synthesis of 1/F Noise"; within 1 dB of 3 dB an octave from 20 Hz on."""
_SETTLED = 1430
"""Samples after which that filter has forgotten its beginning by 60 dB (there, too)."""
_BAND = (255.0, 3445.0)
"""Hz at which the filter at each end of a telephone line is 6 dB down: both together are 3 dB down
at 300 and at 3400 Hz, the edges of ITU-T G.712."""
_TAPS = 257
"""Of that filter: a delay of 128, whole at 8 kHz as well; 60 dB down from 3600 Hz on."""
_LINE = 8192.0
"""Full scale in units of G.711: 14 bits with the sign."""
_MOST = 8158.0
"""What G.711 limits to, one below its virtual last decision value."""
_BIAS = 33
"""Of G.711's mu-law: segment s holds magnitudes with 2^(5+s) <= m + 33 < 2^(6+s)."""


def white(samples: Samples, snr: float, seed: bytes) -> Samples:
    """Gaussian noise of equal power at all frequencies, `snr` dB below the clip.

    Both levels are variances over the whole clip: pauses count, a constant part does not.
    """
    return _mixed(samples, gaussian(len(samples), seed), snr)


def pink(samples: Samples, snr: float, seed: bytes) -> Samples:
    """Gaussian noise whose power falls by 3 dB an octave, `snr` dB below the clip."""
    from scipy.signal import lfilter  # 0.3 s of import, which whoever perturbs nothing is spared

    noise = lfilter(*_PINK, gaussian(len(samples) + _SETTLED, seed))[_SETTLED:]
    return _mixed(samples, noise, snr)


def gain(samples: Samples, decibels: float, seed: bytes) -> Samples:
    """Louder or softer, and cut at full scale, as a recorder would.

    >>> gain(np.array([0.25, -0.75]), 20 * np.log10(2), b"")
    array([ 0.5, -1. ])
    """
    return np.clip(samples * 10 ** (decibels / 20), -1.0, 1.0)


def clipped(samples: Samples, decibels: float, seed: bytes) -> Samples:
    """An overdriven amplifier: what is less than `decibels` below the clip's own peak is cut off.

    >>> clipped(np.array([0.5, -0.2]), 20 * np.log10(2), b"").round(9)
    array([ 0.25, -0.2 ])
    """
    limit = np.abs(samples).max() * 10 ** (-decibels / 20)
    return np.clip(samples, -limit, limit)


def reverberant(samples: Samples, seconds: float, seed: bytes) -> Samples:
    """A room in which sound dies by 60 dB in `seconds`; the clip's level stays.

    The impulse response is Polack's (1988): one direct sound, and Gaussian noise that decays
    exponentially, here with the energy of the direct sound (0 dB direct to reverberant), cut where
    it is 60 dB down. What sounds on beyond the clip's end is cut off.
    """
    from scipy.signal import fftconvolve

    count = round(seconds * SAMPLE_RATE)
    decay = 10 ** (-3 / count)
    tail = gaussian(count, seed) * np.multiply.accumulate(np.full(count, decay))
    room = np.concatenate([[1.0], tail / np.sqrt(_energy(tail))])
    heard = fftconvolve(samples, room)[: len(samples)]
    after = _energy(heard)
    return np.asarray(heard * np.sqrt(_energy(samples) / after)) if after else heard


def telephone(samples: Samples, value: float, seed: bytes) -> Samples:
    """A telephone line: 300 to 3400 Hz, 8 kHz, the 8 bits of G.711's mu-law, and back to 16 kHz.

    The band's filter stands at both ends of the line; its edges are 3 dB down in all.
    """
    from scipy.signal import upfirdn

    taps = _band_taps()
    half = _TAPS // 2
    line = upfirdn(taps, samples, 1, 2)[half // 2 :][: -(-len(samples) // 2)]
    return np.asarray(upfirdn(2 * taps, mu_law(line), 2, 1)[half : half + len(samples)])


def mu_law(samples: Samples) -> Samples:
    """Samples as G.711's mu-law gives them back: 255 values, finer the softer (ITU-T G.711, 1988).

    >>> (mu_law(np.array([0.0, 0.9, 2.0, 16.0, -33.0, 9000.0]) / 8192) * 8192).tolist()
    [0.0, 0.0, 2.0, 16.0, -33.0, 8031.0]
    """
    biased = np.minimum(np.abs(samples) * _LINE, _MOST) + _BIAS
    segment = np.frexp(biased)[1] - 6  # exact: the exponent is read, nothing is rounded
    step = np.floor(np.ldexp(biased, -segment - 1)) - 16  # 0 to 15 within the segment
    heard: Samples = (np.ldexp(2 * step + _BIAS, segment) - _BIAS) / _LINE
    return np.copysign(heard, samples)


def gaussian(count: int, seed: bytes) -> Samples:
    """(count,) independent variates of mean 0 and variance 1, to a part in 10^4.

    Args:
        count: how many.
        seed: what they follow from, and from nothing else.
    """
    words = np.random.PCG64(int.from_bytes(seed, "big")).random_raw(-(-count * _BITS // 64))
    variates: Samples = _quantiles()[words.astype("<u8").view("<u2")[:count]]
    return variates


@lru_cache(maxsize=1)
def _quantiles() -> Samples:
    """(65536,) quantiles of the normal distribution; rounded to float32, so the same everywhere."""
    from scipy.special import ndtri

    places = (np.arange(2**_BITS) + 0.5) / 2**_BITS
    exact: Samples = ndtri(places)
    return exact.astype(np.float32).astype(np.float64)


@lru_cache(maxsize=1)
def _band_taps() -> Samples:
    """(257,) linear-phase band-pass; rounded to 10^-9, so the same on every processor."""
    from scipy.signal import firwin

    taps: Samples = firwin(_TAPS, _BAND, pass_zero=False, fs=SAMPLE_RATE).round(9)
    return taps


def _mixed(samples: Samples, noise: Samples, snr: float) -> Samples:
    noise = noise - _mean(noise)
    ratio = _energy(samples - _mean(samples)) / _energy(noise)
    return np.asarray(samples + np.sqrt(ratio * 10 ** (-snr / 10)) * noise)


def _mean(samples: Samples) -> float:
    """Mean, added from left to right."""
    return float(np.add.accumulate(samples)[-1]) / len(samples)


def _energy(samples: Samples) -> float:
    """Sum of squares, added from left to right."""
    return float(np.add.accumulate(np.square(samples))[-1])
