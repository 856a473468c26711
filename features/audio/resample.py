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
import threading
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import GensrError, one_line

SAMPLE_RATE = 16_000
"""Hz."""

_CROSSINGS = 6
"""Zero crossings of the sinc to either side."""
_ROLLOFF = 0.99
"""Cut-off, as a share of the lower of the two Nyquist rates."""
RESAMPLER = (
    "torchaudio.functional.resample, sinc_interp_hann, "
    f"lowpass_filter_width {_CROSSINGS}, rolloff {_ROLLOFF}, float64"
)
"""The function that is computed, for the store; not who computes it."""

_BLOCK_SAMPLES = 1 << 17
"""Output samples computed at a time, 1 MiB; their inputs are 3 MiB at 48 kHz, 48 at 768."""
_MAKING_TAPS = threading.Lock()
"""Readers that come to a new rate together make its filter once."""


def resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Band-limited interpolation from `rate` to 16 kHz, (n,) -> (ceil(n * 16000 / rate),).

    Args:
        samples: (n,) at `rate`; before and behind them is silence.
        rate: Hz, above 0.

    Raises:
        GensrError: see `load_upfirdn`.
    """
    old, new = _ratio(rate)
    result = np.empty(-(-len(samples) * new // old), np.float32)
    done = 0
    for block in resampled_blocks(samples, rate):
        result[done : done + len(block)] = block
        done += len(block)
    return result


@cache
def load_upfirdn() -> Callable[..., Any]:
    """Return scipy's polyphase filter; importing it takes 0.6 s, and only some clips need it.

    Raises:
        GensrError: it cannot be imported: not the clip's fault, so no `AudioError`.
    """
    try:
        from scipy.signal import upfirdn
    except Exception as error:  # built for another numpy, it raises what it likes
        raise GensrError(
            f"scipy.signal cannot be imported ({one_line(error)}): install scipy again, for this "
            "numpy"
        ) from error
    found: Callable[..., Any] = upfirdn
    return found


def resampled_blocks(
    samples: NDArray[np.float32] | NDArray[np.float64], rate: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the samples at 16 kHz, some at a time: beside them, memory does not follow n.

    Args:
        samples: (n,) at `rate`; before and behind them is silence.
        rate: Hz, above 0.

    Yields:
        (k,) float64; ceil(n * 16000 / rate) samples in all. Where they are cut changes no bit.

    Raises:
        GensrError: see `load_upfirdn`.
    """
    upfirdn = load_upfirdn()
    old, new = _ratio(rate)
    with _MAKING_TAPS:
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


@lru_cache(maxsize=2)
def _taps(rate: int) -> tuple[NDArray[np.float64], int]:
    """Return h at every 1 / new of an input sample, and the outputs that lie before the first one.

    The zeros in front of the taps, less than `old`, make these a whole number. Sine and cosine
    are the C library's: numpy's differ in the last bit from processor to processor. Of 48 kHz
    there are 40 taps, of 24414 Hz 1.2 MB; of the oddest rates below 768 kHz 80 MB, in seconds.
    """
    old, new = _ratio(rate)
    cutoff = min(old, new) * _ROLLOFF / old
    half = math.ceil(_CROSSINGS * new / cutoff)
    t = np.minimum(np.arange(half + 1) / new * cutoff, _CROSSINGS)  # (half + 1,) from 0
    taps = np.fromiter(map(math.cos, t * (math.pi / _CROSSINGS / 2)), float, half + 1) ** 2
    taps *= cutoff
    angle = math.pi * t[1:]
    taps[1:] *= np.fromiter(map(math.sin, angle), float, half) / angle
    lead = -(-half // old)
    return np.concatenate([np.zeros(lead * old - half), taps[:0:-1], taps]), lead


def _ratio(rate: int) -> tuple[int, int]:
    """Return old and new rate without their common divisor."""
    divisor = math.gcd(rate, SAMPLE_RATE)
    return rate // divisor, SAMPLE_RATE // divisor
