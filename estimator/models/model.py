"""What every model trained by gradient has in common, so that a rival is one file.

Shapes: B batch, N clips, K conditioning layers, L width, C classes. A clip's vectors are one
(K+1, L) block, x1 last, as the store holds them.
"""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import Examples, Fitting, LogEntry
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.network import count_parameters
from gensr.estimator.samplers.sampler import Trajectory
from gensr.estimator.training import Learner, fit


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


class Model(Learner, Classifier):
    """A classifier trained by gradient on (K+1, L) blocks of vectors.

    A rival defines `loss` and `probabilities`, and a config with a field `standardize`.

    Args:
        n_classes: C.
        layers: K+1, layers per clip, x1 last.
        width: L.
        config: of the class's `Config`; its `standardize` says whether each layer and dimension
            is standardised by the training part.
    """

    by_gradient = True

    def __init__(self, n_classes: int, layers: int, width: int, config: Any) -> None:
        super().__init__()
        self.n_classes, self.layers, self.width = n_classes, layers, width
        self.config = config
        self.scale = Standardizer(layers, width)

    def prepare(self, train: Examples) -> None:
        """Standardise by the training part, where the config says so."""
        if self.config.standardize:
            self.scale.fit(train.x)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, K+1, L) -> x1 (B, L) and X_c (B, K, L), standardised."""
        x = self.scale(x)
        return x[:, -1], x[:, :-1]

    def fit(self, train: Examples, how: Fitting) -> list[LogEntry]:
        """Train by the loop of training.py. See `Classifier.fit`.

        Raises:
            ConfigError: there is no clip, or no budget.
            RunError: a checkpoint of other settings, or a loss that is not finite.
        """
        if how.budget is None:
            raise ConfigError(f"{self.name} is trained by steps; it needs a budget")
        return fit(
            self,
            train,
            how.budget,
            seed=how.seed,
            dev=how.dev,
            checkpoint=how.checkpoint,
            owner=how.owner,
            stop=how.stop,
            report=how.report,
        )

    def predict(self, x: Tensor, *, batch: int = 1024, **options: Any) -> Tensor:
        """In evaluation mode. See `Classifier.predict`."""
        was_training = self.training
        self.eval()
        try:
            return Classifier.predict(self, x, batch=batch, **options)
        finally:
            self.train(was_training)

    def weights(self) -> dict[str, Tensor]:
        """Every parameter and buffer. See `Classifier.weights`."""
        return self.state_dict()

    def restore(self, weights: dict[str, Tensor]) -> None:
        """Take what `weights` gave. See `Classifier.restore`."""
        self.load_state_dict(weights)

    def place(self, device: torch.device) -> None:
        """Move to a device. See `Classifier.place`."""
        self.to(device)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    @property
    def size(self) -> int:
        """Parameters, frozen ones included."""
        return count_parameters(self)


class Generative(Model):
    """A model that carries a batch to the codes of its classes, by N steps of a sampler.

    `gensr eval` sweeps N and draws the way for every such model.
    """

    codes: Tensor
    """(C, L)."""

    @abstractmethod
    def transport(
        self, x: Tensor, *, sampler: str | None = None, N: int | None = None, record: bool = True
    ) -> Trajectory:
        """Carry a batch (B, K+1, L); None is what the config says, or the model's own way.

        Raises:
            ConfigError: no such sampler.
        """
