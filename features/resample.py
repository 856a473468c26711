"""From any sample rate to 16 kHz: the sinc of a low-pass filter under a Hann window.

    y[m] = sum_k x[k] h(m * old / new - k)
    h(t) = c sinc(c t) cos(pi c t / 12) ** 2   for |c t| < 6, and 0 beyond
    c    = 0.99 min(old, new) / old

with t in input samples and `old` to `new` the ratio of the rates in its lowest terms. This is the
function of `torchaudio.functional.resample` at its defaults, to float64's rounding. It is
computed by scipy's polyphase filter, because torchaudio, for each of `new` output samples, holds
a filter as long as `old` inputs, gigabytes of zeros where the rates have hardly a common divisor
(TESS is at 24414 Hz); because importing torch takes each decoding process seconds; and because
reading threads with teams of torch threads of their own slow an encoder on the same cores.

Everything is float64, added up in one order and rounded once, so that the content address hardly
depends on the processor, and not on threads.
"""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz."""

_CROSSINGS = 6
"""Zero crossings of the sinc to either side."""
_ROLLOFF = 0.99
"""Cut-off, as a share of the lower of the two Nyquist rates."""
RESAMPLER = (
    f"sinc_interp_hann, lowpass_filter_width {_CROSSINGS}, rolloff {_ROLLOFF}, float64 "
    "(the function of torchaudio.functional.resample)"
)
"""What is computed, for the store."""

_SINE, _COSINE = np.vectorize(math.sin, [float]), np.vectorize(math.cos, [float])
"""Of the C library: numpy's own differ in the last bit from processor to processor."""
_BLOCK_SAMPLES = 1 << 17
"""Output samples computed at a time: a handful of arrays of 1 MiB."""


def resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Band-limited interpolation from `rate` to 16 kHz, (n,) -> (ceil(n * 16000 / rate),).

    Args:
        samples: (n,) at `rate`; before and behind them is silence.
        rate: Hz, above 0.
    """
    old, new = _ratio(rate)
    result = np.empty(-(-len(samples) * new // old), np.float32)
    done = 0
    for block in resampled_blocks(samples, rate):
        result[done : done + len(block)] = block
        done += len(block)
    return result


def resampled_blocks(
    samples: NDArray[np.float32] | NDArray[np.float64], rate: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the samples at 16 kHz, some at a time: beside them, memory does not follow n.

    Args:
        samples: (n,) at `rate`; before and behind them is silence.
        rate: Hz, above 0.

    Yields:
        (k,) float64; ceil(n * 16000 / rate) samples in all. Where they are cut changes no bit.
    """
    from scipy.signal import upfirdn  # 0.6 s: most corpora are at 16 kHz

    old, new = _ratio(rate)
    taps, lead = _taps(rate)
    reach = len(taps) // new + 1  # inputs that an output may need beyond its own place
    count = -(-len(samples) * new // old)
    periods = max(1, _BLOCK_SAMPLES // new)  # of `new` outputs for `old` inputs
    for first in range(0, count, periods * new):
        period = first // new
        earlier = min(period, -(-reach // old))
        inputs = samples[(period - earlier) * old : (period + periods) * old + reach]
        found = upfirdn(taps, inputs.astype(np.float64), new, old)
        begin = lead + earlier * new
        yield found[begin : begin + min(periods * new, count - first)]


@lru_cache(maxsize=4)
def _taps(rate: int) -> tuple[NDArray[np.float64], int]:
    """Return h at every 1 / new of an input sample, and the outputs that lie before the first one.

    The zeros in front of the taps, less than `old`, make these a whole number.
    """
    old, new = _ratio(rate)
    cutoff = min(old, new) * _ROLLOFF / old
    half = math.ceil(_CROSSINGS * new / cutoff)
    t = np.clip(np.arange(-half, half + 1) / new * cutoff, -_CROSSINGS, _CROSSINGS)
    window = _COSINE(t * (math.pi / _CROSSINGS / 2)) ** 2
    angle = math.pi * t
    sinc = np.where(t == 0, 1.0, _SINE(angle) / np.where(t == 0, 1.0, angle))
    lead = -(-half // old)
    return np.concatenate([np.zeros(lead * old - half), sinc * window * cutoff]), lead


def _ratio(rate: int) -> tuple[int, int]:
    """Return old and new rate without their common divisor."""
    divisor = math.gcd(rate, SAMPLE_RATE)
    return rate // divisor, SAMPLE_RATE // divisor
