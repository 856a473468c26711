"""Which layers tell the classes apart: a score for each, of a ridge on that layer alone.

    s_k = softmax(-mse_k / tau),   mse_k = mean |x0_hat - x0|^2 / mean |x0|^2

mse_k is Eq. 8 of speakers that the ridge did not learn (`inner.py`), over that of the estimate 0.
The ridge is onto the codes, from layer k standardised and its rows at unit norm. A model that is
given sqrt(s_k) x_k of all layers sees inner products sum_k s_k <x_k, x_k'>: a mean of the
layers' own, the better ones counting more.

Ours: the paper learns the weights of a sum of the layers, which start at 1/K and hardly leave it
(docs/method.md).

Shapes: N clips, n clips of a block, K+1 layers, x1 last, L width, C classes, F inner folds.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F_

from gensr.estimator.errors import RunError
from gensr.estimator.inner import inner_folds
from gensr.estimator.source import BLOCK, Source
from gensr.estimator.standardize import Standardizer

TAU = 0.02
"""How much worse a layer must be to count e times less, as a share of |x0|^2."""
PENALTY = 1.0
"""Of the ridge, for rows of unit norm. From 0.3 to 3 the scores hardly change: on a few hundred
clips and on a thousand."""


def layer_scores(train: Source, codes: Tensor, seed: int) -> Tensor:
    """Score every layer by inner folds; uniform where there are none.

    Reads the clips twice, a block at a time. Beside a block it holds F (K+1) (L+1)^2 numbers,
    0.5 GB at 25 layers of 1024, however many clips there are.

    Args:
        train: N clips of a training part, standardised or not.
        codes: (C, any width) the points of the classes.
        seed: of the inner folds.

    Returns:
        (K+1,) float32 on the CPU, positive, summing to one.

    Raises:
        RunError: a vector is not finite.
    """
    layers, _ = train.shape
    folds = inner_folds(train, seed=seed) if layers > 1 else []
    if not folds:  # nobody is left to ask: groups unknown, or one speaker
        return torch.full((layers,), 1 / layers)
    zz, zy, yy = (sums.double().cpu() for sums in _second_moments(train, folds, len(codes)))
    if not zz.isfinite().all():
        raise RunError("a vector of the training part is not finite; extract its clip anew")
    gram = codes.double().cpu() @ codes.double().cpu().T  # (C, C)
    errors = torch.stack([_held_out(zz[:, k], zy[:, k], yy, gram) for k in range(layers)])
    return (-errors / TAU).softmax(0).float()


def _second_moments(
    train: Source, folds: Sequence[tuple[Tensor, Tensor]], classes: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over the clips of each inner fold, all that a ridge needs of them.

    A row z is a clip's layer, standardised, at unit norm, and a one behind it for the offset.

    Returns:
        z^T z (F, K+1, L+1, L+1), z^T y (F, K+1, L+1, C) and y^T y (F, C, C), y one-hot.
    """
    layers, width = train.shape
    scale = Standardizer(layers, width).to(train.device)
    scale.fit(*train.moments())
    fold_of = torch.empty(len(train), dtype=torch.long)
    for number, (_, test) in enumerate(folds):
        fold_of[test] = number
    zz = torch.zeros(len(folds), layers, width + 1, width + 1, device=train.device)
    zy = torch.zeros(len(folds), layers, width + 1, classes, device=train.device)
    yy = torch.zeros(len(folds), classes, classes, device=train.device)
    numbers = torch.split(torch.arange(len(train)), BLOCK)
    for rows, block in zip(numbers, train.blocks(), strict=True):
        z = F_.pad(F_.normalize(scale(block), dim=-1), (0, 1), value=1.0).transpose(0, 1)
        y = F_.one_hot(train.y[rows], classes).to(z)  # (n, C)
        for number in set(fold_of[rows].tolist()):
            mine = (fold_of[rows] == number).to(train.device)
            some, told = z[:, mine], y[mine]  # (K+1, n, L+1), (n, C)
            zz[number].baddbmm_(some.mT, some)
            zy[number] += some.mT @ told
            yy[number] += told.T @ told
    return zz, zy, yy


def _held_out(zz: Tensor, zy: Tensor, yy: Tensor, gram: Tensor) -> Tensor:
    """Relative error of one layer, each fold's clips by the ridge of all others; a scalar.

    |x0_hat - x0|^2 of an estimate codes^T p is (p - y)^T G (p - y), G the codes' inner products.

    Args:
        zz: (F, L+1, L+1), as the next two of `_second_moments`.
        zy: (F, L+1, C).
        yy: (F, C, C).
        gram: G (C, C).
    """
    # The offset is not penalised: it is the mean of those who are learnt from.
    penalty = torch.full((zz.shape[-1],), PENALTY, dtype=zz.dtype)
    penalty[-1] = 0
    error = torch.zeros((), dtype=zz.dtype)
    for fold in range(len(zz)):
        learnt = zz.sum(0) - zz[fold] + penalty.diag()
        w = torch.cholesky_solve(zy.sum(0) - zy[fold], torch.linalg.cholesky(learnt))  # (L+1, C)
        cross = w.T @ zy[fold]
        error += ((w.T @ zz[fold] @ w - cross - cross.T + yy[fold]) * gram).sum()
    return error / (yy.sum(0) * gram).sum()
