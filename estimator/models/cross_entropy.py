"""What the discriminative controls share: cross-entropy of their logits.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

import math
from abc import abstractmethod
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError
from gensr.estimator.learner import Draws
from gensr.estimator.models.model import Model


class CrossEntropyModel(Model):
    """A model with logits, which is all that a rival defines."""

    @abstractmethod
    def logits(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """(B, K+1, L), standardised -> (B, C).

        Args:
            x: layer vectors, x1 last.
            kept: what dropout keeps, of `draw`, in training; None where nothing was drawn.
        """

    def loss(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """Cross-entropy over log C, the entropy of knowing nothing."""
        logits = self.logits(x, draws["kept"]) if "kept" in draws else self.logits(x)
        return F.cross_entropy(logits.float(), y) / math.log(max(2, self.n_classes))

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Softmax of the logits.

        Raises:
            ConfigError: an option; there are none.
        """
        if options:
            raise ConfigError(f"{self.name} has no option {', '.join(options)}")
        return self.logits(self.standardized(x)).float().softmax(-1)
