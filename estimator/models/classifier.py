"""What every classifier of cached vectors is, however it is fitted.

Shapes: B batch, N clips, K conditioning layers, L width, C classes. A clip's vectors are one
(K+1, L) block, x1 last, as the store holds them.

Models that are trained by gradient derive from `Model` (model.py), which does most of this.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from gensr.estimator.errors import RunError
from gensr.estimator.fitting import Fitting, LogEntry
from gensr.estimator.source import Source


class Classifier(ABC):
    """A classifier.

    Args:
        n_classes: C.
        layers: K+1, layers per clip, x1 last.
        width: L.
        config: of the class's `Config`.
    """

    name: ClassVar[str]
    """As `gensr train --model` takes it."""
    Config: ClassVar[type[Any]]
    """Its settings: a frozen, keyword-only dataclass that can be made without arguments. One
    with other sizes in the paper has a classmethod `paper()`."""
    by_gradient: ClassVar[bool] = False
    """Whether it is trained by steps, which a budget and a development part then govern."""
    reads_layers: ClassVar[bool] = True
    """Whether layers beside x1 have a say."""
    n_classes: int

    @abstractmethod
    def __init__(self, n_classes: int, layers: int, width: int, config: Any) -> None: ...

    @abstractmethod
    def fit(self, train: Source, how: Fitting) -> list[LogEntry]:
        """Learn from labelled clips, in place, by `how.seed` alone.

        Returns:
            One entry per look; none where there is nothing to look at on the way.
        """

    @abstractmethod
    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Class probabilities (B, C), rows summing to one, of x (B, K+1, L).

        Raises:
            ConfigError: an option that it does not know.
        """

    def predict(self, x: Tensor, *, batch: int = 1024, **options: Any) -> Tensor:
        """Class probabilities (N, C) of any number of clips (N, K+1, L), a batch at a time.

        Raises:
            RunError: a vector or a probability that is not finite.
            ConfigError: an option that the model does not know.
        """
        if not torch.isfinite(x).all():
            raise RunError(f"{self.name}: a vector to answer is not finite; extract its clip anew")
        with torch.inference_mode():
            parts = [self.probabilities(part, **options) for part in torch.split(x, batch)]
        p = torch.cat(parts) if parts else x.new_zeros(0, self.n_classes)
        if not torch.isfinite(p).all():
            raise RunError(f"{self.name} gave probabilities that are not finite; train it again")
        return p

    @abstractmethod
    def weights(self) -> dict[str, Tensor]:
        """All that was learnt, as it is saved: arrays by name."""

    @abstractmethod
    def restore(self, weights: dict[str, Tensor]) -> None:
        """Take what `weights` gave.

        Raises:
            LookupError, RuntimeError, ValueError: it is not that.
        """

    def place(self, device: torch.device) -> None:
        """Move to a device; what does not move stays on the CPU."""
        return

    @property
    def device(self) -> torch.device:
        """Where it takes its vectors."""
        return torch.device("cpu")

    @property
    def size(self) -> int:
        """Numbers that were learnt, by which threads are chosen."""
        return sum(array.numel() for array in self.weights().values())
