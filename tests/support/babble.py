"""Something between noise and speech: bands whose loudness moves as slowly as syllables."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

RATE = 16_000


def babble(seed: int, seconds: float = 2.0) -> NDArray[np.float32]:
    """One recording; each seed another, (n,) at 16 kHz."""
    rng = np.random.default_rng(seed)
    n = round(RATE * seconds)
    t = np.arange(n) / RATE
    frames = n // 160 + 1
    total = np.zeros(n)
    for hz in np.geomspace(150, 4000, 40):
        slow = gaussian_filter1d(rng.normal(size=frames), 8)
        loudness = np.exp(2.5 * slow / slow.std())
        envelope = np.interp(np.arange(n), 160 * np.arange(frames), loudness)
        total += envelope * np.sin(2 * np.pi * hz * rng.uniform(0.97, 1.03) * t + rng.uniform(0, 6))
    return (0.4 * total / np.abs(total).max()).astype(np.float32)
