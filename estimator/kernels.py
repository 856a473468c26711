"""Kernels of clips, and the rows that they are taken of: for models that are fitted in one go.

    linear       <z, z'>             of rows z divided by the root of their width
    rbf          exp(-|z - z'|^2)    of the same
    arc-cosine   g(g(<z, z'>))       of rows z of unit norm, where
                 g(c) = (sin a + (pi - a) c) / pi and a = arccos c

The last is the kernel of an infinitely wide network of two hidden layers of rectified units (Cho
and Saul 2009, order 1). A row is a layer of a clip, or all of them behind each other; so a Gram
matrix (N, N) is all that is needed of N rows of any width.

Shapes: N clips, B clips of a batch, M centres, K+1 layers, x1 last, L width, D = L or (K+1) L.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError
from gensr.estimator.source import Scale, Source

MOST = 10_000
"""Clips that are learnt from in one go: their Gram matrix alone then takes 0.8 GB."""


def check_count(train: Source, model: str) -> None:
    """Refuse a training part whose Gram matrix is too large, before anything is read.

    Raises:
        ConfigError: saying which models take any number.
    """
    if len(train) > MOST:
        raise ConfigError(
            f"{model} learns from at most {MOST} clips, all at once, and found {len(train)}; take "
            "closed-form, linear or another model that takes any number, or a smaller protocol"
        )


def held(train: Source, scale: Scale | None) -> Tensor:
    """All clips on the CPU, each scaled: the only copy of them. -> (N, K+1, L) float32.

    Args:
        train: N clips.
        scale: what is done to each block; None for nothing.
    """
    x = torch.empty(len(train), *train.shape)
    done = 0
    for block in train.blocks():
        x[done : done + len(block)] = block if scale is None else scale(block)
        done += len(block)
    return x


def layer_rows(x: Tensor, layer: int | None) -> Tensor:
    """Rows whose mean squared norm is about 1, where x is standardised. (B, K+1, L) -> (B, D).

    Args:
        x: vectors.
        layer: which one; None: all, concatenated.
    """
    rows = x.flatten(1) if layer is None else x[:, layer]
    return rows / math.sqrt(rows.shape[1])


def unit_rows(x: Tensor, weights: Tensor) -> Tensor:
    """sqrt(s_k) x_k of all layers, concatenated, at unit norm. (B, K+1, L), (K+1,) -> (B, D)."""
    return F.normalize((x * weights.sqrt()[:, None]).flatten(1), dim=-1)


def linear(a: Tensor, b: Tensor) -> Tensor:
    """(B, D), (M, D) -> (B, M)."""
    return a @ b.T


def rbf(a: Tensor, b: Tensor) -> Tensor:
    """(B, D), (M, D) -> (B, M), in (0, 1]."""
    squared = a.square().sum(-1)[:, None] + b.square().sum(-1) - 2 * a @ b.T
    return torch.exp(-squared.clamp(min=0))


def arc_cosine(a: Tensor, b: Tensor) -> Tensor:
    """(B, D), (M, D) of unit norm -> (B, M) float64, in [0, 1].

    >>> float(arc_cosine(torch.eye(2)[:1], torch.eye(2)[:1]))
    1.0
    """
    return _rectified(_rectified((a @ b.T).double()))


def _rectified(c: Tensor) -> Tensor:
    """g(c): the cosine of two rows behind a layer of random rectified units."""
    c = c.clamp(-1, 1)
    angle = torch.arccos(c)
    return (torch.sin(angle) + (math.pi - angle) * c) / math.pi
