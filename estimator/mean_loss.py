"""The mean loss between two looks, summed up where it is computed: no step waits for it.

And the step by which it was no longer finite: once the sum is not, it stays so, and the steps
before are counted beside it.
"""

import torch
from torch import Tensor


class MeanLoss:
    """Of one training, or of several that are taken together.

    Args:
        device: where the losses are.
        trainings: how many; None is one, whose losses are scalars.
    """

    def __init__(self, device: torch.device, trainings: int | None = None) -> None:
        shape = () if trainings is None else (trainings,)
        self._total = torch.zeros(shape, dtype=torch.float64, device=device)
        self._finite = torch.zeros(shape, dtype=torch.int64, device=device)
        self._taken = [0] * (trainings or 1)

    def add(self, loss: Tensor) -> None:
        """Add the losses of a step; a function of tensors, so it can be captured."""
        self._total.add_(loss)
        self._finite.add_(torch.isfinite(self._total))

    def count(self) -> None:
        """Count the step, for the host."""
        self._taken = [taken + 1 for taken in self._taken]

    @property
    def total(self) -> Tensor:
        """The sum since it was asked last."""
        return self._total

    def ask(self, e: int = 0, total: Tensor | None = None) -> tuple[float, int]:
        """Mean since it was asked last, and how many steps after the last finite one; waits.

        Args:
            e: of which training.
            total: the sum, where several processes have parts of it; None is its own.

        Returns:
            The mean, and 0 where all was finite, else how long ago (1: the last step) it ended.
        """
        own = self._total.view(-1)[e]
        taken = self._taken[e]
        mean = (own if total is None else total).item() / max(1, taken)
        ago = taken - int(self._finite.view(-1)[e].item())
        own.zero_()
        self._finite.view(-1)[e] = 0
        self._taken[e] = 0
        return mean, ago
