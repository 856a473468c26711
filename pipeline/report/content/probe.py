"""A linear probe: how much a straight line knows of the classes, in one layer of vectors.

Ridge regression onto a target per class, its penalty chosen by leave-one-out on the training
part alone (closed form: Golub, Heath and Wahba, Technometrics 21, 1979). A quick yardstick for
vectors, no rival.

Shapes: n clips, L width, D target dimensions, C classes.
"""

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.report.content.data import Floats

_PENALTIES = np.logspace(-6, 1, 15)
"""Shares of the largest eigenvalue of the Gram matrix."""


class Ridge:
    """Vectors to targets, fitted.

    Args:
        x: (n, L) training vectors.
        t: (n, D) their targets.
    """

    def __init__(self, x: NDArray[np.floating], t: Floats) -> None:
        x = np.asarray(x, np.float64)
        self._mean, scale = x.mean(0), x.std(0)
        self._scale = np.where(scale > 1e-9, scale, 1.0)
        z = self.standardized(x)
        self._offset = t.mean(0)
        n, L = z.shape
        values, vectors = np.linalg.eigh(z.T @ z if n > L else z @ z.T)
        keep = values > max(values[-1], 1e-12) * 1e-10
        values, vectors = values[keep], vectors[:, keep]
        # left and right singular vectors; whichever side is shorter was decomposed
        if n > L:
            left, right = z @ vectors / np.sqrt(values), vectors
        else:
            left, right = vectors, z.T @ vectors / np.sqrt(values)
        aims = left.T @ (t - self._offset)  # (r, D)
        shrunk = min(
            (values / (values + penalty * values[-1]) for penalty in _PENALTIES),
            key=lambda share: _left_out(left, share, aims, t - self._offset),
        )
        self._weights = right @ ((shrunk / np.sqrt(values))[:, None] * aims)

    def standardized(self, x: NDArray[np.floating]) -> Floats:
        """(n, L), by the mean and standard deviation of the training part."""
        z: Floats = (np.asarray(x, np.float64) - self._mean) / self._scale
        return z

    def __call__(self, x: NDArray[np.floating]) -> Floats:
        """(n, L) -> (n, D)."""
        answer: Floats = self.standardized(x) @ self._weights + self._offset
        return answer


def _left_out(left: Floats, share: Floats, aims: Floats, t: Floats) -> float:
    """Mean squared error of each training clip by the fit without it."""
    leverage = np.square(left) @ share + 1 / len(left)
    error = (t - left @ (share[:, None] * aims)) / np.maximum(1 - leverage, 1e-9)[:, None]
    return float(np.square(error).mean())


def one_hot(labels: NDArray[np.int64], classes: int) -> Floats:
    """(n,) -> (n, C)."""
    return np.eye(classes)[labels]


def polygon(classes: int) -> Floats:
    """(C, 2): a place on the unit circle for each class, the first one on top, clockwise."""
    angles = np.pi / 2 - 2 * np.pi * np.arange(classes) / classes
    return np.stack([np.cos(angles), np.sin(angles)], 1)
