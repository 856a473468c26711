"""The second control: what is left of Gen-SER without the generative part.

The whole network, given x1 as its state and t = 1, with a classification layer and cross-entropy:
same vectors, splits, budget and optimizer.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

from dataclasses import dataclass, field

from torch import Tensor, nn

from gensr.estimator.learner import Draws
from gensr.estimator.models.cross_entropy import CrossEntropyModel
from gensr.estimator.network import NetworkConfig, TargetEstimator


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerCEConfig:
    """Settings of `transformer-ce`."""

    standardize: bool = True
    """Standardise each layer and dimension by the training part."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the network, as Gen-SER's."""

    @classmethod
    def paper(cls) -> "TransformerCEConfig":
        """The sizes of section 3.2."""
        return cls(network=NetworkConfig.paper())


class TransformerCE(CrossEntropyModel):
    """Gen-SER's network as a plain classifier."""

    name = "transformer-ce"
    Config = TransformerCEConfig
    stacks = True

    def __init__(
        self, n_classes: int, layers: int, width: int, config: TransformerCEConfig
    ) -> None:
        super().__init__(n_classes, layers, width, config)
        self.network = TargetEstimator(layers - 1, width, config.network)
        self.head = nn.Linear(width, n_classes)

    def draw(self, size: int) -> Draws:
        """What dropout keeps in the network. See `Learner.draw`."""
        kept = self.network.draw(size)
        return {} if kept is None else {"kept": kept}

    def logits(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """See `CrossEntropyModel.logits`."""
        out: Tensor = self.head(self.network(x[:, -1], x[:, :-1], x.new_ones(1), kept))
        return out
