"""A multi-layer perceptron on all that Gen-SER reads: what a small classifier can do.

concat(x1, x_c), x_c as the config has it (the learnable weighted sum unless it says otherwise),
under one or more GELU layers, with cross-entropy; splits, budget and optimizer are Gen-SER's.

Shapes: B batch, K conditioning layers, L width, D width of x_c, H hidden width, C classes.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError
from gensr.estimator.inputs import InputsConfig, make_fusion
from gensr.estimator.learner import Draws
from gensr.estimator.models.cross_entropy import CrossEntropyModel
from gensr.estimator.models.ensemble import MOST_MEMBERS
from gensr.estimator.network import draw_kept
from gensr.estimator.ranges import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class MLPConfig:
    """Settings of `mlp`; all ours."""

    hidden: int = 256
    """H."""
    depth: int = 1
    """Hidden layers."""
    dropout: float = 0.2
    """Dropout on the input and after each hidden layer, in [0, 1)."""
    standardize: bool = True
    """Standardise each layer and dimension by the training part."""
    inputs: InputsConfig = field(default_factory=InputsConfig)
    """How the layers reach it: `sum`, `concat` or `one`."""
    smoothing: float = 0.0
    """Label smoothing, in [0, 1)."""
    balance: bool = False
    """Whether a clip counts by the inverse of its class's frequency in training."""
    members: int = 1
    """Networks whose probabilities are averaged."""

    @classmethod
    def small(cls) -> "MLPConfig":
        """What docs/results/study.md picked."""
        return cls(inputs=InputsConfig.small())

    def __post_init__(self) -> None:
        check_range("hidden", self.hidden, least=1, most=16_384)
        check_range("depth", self.depth, least=1, most=100)
        check_range("dropout", self.dropout, least=0, below=1)
        check_range("smoothing", self.smoothing, least=0, below=1)
        check_range("members", self.members, least=1, most=MOST_MEMBERS)
        if self.inputs.way == "tokens":
            raise ConfigError("mlp has no attention for tokens; choose inputs sum, concat or one")


class MLP(CrossEntropyModel):
    """GELU layers on concat(x1, x_c)."""

    name = "mlp"
    Config = MLPConfig
    config: MLPConfig
    stacks = True

    def __init__(self, n_classes: int, layers: int, width: int, config: MLPConfig) -> None:
        super().__init__(n_classes, layers, width, config)
        self.fusion = make_fusion(layers - 1, width, config.inputs)
        self.widths = [width + self.fusion.size, *[config.hidden] * config.depth]
        self.hidden = nn.ModuleList(
            nn.Linear(into, out) for into, out in zip(self.widths, self.widths[1:], strict=False)
        )
        self.head = nn.Linear(self.widths[-1], n_classes)

    def draw(self, size: int) -> Draws:
        """What dropout keeps of the input and each hidden layer. See `Learner.draw`."""
        kept = draw_kept(size, sum(self.widths), self.config.dropout, self.device)
        return ({} if kept is None else {"kept": kept}) | self.draw_more(size)

    def logits(self, x: Tensor, draws: Draws | None = None) -> Tensor:
        """See `CrossEntropyModel.logits`."""
        draws = draws or {}
        kept = draws.get("kept")
        h = torch.cat([x[:, -1], self.fusion(self.fusion.of(x), draws.get("layers"))], -1)
        masks = [None] * len(self.widths) if kept is None else torch.split(kept, self.widths, -1)
        for number, mask in enumerate(masks):
            if number:
                h = F.gelu(self.hidden[number - 1](h))
            h = h if mask is None else h * mask
        out: Tensor = self.head(h)
        return out
