"""What the training loop trains.

Shapes: B batch, N clips, K conditioning layers, L width, C classes.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, TypeAlias

from torch import Tensor, nn

from gensr.estimator.source import Source

Draws: TypeAlias = Mapping[str, Tensor]
"""What was drawn for a batch, by name, (B, ...) each."""


class Learner(nn.Module, ABC):
    """A model whose loss has a gradient."""

    n_classes: int
    precision: str = "float32"
    """Of matrix products, in training and in answers: as `TrainingConfig.precision` had it."""
    stacks: ClassVar[bool] = False
    """Whether its loss is a function of tensors alone: it draws nothing itself, asks a device for
    no number, and depends on no state. Then several can be trained as one batched program, and on
    a GPU a step is captured once and replayed."""

    def trains_with(self, other: "Learner") -> bool:
        """Whether its loss is another's, but for its weights and what `draw` gives.

        Args:
            other: of the same class and sizes.
        """
        return True

    @abstractmethod
    def prepare(self, train: Source) -> Source:
        """Take what is not learned by gradient from the training part, before the first step.

        Returns:
            The same clips as `loss` takes them.
        """

    def draw(self, size: int) -> Draws:
        """All that the loss of a batch of `size` clips draws, by torch's generators."""
        return {}

    @abstractmethod
    def loss(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """Scalar loss of a batch, a mean over its clips, scaled so that 1 knows nothing.

        Args:
            x: (B, K+1, L), of what `prepare` gave.
            y: (B,) class indices.
            draws: of `draw`; each may be divided along its first axis, as x and y are.
        """

    def start_loss(self, x: Tensor, y: Tensor) -> Tensor | None:
        """Loss of a batch at t = T alone, which is all that an answer meets first; drawn anew.

        Args:
            x: as `loss` takes it.
            y: (B,) class indices.

        Returns:
            Scalar; None of a model without a path.
        """
        return None

    def forward(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """The loss, for those who call a module."""
        return self.loss(x, y, draws)

    @abstractmethod
    def predict(self, x: Tensor) -> Tensor:
        """Class probabilities (N, C) of x (N, K+1, L), in evaluation mode."""
