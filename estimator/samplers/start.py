"""Where a way begins: at speech itself, or in the noise that training had around it.

Shapes: B batch, D draws, L width.
"""

import inspect

import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.ranges import check_range
from gensr.estimator.samplers.sampler import Sampler, Trajectory

STARTS = ("speech", "noisy")
"""x_T = x1, which is the paper's, or x_T = x1 + sigma_T z, as training has seen it."""
MOST_DRAWS = 1000
"""Draws above this are a slip of the keyboard: each costs as much as one answer."""


def check_start(start: str, draws: int) -> None:
    """Refuse what is no start.

    Raises:
        ConfigError: no such start, or draws where nothing is drawn.
    """
    if start not in STARTS:
        raise ConfigError(f"start must be one of {', '.join(STARTS)}; found {start}")
    check_range("draws", draws, least=1, most=MOST_DRAWS)
    if start == "speech" and draws > 1:
        raise ConfigError(
            f"draws = {draws} are of a noisy start; pass start = noisy, or drop draws"
        )


def start_noise(start: str, draws: int, width: int) -> Tensor | None:
    """Draw z of each noisy start, (D, L), by torch's generator; None, nothing drawn, at speech.

    Drawn once, when the model is made, and kept with its weights: so it follows from the run's
    seed, each call gives the same answer, and a clip's answer does not depend on its batch. All
    clips share the draws; each start is distributed as in training, and none tells a class.
    """
    return torch.randn(draws, width) if start == "noisy" else None


def noisy(x1: Tensor, path: GaussianPath, T: Tensor, z: Tensor) -> Tensor:
    """x_T = x1 + sigma_T z for every draw: (B, L) and (D, L) -> (D * B, L), a draw at a time."""
    return (x1 + path.variance.sigma(T) * z[:, None]).flatten(0, 1)


def check_takes_start(sampler: Sampler, name: str) -> None:
    """Refuse a sampler, another package's, that begins at x1 alone.

    Raises:
        ConfigError: it has no argument `x_T`.
    """
    if "x_T" not in inspect.signature(sampler).parameters:
        raise ConfigError(
            f"the sampler {name} begins at speech alone (it takes no x_T); choose another, or pass "
            "start = speech"
        )


def over_draws(way: Trajectory, D: int) -> Trajectory:
    """The mean way over draws: (..., D * B, L) -> (..., B, L)."""
    return Trajectory(way.times, mean_over(way.states, D, 1), mean_over(way.estimates, D, 1))


def mean_over(some: Tensor, D: int, dim: int = 0) -> Tensor:
    """The mean over draws, of which an axis holds D * B: that axis becomes B."""
    mean: Tensor = torch.stack(some.chunk(D, dim)).mean(0)
    return mean
