"""Kaldi's log-mel bands: those of `torchaudio.compliance.kaldi.fbank` to the bit, in half its time.

It makes its window and its filters anew for each clip, copies all frames four times and sums up an
energy that nobody asked for. Here tables are made once, by the same functions, and each step is the
same operation on the same numbers; a test holds the two against each other.

Letters: n samples, F frames.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchaudio.compliance import kaldi

from gensr.features.audio.resample import SAMPLE_RATE

BANDS = 80
FULL_SCALE = 32_768.0
"""Kaldi's bands are of 16-bit integers; samples in [-1, 1] are brought to their range."""
FLOOR = 0.0
"""Natural log of one: below the quantisation noise of 16 bits. Without it, and without dither,
a stretch of digital zeros would sit at -15.9 and one pause would outweigh the speech."""
WINDOW, SHIFT = 400, 160
"""Samples, 25 and 10 ms."""

_TRANSFORM = 512
"""Samples of a Fourier transform: the window, and zeros."""
_EMPHASIS = 0.97
"""What is taken off each sample of the one before it, Kaldi's default."""
_LOWEST = 20.0
"""Hz, where the first band begins, Kaldi's default; the last one ends at half the sample rate."""
_EPSILON = torch.finfo(torch.float32).eps
"""Power below which Kaldi's log does not look."""


def log_mel_bands(samples: NDArray[np.float32]) -> Tensor:
    """(n,) samples at 16 kHz -> (F, 80), F = floor((n - 400) / 160) + 1, at least `FLOOR`.

    >>> log_mel_bands(np.zeros(560, np.float32)).shape
    torch.Size([2, 80])
    """
    window, filters = _tables()
    scaled = torch.tensor(samples) * FULL_SCALE
    frames = scaled.as_strided(((len(samples) - WINDOW) // SHIFT + 1, WINDOW), (SHIFT, 1))
    frames = frames - frames.mean(dim=1, keepdim=True)
    padded = torch.empty((len(frames), _TRANSFORM))
    padded[:, WINDOW:] = 0.0
    heard = padded[:, :WINDOW]
    torch.mul(frames[:, :-1], _EMPHASIS, out=heard[:, 1:])
    torch.mul(frames[:, :1], _EMPHASIS, out=heard[:, :1])  # the first has itself before it
    torch.sub(frames, heard, out=heard).mul_(window)
    power = torch.fft.rfft(padded).abs().pow_(2.0)  # (F, 257)
    return torch.mm(power, filters.T).clamp_(min=_EPSILON).log_().clamp_(min=FLOOR)


@cache
def _tables() -> tuple[Tensor, Tensor]:
    """Return Povey's window, (400,), and the mel filters with nothing at the top, (80, 257)."""
    # Outside of inference mode, if that is on: tables that are kept serve whoever comes.
    with torch.inference_mode(False), torch.no_grad():
        window = torch.hann_window(WINDOW, periodic=False).pow(0.85)
        rate = float(SAMPLE_RATE)
        filters, _ = kaldi.get_mel_banks(BANDS, _TRANSFORM, rate, _LOWEST, 0.0, 100.0, -500.0, 1.0)
        return window, torch.nn.functional.pad(filters, (0, 1))
