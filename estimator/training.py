"""The training loop: one plain function, whatever the model.

Every draw is a function of (seed, step) alone: the batch by a permutation per epoch, times,
noise and dropout by seeding torch's generator at each step. So a run that was killed and
resumed ends with the same weights as one that was not, on the same device and thread count.
"""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from gensr.estimator.checkpoint import Checkpoint
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import Examples, LogEntry, TrainingConfig, unheard


class Learner(nn.Module, ABC):
    """What the loop trains."""

    n_classes: int

    @abstractmethod
    def prepare(self, train: Examples) -> None:
        """Take what is not learned by gradient from the training part, before the first step."""

    @abstractmethod
    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Scalar loss of a batch x (B, K+1, L), y (B,), scaled so that 1 knows nothing."""

    @abstractmethod
    def predict(self, x: Tensor) -> Tensor:
        """Class probabilities (N, C) of x (N, K+1, L), in evaluation mode."""


def fit(
    model: Learner,
    train: Examples,
    config: TrainingConfig,
    *,
    seed: int,
    dev: Examples | None = None,
    checkpoint: Path | None = None,
    owner: str | None = None,
    stop: int | None = None,
    report: Callable[[LogEntry], None] = unheard,
) -> list[LogEntry]:
    """Train `model` in place; it ends with the running average of its weights.

    Args:
        model: any model; moved nowhere, so put it and the examples on one device.
        train: at least one clip.
        config: the budget.
        seed: of every draw.
        dev: looked at every `evaluate_every` steps; never trained on.
        checkpoint: file to write at those steps, atomically, and to go on from where it is there.
        owner: what the checkpoint belongs to beside these settings; another's is refused.
        stop: end after this many steps of the schedule, before its end.
        report: called after each look.

    Returns:
        The log, one entry per look; a resumed run returns the whole of it.

    Raises:
        ConfigError: an empty training part.
        RunError: a checkpoint of other settings, or a loss that is not finite.
    """
    if not len(train):
        raise ConfigError("there is no clip to train on")
    model.prepare(train)
    average = AveragedModel(model, multi_avg_fn=_warm_average(config.ema))
    learnt = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, weight_decay=config.weight_decay, fused=True)
    settings = f"{config} seed={seed}" + (f" run={owner}" if owner else "")
    state = Checkpoint(model, average, optimizer, settings=settings)
    log: list[LogEntry] = []
    if checkpoint is not None and checkpoint.exists():
        log = _log(state.load(checkpoint), config.steps, checkpoint)
    losses: list[Tensor] = []
    model.train()
    last = min(stop or config.steps, config.steps)
    for step in range(log[-1].step if log else 0, last):
        losses.append(_step(model, optimizer, train, config, seed, step))
        average.update_parameters(model)
        if (step + 1) % config.evaluate_every == 0 or step + 1 == last:
            loss = torch.stack(losses).mean().item()
            losses.clear()
            if not math.isfinite(loss) or not _finite(average):
                raise RunError(
                    f"the training diverged: loss {loss} at step {step + 1}, weights "
                    f"{'finite' if _finite(average) else 'not finite'}, learning rate "
                    f"{config.learning_rate}; lower learning_rate in --config [training]"
                )
            log.append(LogEntry(step + 1, loss, *_look(average.module, dev)))
            if checkpoint is not None:
                state.save(checkpoint, [astuple(entry) for entry in log])
            report(log[-1])
    model.load_state_dict(average.module.state_dict())
    model.eval()
    return log


def _log(entries: list[tuple[Any, ...]], steps: int, path: Path) -> list[LogEntry]:
    """The lines of a checkpoint's log, which must lead to a step of this schedule."""
    log = [LogEntry(*entry) for entry in entries if len(entry) == len(fields(LogEntry))]
    if len(log) < len(entries) or any(type(line.step) is not int for line in log):
        raise RunError(f"{path} is damaged (its log); remove it, and --resume begins its fold anew")
    if log and not 0 < log[-1].step <= steps:
        raise RunError(f"{path} is damaged (its log); remove it, and --resume begins its fold anew")
    return log


def _finite(model: nn.Module) -> bool:
    return all(bool(torch.isfinite(w).all()) for w in model.parameters())


def _step(
    model: Learner,
    optimizer: torch.optim.Optimizer,
    train: Examples,
    config: TrainingConfig,
    seed: int,
    step: int,
) -> Tensor:
    rows = _batch_rows(len(train), config.batch_size, seed, step).to(train.y.device)
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * _rate(step, config)
    with _seeded(seed, "step", step):
        loss = model.loss(train.x[rows], train.y[rows])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], config.clip_norm)
    optimizer.step()
    return loss.detach()


Weights = list[Tensor] | tuple[Tensor, ...]


def _warm_average(decay: float) -> Callable[[Weights, Weights, Tensor | int], None]:
    def update(average: Weights, current: Weights, n: Tensor | int) -> None:
        kept = min(decay, (1 + int(n)) / (10 + int(n)))
        torch._foreach_lerp_(average, current, 1 - kept)

    return update


def _look(model: nn.Module, dev: Examples | None) -> tuple[float | None, float | None]:
    if dev is None or not len(dev):
        return None, None
    assert isinstance(model, Learner)
    p = model.predict(dev.x)
    truth = nn.functional.one_hot(dev.y, model.n_classes)
    brier = (p - truth).square().sum(-1).mean().item()
    return brier, (p.argmax(-1) == dev.y).float().mean().item()


def _batch_rows(n: int, batch_size: int, seed: int, step: int) -> Tensor:
    """Rows of the batch at `step`: each epoch is a permutation, its incomplete end left out."""
    size = min(batch_size, n)
    epoch, batch = divmod(step, n // size)
    order = torch.randperm(
        n, generator=torch.Generator().manual_seed(mix_seed(seed, "epoch", epoch))
    )
    return order[batch * size : (batch + 1) * size]


def _rate(step: int, config: TrainingConfig) -> float:
    """Share of the peak learning rate at `step`: linear warm-up, then a half cosine to zero."""
    warm = config.warmup * config.steps
    if step < warm:
        return (step + 1) / (warm + 1)
    return (1 + math.cos(math.pi * (step - warm) / (config.steps - warm))) / 2


def mix_seed(seed: int, purpose: str, index: int | str) -> int:
    """A seed for one purpose, independent of all others."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{index}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


@contextmanager
def _seeded(seed: int, purpose: str, index: int) -> Iterator[None]:
    """Torch's generators seeded for one purpose, and given back as they were (on the CPU)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, purpose, index))
        yield
