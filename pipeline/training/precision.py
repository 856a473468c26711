"""What a training's precision costs on the device at hand, known before its first step."""

from collections.abc import Sequence

import torch

from gensr.estimator.device import SMALL
from gensr.estimator.fitting import PRECISIONS, TrainingConfig
from gensr.features.encoders.precision import cost_on

_SEE = "--precision, and docs/training.md"


def check_precision(
    budget: TrainingConfig | None, parameters: int, device: torch.device, *, allow_slow: bool
) -> Sequence[str]:
    """Time the precisions where it matters: one that was asked for, or a large model's.

    Args:
        budget: None for a model that is not trained by steps.
        parameters: of the model; a small one's steps are not bound by its products.
        device: where it is trained.
        allow_slow: whether one insists on it.

    Returns:
        A line where the other precision is much faster.

    Raises:
        ConfigError: the device computes it many times slower than float32, and nobody insists.
    """
    large = parameters >= SMALL
    if budget is None or (budget.precision == "float32" and not large):
        return ()
    cost = cost_on(str(device), names=PRECISIONS)
    if not allow_slow:
        cost.check(budget.precision, "precision")
    return tuple(cost.advice(budget.precision, _SEE)) if large else ()
