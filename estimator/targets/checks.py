"""What a path and a target must be, for a training to be worth anything."""

import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.guessed import guessed
from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.targets.target import Target

CARRIED = 0.02
"""Most of x0 that the mean may still hold at T. Training would read the label there, and an answer
begins without one: of 1024 numbers of unit spread, 2 % lift a guess among 7 from 14 to 25 %."""
TOLD = 1 / 6
"""Most that x_T may add to the chance of guessing the class, where x1 is known beside it. Logistic
means of k = 10 add .05 at T = .99 and .10 at .97 (C = 7, L = 512, sigma = .5)."""
AMPLIFIED = 1e5
"""Most that an error of the network may grow by on its way into x0_hat; beyond it float32 has no
digit left."""


def check_carried(path: GaussianPath, T: float) -> None:
    """Refuse a mean that has not let go of the label at T.

    Raises:
        ConfigError: how much of it is left, and what to do.
    """
    left = 1 - path.mean.a(torch.tensor(T, dtype=torch.float64)).item()
    if left > CARRIED:
        raise ConfigError(
            f"at T = {T} the mean {path.mean.name} still carries {100 * left:.1f} % of the label "
            f"(most: {100 * CARRIED:g} %), which training would read and no answer has; raise T, "
            "or make the mean steeper"
        )


def check_told(path: GaussianPath, T: float, codes: Tensor) -> None:
    """Refuse a path whose state at T gives the label away to a network that knows x1 too.

    Such a network takes x1 out of x_T; against the noise alone far less of x0 is enough than
    `check_carried` leaves.

    Args:
        path: mean and variance.
        T: where an answer begins.
        codes: (C, L).

    Raises:
        ConfigError: how much is told, and what to do.
    """
    told = guessed(path, codes, torch.tensor([T], dtype=torch.float64), spread=0.0).item()
    chance = 1 / len(codes)
    if told > chance + TOLD:
        raise ConfigError(
            f"at T = {T} a network that knows x1 reads the class in x_T ({100 * told:.0f} % of "
            f"guesses, by chance {100 * chance:.0f} %), which training would do and no answer can; "
            f"raise T or the noise of the variance {path.variance.name}, or take --inputs sum"
        )


def check_estimate(target: Target, path: GaussianPath, t_eps: float, T: float) -> None:
    """Refuse a target from whose answers no x0 follows on this path.

    Raises:
        ConfigError: at which time, and what to do.
    """
    times = torch.linspace(t_eps, T, 1001, dtype=torch.float64)
    grown = target.amplified(path, times)
    # A divisor that changes its sign is zero between two of the times.
    bad = ~(torch.isfinite(grown) & (grown.abs() < AMPLIFIED) & (grown * grown[0] > 0))
    if bad.any():
        raise ConfigError(
            f"the target {target.name} says nothing of x0 at t = {times[bad][0]:.3g} of the mean "
            f"{path.mean.name} with the variance {path.variance.name}; choose another variance, or "
            "lower T"
        )
