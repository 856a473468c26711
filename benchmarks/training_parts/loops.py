"""The two loops that are compared: gensr's own, and the one that everybody writes."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.gen_ser import GenSER
from gensr.estimator.optimizer import rate_at
from gensr.estimator.parallel import ALONE, Group
from gensr.estimator.precision import computing
from gensr.estimator.resident import Resident
from gensr.estimator.source import Window
from gensr.estimator.step import Step
from gensr.estimator.training import order_of


class Ours:
    """The steps of `gensr.estimator.training.fit`, some at a time; looks where the budget has them.

    Args:
        model: trained in place.
        train: the clips, as a store holds them; scaled in place.
        config: the budget.
        group: the processes that share each batch.
    """

    def __init__(
        self, model: GenSER, train: Resident, config: TrainingConfig, group: Group = ALONE
    ) -> None:
        order = order_of(train, config, seed=0)
        self._clips = model.prepare(train)
        model.train()
        self._step, self._config, self._done = Step(model, config, 0, group), config, 0
        self._batches = _numbered(self._clips.windows(order, 0))

    def __call__(self, steps: int) -> None:
        """Take steps."""
        for _ in range(steps):
            self._step.take(*next(self._batches), self._done)
            self._done += 1
            if self._done % self._config.evaluate_every == 0:
                self._step.mean_loss()
                self._step.update.average.is_finite()
                with self._step.update.average.in_place():
                    pass


class Plain:
    """The eager loop: zero_grad, loss, backward, clip_grad_norm_, AdamW, AveragedModel.

    It goes through the same modules and the same draws, so it is without the queries and keys that
    one token does not need, and its vectors are standardised beforehand, as ours are.

    Args:
        model: trained in place.
        train: the clips, already scaled.
        config: the budget.
        indexed: take batches out of the array by rows, instead of a `DataLoader`.
    """

    def __init__(
        self, model: GenSER, train: Resident, config: TrainingConfig, *, indexed: bool = False
    ) -> None:
        self._model, self._config, self._done = model.train(), config, 0
        x, y = train.x, train.y.to(train.x.device)
        self._batches = _indexed(x, y, config) if indexed else _loaded(x, y, config)
        self._optimizer = torch.optim.AdamW(
            model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        average = get_ema_multi_avg_fn(config.ema)
        self._average = AveragedModel(model, multi_avg_fn=average)
        self._total = torch.zeros((), device=train.device)

    def __call__(self, steps: int) -> None:
        """Take steps."""
        model, device = self._model, self._total.device
        for _ in range(steps):
            x, y = next(self._batches)
            for group in self._optimizer.param_groups:
                group["lr"] = rate_at(self._done, self._config)
            self._optimizer.zero_grad()
            with computing(device, self._config.precision):
                loss = model.loss(x, y, model.draw(len(x)))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), self._config.clip_norm)
            self._optimizer.step()
            self._average.update_parameters(model)
            self._total += loss.detach()
            self._done += 1


def _numbered(windows: Iterator[Window]) -> Iterator[tuple[Window, int]]:
    for window in windows:
        for number in range(len(window)):
            yield window, number


def _loaded(x: Tensor, y: Tensor, config: TrainingConfig) -> Iterator[tuple[Tensor, Tensor]]:
    clips = TensorDataset(x, y)
    loader = DataLoader(clips, batch_size=config.batch_size, shuffle=True, drop_last=True)
    while True:
        yield from loader


def _indexed(x: Tensor, y: Tensor, config: TrainingConfig) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        for rows in torch.randperm(len(x), device=x.device).split(config.batch_size):
            if len(rows) == config.batch_size:
                yield x[rows], y[rows]
