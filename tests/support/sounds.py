"""Clips of noise, as an encoder is given them."""

import numpy as np
from numpy.typing import NDArray


def noise(*lengths: int, seed: int = 0) -> list[NDArray[np.float32]]:
    """Clips of given lengths in samples, float32 (n,), with an offset and a level of their own."""
    rng = np.random.default_rng(seed)
    return [
        rng.normal(rng.normal(0, 0.02), rng.uniform(0.02, 0.3), n).astype(np.float32)
        for n in lengths
    ]
