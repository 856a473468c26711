"""The weights of several models, stacked, and a step of all of them at once.

Shapes: E models, B batch, K conditioning layers, L width.
"""

import copy
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, vmap

from gensr.estimator.fitting import LogEntry, TrainingConfig, unkept
from gensr.estimator.learner import Learner
from gensr.estimator.mean_loss import MeanLoss
from gensr.estimator.optimizer import Update, Weights, joined
from gensr.estimator.precision import computing
from gensr.estimator.seeds import drawing, mix_seed
from gensr.estimator.source import Source, Window
from gensr.estimator.training import order_of

Batch = list[tuple[Window, int]]
"""For each model its window, and which of the window's steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the models that are trained together; see `fit`, whose arguments these are."""

    model: Learner
    train: Source
    config: TrainingConfig
    seed: int
    dev: Source | None = None
    stop: int | None = None
    answered: Callable[[LogEntry, Tensor], None] = unkept

    @property
    def end(self) -> int:
        """Step after which it is done."""
        return min(self.stop or self.config.steps, self.config.steps)


class Stack:
    """E models that are trained together.

    Their gradients are computed as one; with its own each model takes the step that it would take
    alone, on its part of the stacked weights.

    Args:
        members: alike.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self._orders = [order_of(each.train, each.config, each.seed) for each in members]
        self._clips = _prepared(members)
        models = [each.model for each in members]
        self._device = next(models[0].parameters()).device
        self._base = copy.deepcopy(models[0]).train()
        size = sum(p.numel() for p in models[0].parameters() if p.requires_grad)
        rows = torch.empty(len(models), size, device=self._device)
        self._gradient = torch.zeros_like(rows)
        each_of = [Weights(model, row) for model, row in zip(models, rows, strict=True)]
        self._names = each_of[0].names
        self._weights = dict(zip(self._names, each_of[0].parts(rows), strict=True))
        """(E, ...) by name, of which each model's are a part."""
        self.updates = [
            Update(weights, each.config, gradient)
            for weights, each, gradient in zip(each_of, members, self._gradient, strict=True)
        ]
        self._loss = MeanLoss(self._device, len(members))
        self._x: Tensor | None = None
        self._y: Tensor | None = None

    def batches(self, step: int, leaving: ExitStack) -> Iterator[Batch]:
        """What every model sees, from `step` on, without end."""
        each = [
            _steps(leaving.enter_context(closing(clips.windows(order, step))))
            for clips, order in zip(self._clips, self._orders, strict=True)
        ]
        while True:
            yield [next(steps) for steps in each]

    def take(self, batch: Batch, step: int) -> None:
        """Take one step with every model."""
        x = self._gathered(batch)
        y = self._y = torch.stack([window.y[number] for window, number in batch])
        draws = self._draws(y.shape[1], step)
        with computing(self._device, self.members[0].config.precision):
            gradients, losses = self._gradients(x, y, draws)
        joined([gradients[name] for name in self._names], self._gradient)
        for each, update in zip(self.members, self.updates, strict=True):
            if step < each.end:
                update.take(step)
        self._loss.add(losses)
        self._loss.count()

    def shown(self, e: int) -> tuple[Tensor, Tensor]:
        """What the last step showed to one model: (B, K+1, L) as it is learnt from, (B,)."""
        assert self._x is not None  # a step was taken
        assert self._y is not None
        return self._x[e], self._y[e]

    def mean_loss(self, e: int) -> tuple[float, int]:
        """Mean loss of one model, and since when it is not finite: `MeanLoss.ask`."""
        return self._loss.ask(e)

    def _gathered(self, batch: Batch) -> Tensor:
        """(E, B, K+1, L), into the same memory at every step."""
        if self._x is None:
            window, number = batch[0]
            shape = len(batch), window.rows.shape[1], *window.x.shape[1:]
            self._x = torch.empty(shape, device=self._device)
        for place, (window, number) in zip(self._x, batch, strict=True):
            torch.index_select(window.x, 0, window.rows[number], out=place)
            if window.scale is not None:
                window.scale.into(place)
        return self._x

    def _draws(self, size: int, step: int) -> dict[str, Tensor]:
        """What every model draws, each from its own seed."""
        drawn = []
        for each in self.members:
            with drawing(self._device, mix_seed(each.seed, "step", step)):
                drawn.append(each.model.draw(size))
        return {name: torch.stack([draws[name] for draws in drawn]) for name in drawn[0]}

    def _gradients(
        self, x: Tensor, y: Tensor, draws: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """By name, (E, ...), and the losses (E,)."""

        def loss(weights: dict[str, Tensor], x: Tensor, y: Tensor, draws: dict[str, Tensor]) -> Any:
            return functional_call(self._base, weights, (x, y, draws))

        found: tuple[dict[str, Tensor], Tensor] = vmap(grad_and_value(loss))(
            self._weights, x, y, draws
        )
        return found


def _prepared(members: Sequence[Member]) -> list[Source]:
    """The clips as they are learnt from: of arrays that all share, so scaled as they are taken."""
    clips = []
    for each in members:
        each.model.precision = each.config.precision
        clips.append(each.model.prepare(each.train.shared()))
    return clips


def _steps(windows: Generator[Window, None, None]) -> Iterator[tuple[Window, int]]:
    for window in windows:
        for number in range(len(window)):
            yield window, number
