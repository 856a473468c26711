"""Vectors without audio: clouds of points that a classifier can tell apart, or cannot."""

import torch

from gensr.estimator.resident import Resident

CLASSES = ("a", "b", "c", "d")
K, L = 2, 16
"""Conditioning layers, and their width."""


def clips(n: int, *, informative: bool = True, seed: int = 0, groups: int = 6) -> Resident:
    """N clips (N, K+1, L) of the four classes, by several speakers in turn.

    Without a label in them where not informative.
    """
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(len(CLASSES), K + 1, L, generator=torch.Generator().manual_seed(99))
    y = torch.randint(len(CLASSES), (n,), generator=g)
    x = torch.randn(n, K + 1, L, generator=g)
    spoken = torch.arange(n) % groups
    return Resident(x + centres[y] if informative else x, y, groups=spoken)
