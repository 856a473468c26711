"""What every model trained by gradient has in common, so that a rival is one file.

Shapes: B batch, N clips, K conditioning layers, L width, C classes. A clip's vectors are one
(K+1, L) block, x1 last, as the store holds them.
"""

import re
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from gensr.estimator.balance import class_weights
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import Fitting, LogEntry
from gensr.estimator.inputs import Fusion
from gensr.estimator.learner import Learner
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.network import count_parameters
from gensr.estimator.precision import computing
from gensr.estimator.samplers.sampler import Trajectory
from gensr.estimator.source import Source
from gensr.estimator.standardize import Standardizer
from gensr.estimator.training import fit

_DEAD = re.compile(r"\.attention\.(query|key)\.(weight|bias)$")


class Model(Learner, Classifier):
    """A classifier trained by gradient on (K+1, L) blocks of vectors.

    A rival defines `loss` and `probabilities`, `draw` where its loss is random, and a config with a
    field `standardize`.

    Args:
        n_classes: C.
        layers: K+1, layers per clip, x1 last.
        width: L.
        config: of the class's `Config`; its `standardize` says whether each layer and dimension
            is standardised by the training part.
    """

    by_gradient = True
    class_weight: Tensor | None = None
    """(C,) what a clip of each class counts in training; None: all the same."""

    def __init__(self, n_classes: int, layers: int, width: int, config: Any) -> None:
        super().__init__()
        self.n_classes, self.layers, self.width = n_classes, layers, width
        self.config = config
        self.scale = Standardizer(layers, width)

    def prepare(self, train: Source) -> Source:
        """Standardise, score layers, count classes, as the config says. See `Learner.prepare`."""
        if self.reads is not None:
            self.reads.prepare(train, self.n_classes)
        if getattr(self.config, "balance", False):
            self.class_weight = class_weights(train.y, self.n_classes).to(self.device)
        if not self.config.standardize:
            return train
        self.scale.fit(*train.moments())
        return train.scaled(self.scale)

    @property
    def reads(self) -> Fusion | None:
        """How its layers reach it: its own `fusion`, or its network's; None: in another way."""
        found: Fusion | None = getattr(getattr(self, "network", self), "fusion", None)
        return found

    def draw_more(self, size: int) -> dict[str, Tensor]:
        """What each layer counts in a step, and each class, where a config asks for either."""
        more: dict[str, Tensor] = {}
        if self.reads is not None:
            counts = self.reads.draw(size, self.device)
            more |= {} if counts is None else {"layers": counts}
        if self.class_weight is not None:
            more["balance"] = self.class_weight.repeat(size, 1)
        return more

    def weights_of(self, y: Tensor) -> dict[str, Tensor]:
        """What each class counts, of a batch's draws; nothing where all count the same."""
        if self.class_weight is None:
            return {}
        return {"balance": self.class_weight.repeat(len(y), 1)}

    def trains_with(self, other: Learner) -> bool:
        """Of equal settings. See `Learner.trains_with`."""
        return isinstance(other, Model) and self.config == other.config

    def standardized(self, x: Tensor) -> Tensor:
        """Vectors (B, K+1, L) of a store, as `loss` takes them."""
        scaled: Tensor = self.scale(x) if self.config.standardize else x
        return scaled

    def fit(self, train: Source, how: Fitting) -> list[LogEntry]:
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
            answered=how.answered,
            group=how.group,
        )

    def predict(self, x: Tensor, *, batch: int = 1024, **options: Any) -> Tensor:
        """In evaluation mode. See `Classifier.predict`."""
        was_training = self.training
        self.eval()
        try:
            with computing(self.device, self.precision):
                return Classifier.predict(self, x, batch=batch, **options)
        finally:
            self.train(was_training)

    def weights(self) -> dict[str, Tensor]:
        """Every parameter and buffer. See `Classifier.weights`."""
        return self.state_dict()

    def restore(self, weights: dict[str, Tensor]) -> None:
        """Take what `weights` gave. See `Classifier.restore`.

        Queries and keys, which versions to 0.2 kept, had no say in any answer.
        """
        self.load_state_dict({name: w for name, w in weights.items() if not _DEAD.search(name)})

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

    def end(self, x: Tensor) -> Tensor:
        """What is classified of a batch (B, K+1, L), (B, L): the last estimate, unless it says."""
        return self.transport(x, record=False).estimates[-1]
