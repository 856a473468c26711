"""The second control: what is left of Gen-SER without the generative part.

The whole network, given x1 as its state and t = 1, with a classification layer and cross-entropy:
same vectors, splits, budget and optimizer.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

from dataclasses import dataclass, field

from torch import Tensor, nn

from gensr.estimator.inputs import InputsConfig
from gensr.estimator.learner import Draws
from gensr.estimator.models.cross_entropy import CrossEntropyModel
from gensr.estimator.models.ensemble import MOST_MEMBERS
from gensr.estimator.network import NetworkConfig
from gensr.estimator.ranges import check_range
from gensr.estimator.tokens import make_estimator


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerCEConfig:
    """Settings of `transformer-ce`."""

    standardize: bool = True
    """Standardise each layer and dimension by the training part."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the network, as Gen-SER's."""
    inputs: InputsConfig = field(default_factory=InputsConfig)
    """How the layers reach it, as Gen-SER's."""
    smoothing: float = 0.0
    """Label smoothing, as Gen-SER's."""
    balance: bool = False
    """Whether a clip counts by the inverse of its class's frequency, as Gen-SER's."""
    members: int = 1
    """Networks whose probabilities are averaged, as Gen-SER's."""

    def __post_init__(self) -> None:
        check_range("smoothing", self.smoothing, least=0, below=1)
        check_range("members", self.members, least=1, most=MOST_MEMBERS)

    @classmethod
    def small(cls) -> "TransformerCEConfig":
        """What docs/results/study.md picked."""
        return cls(network=NetworkConfig.small(), inputs=InputsConfig.small())

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
        self.network = make_estimator(layers - 1, width, config.network, config.inputs)
        self.head = nn.Linear(width, n_classes)

    def draw(self, size: int) -> Draws:
        """What dropout keeps in the network. See `Learner.draw`."""
        kept = self.network.draw(size)
        return ({} if kept is None else {"kept": kept}) | self.draw_more(size)

    def logits(self, x: Tensor, kept: Tensor | None = None, counts: Tensor | None = None) -> Tensor:
        """See `CrossEntropyModel.logits`."""
        layers = self.network.fusion.of(x)
        out: Tensor = self.head(self.network(x[:, -1], layers, x.new_ones(1), kept, counts))
        return out
