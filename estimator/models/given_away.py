"""How much of the label the noisy state gives away, by t.

Where x_t alone tells the class, a training step teaches nothing about speech, which is all that an
answer has. So: who sees x_t, knows the codes and the path, and nothing of speech but its spread,
how often does he guess the class?

    x_t = (1 - a) x0(b) + a x1 + sigma_t z,  x1 ~ N(0, spread^2 I) whatever the class
        ~ N((1 - a) x0(b), (a^2 spread^2 + sigma_t^2) I),  all classes equally likely

The best guess, the code nearest to x_t / (1 - a), is right with the probability that is computed
here. A standardised x1 has spread 1 in each dimension; that its dimensions are correlated is left
out.

Shapes: n times, C classes, L width, E draws of a class.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gensr.estimator.models.gen_ser import GenSER, GenSERConfig
from gensr.estimator.network import NetworkConfig
from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.seeds import drawing

POINTS = 64
"""Of the quadrature."""
DRAWS = 4096
"""E, where there is no closed form: a share is then within half a point."""


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
    chance: float
    """Share of right guesses by nothing."""
    in_training: float
    """Mean share of right guesses over the times that training draws."""


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
    with drawing(torch.device("cpu"), seed):  # the model's own draw, whatever times it prefers
        small = replace(config, network=NetworkConfig(hidden=8, depth=1, heads=1))
        drawn = GenSER(C, 1, L, small).draw(2048)["t"].double()
    a, sigma = config.path.at(times)
    return GivenAway(
        times=times,
        a=a,
        sigma=sigma,
        guessed=guessed(config.path, codes, times, spread),
        chance=1 / C,
        in_training=guessed(config.path, codes, drawn, spread).mean().item(),
    )


def guessed(path: GaussianPath, codes: Tensor, times: Tensor, spread: float = 1.0) -> Tensor:
    """Share of classes that are guessed right from x_t alone, (n,) float64.

    Args:
        path: mean and variance of x_t.
        codes: (C, L).
        times: (n,), inside (0, 1).
        spread: standard deviation of x1 in each dimension.
    """
    a, sigma = path.at(times.double())
    # One number each: how far the codes are from zero, in standard deviations, if of norm one.
    distance = (1 - a) / (a.square() * spread**2 + sigma.square()).sqrt()
    gram = codes.double() @ codes.double().T
    norm = gram.diagonal().mean()
    if torch.allclose(gram, norm * torch.eye(len(codes)).double(), atol=1e-4 * norm.item()):
        return _of_orthogonal(distance * norm.sqrt(), len(codes))
    return _by_draws(distance, gram)


def _of_orthogonal(d: Tensor, C: int) -> Tensor:
    """E Phi(u + d)^(C-1), u standard normal, by Gauss and Hermite: C orthogonal signals, d long.

    The score of the true code is N(d, 1), those of the others are N(0, 1), and none knows another.
    """
    points, weights = (torch.from_numpy(each) for each in np.polynomial.hermite.hermgauss(POINTS))
    below = torch.special.ndtr(d[:, None] + math.sqrt(2) * points)
    share: Tensor = (below ** (C - 1) * weights).sum(-1) / math.sqrt(math.pi)
    return share


def _by_draws(distance: Tensor, gram: Tensor) -> Tensor:
    """The same of codes of any shape, by seeded draws in the space that they span."""
    C = len(gram)
    values, vectors = torch.linalg.eigh(gram)
    root = vectors * values.clamp(min=0).sqrt()  # (C, C): root root^T is the Gram matrix
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(DRAWS, C, generator=generator, dtype=torch.float64) @ root.T  # (E, C)
    shares = []
    for d in distance:
        # Of each class b and code c: d <x0_b, x0_c> + <e, x0_c> - d |x0_c|^2 / 2.
        scores = d * gram[:, None] + noise - d * gram.diagonal() / 2  # (C, E, C)
        right = scores.argmax(-1) == torch.arange(C)[:, None]
        shares.append(right.double().mean())
    return torch.stack(shares)
