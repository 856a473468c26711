"""The first control: the paper's "CLS", one classification layer, on all that Gen-SER reads.

It is the first stage of section 2.5, concat(x1, x_c) with the same learnable weighted sum x_c,
under one linear layer: same vectors, splits, budget and optimizer.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gensr.estimator.inputs import LayerFusion
from gensr.estimator.learner import Draws
from gensr.estimator.models.cross_entropy import CrossEntropyModel
from gensr.estimator.network import draw_kept
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


class Linear(CrossEntropyModel):
    """A linear classifier of concat(x1, x_c)."""

    name = "linear"
    Config = LinearConfig
    stacks = True

    def __init__(self, n_classes: int, layers: int, width: int, config: LinearConfig) -> None:
        super().__init__(n_classes, layers, width, config)
        self.fusion = LayerFusion(layers - 1, width)
        self.head = nn.Linear(2 * width, n_classes)

    def draw(self, size: int) -> Draws:
        """What dropout keeps of the input, (B, 2L). See `Learner.draw`."""
        kept = draw_kept(size, 2 * self.width, self.config.dropout, self.device)
        return {} if kept is None else {"kept": kept}

    def logits(self, x: Tensor, draws: Draws | None = None) -> Tensor:
        """See `CrossEntropyModel.logits`."""
        kept = (draws or {}).get("kept")
        h = torch.cat([x[:, -1], self.fusion(x[:, :-1])], -1)
        out: Tensor = self.head(h if kept is None else h * kept)
        return out
