"""What every classifier of cached vectors has in common, so that a rival is one file.

Shapes: B batch, N clips, K conditioning layers, L width, C classes. A clip's vectors are one
(K+1, L) block, x1 last, as the store holds them.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gensr.estimator.errors import RunError


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled clips."""

    x: Tensor
    """(N, K+1, L) float32 layer vectors, x1 last."""
    y: Tensor
    """(N,) int64 class indices."""

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: torch.device) -> "Examples":
        """The same clips on another device."""
        return Examples(self.x.to(device), self.y.to(device))


class Standardizer(nn.Module):
    """Zero mean and unit variance per layer and dimension, by statistics of the training part.

    Ours: the paper does not say. The conditioning layers of a stable-layer-norm encoder are an
    un-normalised residual stream while x1 is layer-normed, so their scales differ by layer.
    A dimension that is constant in training is centred only.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, layers: int, L: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(layers, L))
        self.register_buffer("std", torch.ones(layers, L))

    def fit(self, x: Tensor) -> None:
        """Take the statistics of x, (N, K+1, L)."""
        std, mean = torch.std_mean(x.double(), dim=0, correction=0)
        constant = std <= 1e-6 * mean.abs().clamp(min=1e-6)
        self.mean.copy_(mean)
        self.std.copy_(std.masked_fill(constant, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        """(B, K+1, L) -> (B, K+1, L)."""
        return (x - self.mean) / self.std


class Model(nn.Module, ABC):
    """A classifier trained by gradient on (K+1, L) blocks of vectors.

    Args:
        n_classes: C.
        layers: K+1, layers per clip, x1 last.
        width: L.
        standardize: standardise each layer and dimension by the training part.
    """

    name: ClassVar[str]

    def __init__(self, n_classes: int, layers: int, width: int, *, standardize: bool) -> None:
        super().__init__()
        self.n_classes, self.layers, self.width = n_classes, layers, width
        self.standardize = standardize
        self.scale = Standardizer(layers, width)

    def prepare(self, train: Examples) -> None:
        """Take what is not learned by gradient from the training part, before the first step."""
        if self.standardize:
            self.scale.fit(train.x)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, K+1, L) -> x1 (B, L) and X_c (B, K, L), standardised."""
        x = self.scale(x)
        return x[:, -1], x[:, :-1]

    @abstractmethod
    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Scalar loss of a batch x (B, K+1, L), y (B,), scaled so that 1 knows nothing."""

    @abstractmethod
    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Class probabilities (B, C), rows summing to one, of x (B, K+1, L)."""


def predict(model: Model, x: Tensor, *, batch: int = 1024, **options: Any) -> Tensor:
    """Class probabilities (N, C) of any number of clips (N, K+1, L), in evaluation mode.

    Raises:
        RunError: a probability that is not finite.
    """
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        parts = [model.probabilities(part, **options) for part in torch.split(x, batch)]
    model.train(was_training)
    p = torch.cat(parts) if parts else x.new_zeros(0, model.n_classes)
    if not torch.isfinite(p).all():
        raise RunError(f"{model.name} gave probabilities that are not finite; train it again")
    return p
