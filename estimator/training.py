"""The training loop: one plain function, whatever the model, wherever the clips are.

Every draw is a function of (seed, step) alone: the batch by the rule of order.py, times, noise
and dropout by seeding torch's generators at each step. So a run that was killed and resumed ends
with the same weights as one that was not, on the same device and thread count.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gensr.estimator.checkpoint import Checkpoint
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import LogEntry, TrainingConfig, unheard, unkept
from gensr.estimator.learner import Learner
from gensr.estimator.optimizer import rate_at
from gensr.estimator.order import Order
from gensr.estimator.parallel import ALONE, Group
from gensr.estimator.precision import computing
from gensr.estimator.seeds import drawing, mix_seed
from gensr.estimator.source import Source
from gensr.estimator.step import Step


def fit(
    model: Learner,
    train: Source,
    config: TrainingConfig,
    *,
    seed: int,
    dev: Source | None = None,
    checkpoint: Path | None = None,
    owner: str | None = None,
    stop: int | None = None,
    report: Callable[[LogEntry], None] = unheard,
    answered: Callable[[LogEntry, Tensor], None] = unkept,
    group: Group = ALONE,
) -> list[LogEntry]:
    """Train `model` in place; it ends with the running average of its weights.

    Args:
        model: any model; moved nowhere, so put it on the device of the clips.
        train: at least one clip.
        config: the budget.
        seed: of every draw.
        dev: looked at every `evaluate_every` steps; never trained on.
        checkpoint: file to write at those steps, atomically, and to go on from where it is there.
        owner: what the checkpoint belongs to beside these settings; another's is refused.
        stop: end after this many steps of the schedule, before its end.
        report: called after each look.
        answered: called at each look at the dev part; see `Fitting`.
        group: the processes that train it together; the first of them writes.

    Returns:
        The log, one entry per look; a resumed run returns the whole of it.

    Raises:
        ConfigError: an empty training part, or batches that the group cannot divide.
        RunError: a checkpoint of other settings, or a loss that is not finite.
    """
    order = order_of(train, config, seed)
    group.check(order.size)
    model.precision = config.precision
    clips = model.prepare(train)
    step = Step(model, config, seed, group)
    settings = f"{config} seed={seed}" + (
        f" run={owner}" if owner else f" of {whose(model, train)}"
    )
    state = Checkpoint(model, step.update.average, step.update.optimizer, settings=settings)
    log: list[LogEntry] = []
    if checkpoint is not None and checkpoint.exists():
        log = read_log(state.load(checkpoint), config.steps, checkpoint)
    model.train()
    done, last = log[-1].step if log else 0, min(stop or config.steps, config.steps)
    with torch.random.fork_rng(devices=[]), closing(clips.windows(order, done)) as windows:
        while done < last:
            window = next(windows)
            for number in range(min(len(window), last - done)):
                step.take(window, number, done)
                done += 1
                if done % config.evaluate_every and done < last:
                    continue
                loss, ago = step.mean_loss()
                finite = step.update.average.is_finite()
                check_finite(loss, finite, (done, ago), config, kept_at(checkpoint, log))
                with step.update.average.in_place():
                    batch = window.take(window.rows[number]), window.y[number]
                    begun = start_loss(model, *batch, mix_seed(seed, "start", done))
                    log.append(look(model, dev, done, loss, begun, answered))
                if checkpoint is not None and group.leads:
                    state.save(checkpoint, [astuple(entry) for entry in log])
                report(log[-1])
    step.update.average.keep()
    model.eval()
    return log


def whose(model: Learner, train: Source) -> str:
    """A model's settings and the clips that it learns from, short: whose checkpoint it may take.

    A run has an identity that says all this; who trains without one has this.
    """
    about = repr((type(model).__name__, getattr(model, "config", None), train.shape))
    of = [f"{name}{tuple(w.shape)}" for name, w in model.named_parameters()]
    first = hashlib.sha256(repr((about, of)).encode()).hexdigest()[:12]
    second = hashlib.sha256(train.y.numpy().tobytes()).hexdigest()[:12]
    return f"{getattr(model, 'name', 'model')} {first} on {len(train)} clips {second}"


def order_of(train: Source, config: TrainingConfig, seed: int) -> Order:
    """In which order a part is shown.

    Raises:
        ConfigError: there is no clip.
    """
    if not len(train):
        raise ConfigError("there is no clip to train on")
    return Order(
        n=len(train), batch=config.batch_size, window=config.window, block=config.block, seed=seed
    )


def kept_at(checkpoint: Path | None, log: Sequence[LogEntry]) -> str:
    """Where the last good state is, and of which step; empty where none is kept."""
    if checkpoint is None or not log or not checkpoint.exists():
        return ""
    return f"; its last good state, of step {log[-1].step}, is {checkpoint}"


def check_finite(
    loss: float, weights: bool, at: tuple[int, int], config: TrainingConfig, kept: str = ""
) -> None:
    """Refuse a training that diverged.

    Args:
        loss: mean since the last look.
        weights: whether their average is finite.
        at: steps done, and how many of them since the loss was no longer finite (0: it is).
        config: the budget.
        kept: see `kept_at`.

    Raises:
        RunError: saying when, what is kept, and what to change.
    """
    if math.isfinite(loss) and weights:
        return
    done, ago = at
    step = done - max(0, ago - 1)
    when = f"at step {step}, seen at {done}" if ago else f"by step {done}"
    rate = rate_at(step - 1, config)
    raise RunError(
        f"the training diverged: loss {loss} {when}, weights "
        f"{'finite' if weights else 'not finite'}, learning rate {rate:.3g} of "
        f"{config.learning_rate}{kept}; "
        "lower learning_rate in --config [training]"
    )


def read_log(entries: list[tuple[Any, ...]], steps: int, path: Path) -> list[LogEntry]:
    """The lines of a checkpoint's log, which must lead to a step of this schedule."""
    # Earlier versions knew nothing of the loss at t = T, the last of them.
    known = len(fields(LogEntry)) - 1, len(fields(LogEntry))
    log = [LogEntry(*entry) for entry in entries if len(entry) in known]
    if len(log) < len(entries) or any(type(line.step) is not int for line in log):
        raise RunError(f"{path} is damaged (its log); remove it, and --resume begins its fold anew")
    if log and not 0 < log[-1].step <= steps:
        raise RunError(f"{path} is damaged (its log); remove it, and --resume begins its fold anew")
    return log


def start_loss(model: Learner, x: Tensor, y: Tensor, seed: int) -> float | None:
    """The loss at t = T of a batch as it is learnt from, by a seed of its own; see `LogEntry`."""
    with drawing(x.device, seed), torch.no_grad(), computing(x.device, model.precision):
        loss = model.start_loss(x, y)
    return None if loss is None else loss.item()


def look(
    model: Learner,
    dev: Source | None,
    step: int,
    loss: float,
    begun: float | None,
    answered: Callable[[LogEntry, Tensor], None] = unkept,
) -> LogEntry:
    """A line of the log, with Brier score and accuracy on the dev part; its answers are told.

    Args:
        model: with the weights that are to be judged.
        dev: None where nobody looks.
        step: steps done.
        loss: mean of the steps since the last line.
        begun: loss at t = T.
        answered: told the answers.
    """
    if dev is None or not len(dev):
        return LogEntry(step, loss, None, None, begun)
    p = torch.cat([model.predict(block).cpu() for block in dev.blocks()])
    truth = nn.functional.one_hot(dev.y, model.n_classes)
    brier = (p - truth).square().sum(-1).mean().item()
    accuracy = (p.argmax(-1) == dev.y).float().mean().item()
    line = LogEntry(step, loss, brier, accuracy, begun)
    answered(line, p)
    return line
