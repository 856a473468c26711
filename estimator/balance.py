"""What a clip counts by its class, and how sure of its class the training is.

Classes are balanced by weights, not by drawing clips of rare classes more often: the order of
clips is one rule for memory and streams (`order.py`), an epoch shows each clip once, and the
expected gradient is the same. The optimum of Eq. 8 under the weights is the posterior mean where
all classes are as frequent as each other.

Shapes: B batch, N clips, C classes, L width.
"""

import torch
from torch import Tensor

from gensr.estimator.learner import Draws


def class_weights(y: Tensor, classes: int) -> Tensor:
    """N / (C' n_c) of each class, n_c clips of it and C' classes that there are; mean 1 over clips.

    >>> class_weights(torch.tensor([0, 0, 0, 2]), 3).tolist()
    [0.6666666865348816, 0.0, 2.0]

    Args:
        y: (N,) int64 class indices.
        classes: C.

    Returns:
        (C,) float32; 0 for a class without clips.
    """
    counts = torch.bincount(y, minlength=classes).float()
    there = counts > 0
    return torch.where(there, len(y) / (there.sum() * counts.clamp(min=1)), 0)


def weight_of(y: Tensor, draws: Draws) -> Tensor | None:
    """(B,) what each clip of a batch counts; None: all the same.

    Args:
        y: (B,) class indices.
        draws: with what each class counts, (B, C), as `balance`, where that is asked for.
    """
    if "balance" not in draws:
        return None
    return draws["balance"].gather(1, y[:, None])[:, 0]


def smoothed(codes: Tensor, e: float) -> Tensor:
    """Label smoothing in code space: (1-e) x0 + e mean x0, (C, L).

    The posterior mean of such codes is (1-e) p_b + e/C in place of p_b: the argmax is the same.
    """
    return codes if not e else codes.lerp(codes.mean(0, keepdim=True), e)
