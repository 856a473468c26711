"""What is said of bands over time: means, spreads, percentiles, changes.

The numbers are those of `torchaudio.functional.compute_deltas` and `numpy.percentile`, to the bit,
for a third of the time: a slope over five frames is four additions and no convolution of 80
channels, and percentiles of what was sorted are looked up.

Letters: F frames.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensr.features.encoders.log_mel import BANDS

PERCENTILES = (10, 25, 50, 75, 90)
STATISTICS = (
    "std",  # how far each band swings
    "flux",  # mean absolute change from frame to frame
    "delta_std",  # spread of its slope and of its curvature: how lively the speech is
    "delta2_std",
    *(f"p{percent}" for percent in PERCENTILES),
    "loud_mean",  # mean over the louder half of the frames: the voice without its pauses
    "mean",  # x1
)


def statistics(bands: Tensor) -> NDArray[np.float32]:
    """(F, 80) -> (statistics, 80); of a single frame every spread and change is zero."""
    across = bands.T.contiguous()  # (80, F)
    slope = slopes(across)
    change = bands.diff(dim=0).abs()
    loudness = bands.mean(dim=1)  # (F,)
    loud = bands[loudness >= loudness.median()]
    rows = [
        bands.std(dim=0, correction=0).numpy(),
        change.mean(dim=0).numpy() if len(change) else np.zeros(BANDS),
        slope.std(dim=1, correction=0).numpy(),
        slopes(slope).std(dim=1, correction=0).numpy(),
        *percentiles(across.numpy()),
        loud.mean(dim=0).numpy(),
        bands.mean(dim=0).numpy(),
    ]
    return np.stack([row.astype(np.float32) for row in rows])


def slopes(across: Tensor) -> Tensor:
    """Regression slope over five frames, edges repeated: (80, F) -> (80, F).

    The factors are powers of two, so only the order of the additions decides the last bit: it is
    that in which a convolution goes over its kernel.
    """
    count = across.shape[1]
    wide = torch.nn.functional.pad(across[None], (2, 2), mode="replicate")[0]
    total = wide[:, :count] * -2.0
    total -= wide[:, 1 : count + 1]
    total += wide[:, 3 : count + 3]
    total += wide[:, 4:] * 2.0
    return total.div_(10.0)


def percentiles(across: NDArray[np.float32]) -> NDArray[np.float64]:
    """(80, F) -> (percentiles, 80), between two frames by a straight line.

    >>> percentiles(np.float32([[0, 10, 20, 30, 40]]))[:, 0].round(6).tolist()
    [4.0, 10.0, 20.0, 30.0, 36.0]
    """
    ordered = np.sort(across, axis=1)
    last = across.shape[1] - 1
    place = last * np.true_divide(PERCENTILES, 100)
    below = np.floor(place).astype(np.int64)
    share = place - below
    low, high = ordered[:, below], ordered[:, np.minimum(below + 1, last)]
    step = high - low
    found: NDArray[np.float64] = np.where(
        share >= 0.5, high - step * (1 - share), low + step * share
    )
    return found.T
