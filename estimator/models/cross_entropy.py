"""What the discriminative controls share: cross-entropy of their logits.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

import math
from abc import abstractmethod
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError
from gensr.estimator.models.model import Model


class CrossEntropyModel(Model):
    """A model with logits, which is all that a rival defines."""

    @abstractmethod
    def logits(self, x: Tensor) -> Tensor:
        """(B, K+1, L) -> (B, C)."""

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
