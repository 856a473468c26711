"""What the discriminative controls share: cross-entropy of their logits.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

import math
from abc import abstractmethod
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from gensr.estimator.balance import weight_of
from gensr.estimator.errors import ConfigError
from gensr.estimator.learner import Draws
from gensr.estimator.models.model import Model


class CrossEntropyModel(Model):
    """A model with logits, which is all that a rival defines."""

    @abstractmethod
    def logits(self, x: Tensor, draws: Draws | None = None) -> Tensor:
        """(B, K+1, L), standardised -> (B, C).

        Args:
            x: layer vectors, x1 last.
            draws: what `draw` gave, in training; None where it answers.
        """

    def loss(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """Cross-entropy over log C, the entropy of knowing nothing."""
        logits, weight = self.logits(x, draws).float(), weight_of(y, draws)
        e = getattr(self.config, "smoothing", 0.0)
        if weight is None:
            cost = F.cross_entropy(logits, y, label_smoothing=e)
        else:
            each = F.cross_entropy(logits, y, label_smoothing=e, reduction="none")
            cost = (each * weight).mean()
        return cost / math.log(max(2, self.n_classes))

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Softmax of the logits.

        Raises:
            ConfigError: an option; there are none.
        """
        if options:
            raise ConfigError(f"{self.name} has no option {', '.join(options)}")
        return self.logits(self.standardized(x)).float().softmax(-1)
