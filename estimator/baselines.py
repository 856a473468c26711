"""The two controls every result stands beside: same vectors, splits, budget and optimizer.

`linear` is the paper's "CLS": one classification layer on the first stage of section 2.5, that
is on concat(x1, x_c) with the same learnable weighted sum x_c. `transformer-ce` is the whole
network of Gen-SER, given x1 as its state and t = 1, with a classification layer and
cross-entropy: what is left of Gen-SER without the generative part.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError
from gensr.estimator.model import Model
from gensr.estimator.network import LayerFusion, NetworkConfig, TargetEstimator
from gensr.estimator.ranges import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearConfig:
    """Settings of `linear`."""

    dropout: float = 0.1
    """Dropout on the input, in [0, 1)."""
    standardize: bool = True
    """Standardise each layer and dimension by the training part."""

    def __post_init__(self) -> None:
        check_range("dropout", self.dropout, least=0, below=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerCEConfig:
    """Settings of `transformer-ce`."""

    standardize: bool = True
    """Standardise each layer and dimension by the training part."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the network, as Gen-SER's."""


class _CrossEntropyModel(Model):
    def logits(self, x: Tensor) -> Tensor:
        raise AssertionError("each model defines its own logits")

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Cross-entropy over log C, the entropy of knowing nothing."""
        return F.cross_entropy(self.logits(x), y) / math.log(max(2, self.n_classes))

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Softmax of the logits.

        Raises:
            ConfigError: an option; there are none.
        """
        if options:
            raise ConfigError(f"{self.name} has no option {', '.join(options)}")
        return self.logits(x).softmax(-1)


class Linear(_CrossEntropyModel):
    """A linear classifier of concat(x1, x_c)."""

    name = "linear"

    def __init__(self, n_classes: int, layers: int, width: int, config: LinearConfig) -> None:
        super().__init__(n_classes, layers, width, standardize=config.standardize)
        self.config = config
        self.fusion = LayerFusion(layers - 1, width)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * width, n_classes)

    def logits(self, x: Tensor) -> Tensor:
        """(B, K+1, L) -> (B, C)."""
        x1, X_c = self.split(x)
        out: Tensor = self.head(self.dropout(torch.cat([x1, self.fusion(X_c)], -1)))
        return out


class TransformerCE(_CrossEntropyModel):
    """Gen-SER's network as a plain classifier."""

    name = "transformer-ce"

    def __init__(
        self, n_classes: int, layers: int, width: int, config: TransformerCEConfig
    ) -> None:
        super().__init__(n_classes, layers, width, standardize=config.standardize)
        self.config = config
        self.network = TargetEstimator(layers - 1, width, config.network)
        self.head = nn.Linear(width, n_classes)

    def logits(self, x: Tensor) -> Tensor:
        """(B, K+1, L) -> (B, C)."""
        x1, X_c = self.split(x)
        out: Tensor = self.head(self.network(x1, X_c, x1.new_ones(len(x1))))
        return out
