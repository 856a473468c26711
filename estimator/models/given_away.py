"""How much of the label the noisy state gives away, by t.

Where x_t alone tells the class, a training step teaches nothing about speech, which is all that an
answer has. So: who sees x_t, knows the codes and the path, and nothing of speech but its spread,
how often does he guess the class?

A standardised x1 has spread 1 in each dimension; that its dimensions are correlated is left out.
A network that has x1 among its inputs can take it out of x_t, and is told more: both are computed
(`paths/guessed.py`).

Shapes: n times, C classes, L width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.paths.guessed import guessed
from gensr.estimator.seeds import drawing
from gensr.estimator.targets.target import draw_times


@dataclass(frozen=True, slots=True)
class GivenAway:
    """What x_t gives away of the label."""

    times: Tensor
    """(n,), falling."""
    a: Tensor
    """(n,) share of x1 in the mean."""
    sigma: Tensor
    """(n,)."""
    guessed: Tensor
    """(n,) share of right guesses by x_t alone."""
    beside_x1: Tensor
    """(n,) the same by one who knows x1 as well."""
    chance: float
    """Share of right guesses by nothing."""
    in_training: float
    """Mean share of right guesses over the times that training draws."""
    in_training_beside_x1: float
    """The same by one who knows x1 as well."""


def given_away(
    config: GenSERConfig, C: int, L: int, *, n: int = 11, spread: float = 1.0, seed: int = 0
) -> GivenAway:
    """What a config gives away, at n equally spaced times from T to t_eps.

    Args:
        config: of the method.
        C: classes.
        L: width.
        n: times.
        spread: standard deviation of x1 in each dimension.
        seed: of the times that training draws.
    """
    codes = config.codes.table(C, L)
    times = torch.linspace(config.T, config.t_eps, n, dtype=torch.float64)
    with drawing(torch.device("cpu"), seed):
        drawn = draw_times(2048, config.t_eps, config.T, torch.device("cpu"), config.times).double()
    a, sigma = config.path.at(times)
    return GivenAway(
        times=times,
        a=a,
        sigma=sigma,
        guessed=guessed(config.path, codes, times, spread),
        beside_x1=guessed(config.path, codes, times, 0.0),
        chance=1 / C,
        in_training=guessed(config.path, codes, drawn, spread).mean().item(),
        in_training_beside_x1=guessed(config.path, codes, drawn, 0.0).mean().item(),
    )
