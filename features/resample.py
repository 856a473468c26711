"""From any sample rate to 16 kHz: one function of the samples, computed in two ways.

The function is torchaudio's: the sinc of a low-pass filter under a Hann window, six zero
crossings to either side. torchaudio holds one filter for every output sample of a period, each as
long as the period. Where the two rates have hardly a common divisor (TESS is at 24414 Hz) those
are gigabytes, of which almost all is zero. Here the same numbers are then computed from the few
inputs under the window alone. Everything is float64 and rounded once, so that the last bits, and
with them the content address, hardly depend on the processor and not on the number of threads.

torch is imported only where torchaudio computes: reading workers stay light.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import GensrError

SAMPLE_RATE = 16_000
"""Hz."""

_LOWPASS_FILTER_WIDTH = 6
"""Zero crossings of the sinc to either side."""
_ROLLOFF = 0.99
"""Cut-off, as a share of the lower of the two Nyquist rates."""
_METHOD = "sinc_interp_hann"
RESAMPLER = (
    f"torchaudio.functional.resample, {_METHOD}, "
    f"lowpass_filter_width {_LOWPASS_FILTER_WIDTH}, rolloff {_ROLLOFF}, float64"
)
"""What is computed, for the store; true of both ways, which differ by float64's rounding."""

_MAX_KERNEL = 1 << 25
"""Elements of torchaudio's filters (256 MiB) up to which torchaudio computes."""
_SINE, _COSINE = np.vectorize(math.sin, [float]), np.vectorize(math.cos, [float])
"""Of the C library: numpy's own differ in the last bit from processor to processor."""
_BLOCK_SAMPLES = 1 << 17
"""Output samples computed at a time: a handful of arrays of 1 MiB."""


def resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Band-limited interpolation from `rate` to 16 kHz, (n,) -> (ceil(n * 16000 / rate),).

    Args:
        samples: (n,) at `rate`.
        rate: Hz, above 0.

    Raises:
        GensrError: torchaudio is needed and cannot be imported.
    """
    old, new, _ = _ratio(rate)
    if resampling_is_sparse(rate):
        result = np.empty(-(-len(samples) * new // old), np.float32)
        done = 0
        for block in sparse_blocks(samples, rate):
            result[done : done + len(block)] = block
            done += len(block)
        return result
    interpolate = load_resampler()
    import torch

    resampled = interpolate(
        torch.from_numpy(samples.astype(np.float64)),
        rate,
        SAMPLE_RATE,
        lowpass_filter_width=_LOWPASS_FILTER_WIDTH,
        rolloff=_ROLLOFF,
        resampling_method=_METHOD,
    )
    rounded: NDArray[np.float32] = resampled.numpy().astype(np.float32)
    return rounded


def resampling_is_sparse(rate: int) -> bool:
    """Whether `resample` needs no torchaudio: the filters it would make are too large."""
    old, new, width = _ratio(rate)
    return new * (old + 2 * width) > _MAX_KERNEL


@cache
def load_resampler() -> Callable[..., Any]:
    """Return torchaudio's resampling; importing it takes seconds, and only some clips need it.

    Raises:
        GensrError: it cannot be imported: not the clip's fault, so no `AudioError`.
    """
    try:
        from torchaudio.functional import resample as interpolate
    except Exception as error:  # a library of another CUDA version raises what it likes
        told = " ".join(str(error).split())
        raise GensrError(
            f"torchaudio cannot be imported ({told}): install torch and torchaudio of one release"
        ) from error
    loaded: Callable[..., Any] = interpolate
    return loaded


def sparse_blocks(
    samples: NDArray[np.float32] | NDArray[np.float64], rate: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the samples at 16 kHz, some at a time, from the inputs under each filter alone.

    Output m lies at m * old / new of the inputs. A period is `new` outputs, for `old` inputs:
    the filters repeat with it. Taps are added one after another, in the order of time.

    Args:
        samples: (n,) at `rate`; before and behind them is silence.
        rate: Hz, above 0.

    Yields:
        (k,) float64; ceil(n * 16000 / rate) samples in all.
    """
    old, new, width = _ratio(rate)
    filters = _filters(rate)
    starts = np.arange(new) * old // new  # (new,) input at or before each output of a period
    count = -(-len(samples) * new // old)
    rows = max(1, _BLOCK_SAMPLES // new)
    for first in range(0, count, rows * new):
        periods = min(rows, -(-(count - first) // new))
        begin = first // new * old - width
        heard = _with_silence(samples, begin, begin + periods * old + 2 * width + 2)
        places = np.arange(periods)[:, None] * old + starts  # (periods, new)
        block = np.zeros((periods, new))
        for tap in filters:
            block += tap * heard[places]
            places += 1
        yield block.ravel()[: count - first]


@lru_cache(maxsize=1)
def _filters(rate: int) -> NDArray[np.float64]:
    """Return the taps of a period's outputs, (2 * width + 2, new): 1.4 MB for 24414 Hz."""
    old, new, width = _ratio(rate)
    behind = np.arange(new) * old % new / new  # (new,) inputs from the one before to the output
    cutoff = min(old, new) * _ROLLOFF / old
    taps = np.empty((2 * width + 2, new))
    for tap, place in zip(taps, range(-width, width + 2), strict=True):
        t = np.clip((place - behind) * cutoff, -_LOWPASS_FILTER_WIDTH, _LOWPASS_FILTER_WIDTH)
        window = _COSINE(t * (math.pi / _LOWPASS_FILTER_WIDTH / 2)) ** 2
        sine, angle = _SINE(math.pi * t), np.where(t == 0, 1.0, math.pi * t)
        tap[:] = np.where(t == 0, 1.0, sine / angle) * window * cutoff
    return taps


def _with_silence(
    samples: NDArray[np.float32] | NDArray[np.float64], begin: int, end: int
) -> NDArray[np.float64]:
    """Return samples[begin:end] as float64, with zeros where there are none."""
    inside = samples[max(0, begin) : max(0, end)]
    found = np.zeros(end - begin)
    found[max(0, -begin) : max(0, -begin) + len(inside)] = inside
    return found


def _ratio(rate: int) -> tuple[int, int, int]:
    """Return old and new rate without their common divisor, and the inputs under half a filter."""
    divisor = math.gcd(rate, SAMPLE_RATE)
    old, new = rate // divisor, SAMPLE_RATE // divisor
    return old, new, math.ceil(_LOWPASS_FILTER_WIDTH * old / (min(old, new) * _ROLLOFF))
