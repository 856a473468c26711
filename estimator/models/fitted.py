"""What models that are fitted in one go share: scaling, arrays that are saved, a device.

Shapes: B batch, N clips, K+1 layers, x1 last, L width, C classes.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import Fitting, LogEntry
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.source import Scale, Source
from gensr.estimator.standardize import Standardizer


class Fitted(Classifier):
    """A classifier that is a formula of arrays.

    A rival defines `learn`, which gives the arrays, and `answers`, which uses them; and a config
    with a field `standardize`. Before it is fitted it has no arrays, and every class is alike to
    it.

    Args:
        n_classes: C.
        layers: K+1, layers per clip, x1 last.
        width: L.
        config: of the class's `Config`; its `standardize` says whether each layer and dimension
            is standardised by the training part.
    """

    needs: ClassVar[tuple[frozenset[str], ...]]
    """Names of its arrays; several sets where the formula has several forms."""

    def __init__(self, n_classes: int, layers: int, width: int, config: Any) -> None:
        self.n_classes, self.layers, self.width = n_classes, layers, width
        self.config = config
        self.scale = Standardizer(layers, width)
        self.arrays: dict[str, Tensor] = {}
        """What was learnt; empty before."""
        self._device = torch.device("cpu")

    @abstractmethod
    def learn(self, train: Source, scale: Scale | None, how: Fitting) -> dict[str, Tensor]:
        """Give the arrays, on the CPU, by `how.seed` alone.

        Args:
            train: at least two classes of clips.
            scale: what is to be done to each block of them; None for nothing.
            how: the seed.
        """

    def check(self, train: Source) -> None:
        """Refuse a training part before anything of it is read.

        Raises:
            ConfigError: it is too large.
        """

    @abstractmethod
    def answers(self, x: Tensor) -> Tensor:
        """Class probabilities (B, C) of x (B, K+1, L), scaled, by the arrays."""

    def fit(self, train: Source, how: Fitting) -> list[LogEntry]:
        """Learn all at once; there is nothing to look at on the way. See `Classifier.fit`.

        Raises:
            ConfigError: fewer than two classes of clips.
        """
        if len(set(train.y.tolist())) < 2:
            raise ConfigError(
                f"{self.name} needs clips of at least two classes to learn from; its "
                f"{len(train)} are of one: choose another protocol"
            )
        self.check(train)
        if self.config.standardize:
            self.scale.fit(*train.moments())
        scale = self.scale.to(train.device) if self.config.standardize else None
        self._take(self.learn(train, scale, how))
        return []

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """See `Classifier.probabilities`. A clip that is not finite has none.

        Raises:
            ConfigError: an option; there are none.
        """
        if options:
            raise ConfigError(f"{self.name} has no option {', '.join(options)}")
        x = x.to(self.device)
        sound = x.isfinite().flatten(1).all(1)
        if self.arrays:
            p = self.answers(self.scale(x) if self.config.standardize else x).float()
        else:
            p = x.new_full((len(x), self.n_classes), 1 / self.n_classes)
        return torch.where(sound[:, None], p, torch.nan)

    def weights(self) -> dict[str, Tensor]:
        """The arrays, and what scales a clip. See `Classifier.weights`."""
        scale = {f"scale.{name}": array for name, array in self.scale.state_dict().items()}
        return scale | self.arrays

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Take what `weights` gave. See `Classifier.restore`.

        Raises:
            RuntimeError, ValueError: it is not that.
        """
        arrays = dict(weights)
        scale = {name: arrays.pop(f"scale.{name}") for name in self.scale.state_dict()}
        if arrays and arrays.keys() not in self.needs:
            raise ValueError(f"no arrays of {self.name}: {', '.join(sorted(arrays))}")
        self.scale.load_state_dict(scale)
        self._take(arrays)

    def place(self, device: torch.device) -> None:
        """Move to a GPU, or to the CPU: others lack float64. See `Classifier.place`."""
        self._device = device if device.type == "cuda" else torch.device("cpu")
        self._take(self.arrays)

    def _take(self, arrays: Mapping[str, Tensor]) -> None:
        """Keep arrays where the model is."""
        self.scale.to(self._device)
        self.arrays = {name: array.to(self._device) for name, array in arrays.items()}

    @property
    def device(self) -> torch.device:
        """See `Classifier.device`."""
        return self._device
