"""Several small models trained as one batched program: folds, seeds, settings.

A small model's step is a hundred operations on matrices too small for one core, let alone two.
Here the weights of E models are stacked, and `torch.func.vmap` makes each operation one on all of
them. Every model keeps its own clips, order, draws and seed, so each ends with the weights of its
own training, but for the last bits of sums. What may differ between the models is what their
`draw` knows (times, noise, schedules, dropout) and their rates; sizes and steps may not.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import astuple
from pathlib import Path
from typing import Any

from gensr.estimator.checkpoint import Checkpoint, Stateful
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import LogEntry
from gensr.estimator.seeds import mix_seed
from gensr.estimator.stack import Member, Stack
from gensr.estimator.training import check_finite, kept_at, look, start_loss, whose

_SHARED = ("steps", "batch_size", "evaluate_every", "precision")
"""What the budgets of all members must have in common."""


def fit_together(
    members: Sequence[Member],
    *,
    checkpoint: Path | None = None,
    owner: str | None = None,
    report: Callable[[int], None] = lambda steps: None,
    looked: Callable[[Sequence[LogEntry]], None] = lambda last: None,
    over: Callable[[], bool] = lambda: False,
) -> list[list[LogEntry]]:
    """Train all models in place; each ends with the running average of its weights.

    Args:
        members: models of one class and size, with budgets of the same steps and batch.
        checkpoint: see `fit`; of all members, in this order.
        owner: see `fit`.
        report: called after each look, with the number of steps since the last.
        looked: called with the last line of every log, at the looks that all members take.
        over: asked before each step whether nobody waits for the result any more.

    Returns:
        The log of each.

    Raises:
        ConfigError: the models cannot be trained together, or a training part is empty.
        RunError: a checkpoint of other settings, or a loss that is not finite.
        InterruptedError: it is over.
    """
    check_alike(members)
    stack = Stack(members)
    settings = "; ".join(dict.fromkeys(str(each.config) for each in members))
    settings += " of " + ", ".join(f"seed={each.seed} stop={each.stop}" for each in members)
    if owner is None:
        settings += ", ".join(f" {each.config} {whose(each.model, each.train)}" for each in members)
    state = Checkpoint(
        All([each.model for each in members]),
        All([update.average for update in stack.updates]),
        All([update.optimizer for update in stack.updates]),
        settings=settings + f" run={owner}",
    )
    logs: list[list[LogEntry]] = [[] for _ in members]
    if checkpoint is not None and checkpoint.exists():
        for e, *entry in state.load(checkpoint):
            logs[e].append(LogEntry(*entry))
    done, last = max((log[-1].step for log in logs if log), default=0), max(e.end for e in members)
    report(done)
    told = done
    with ExitStack() as leaving:
        batches = stack.batches(done, leaving)
        while done < last:
            if over():
                raise InterruptedError("the training was broken off")
            stack.take(next(batches), done)
            done += 1
            all_look = not done % members[0].config.evaluate_every
            for e, member in enumerate(members):
                if done == member.end or (all_look and done < member.end):
                    logs[e].append(_line(stack, e, done, kept_at(checkpoint, logs[e])))
            if not all_look and done < last:
                continue
            if checkpoint is not None:
                lines = [(e, *astuple(line)) for e, log in enumerate(logs) for line in log]
                state.save(checkpoint, lines)
            report(done - told)
            told = done
            if all(log and log[-1].step == done for log in logs):
                looked([log[-1] for log in logs])
    for each, update in zip(members, stack.updates, strict=True):
        update.average.keep()
        each.model.eval()
    return logs


def _line(stack: Stack, e: int, step: int, kept: str) -> LogEntry:
    """A line of one model's log; it must not have diverged."""
    member, average, (loss, ago) = stack.members[e], stack.updates[e].average, stack.mean_loss(e)
    check_finite(loss, average.is_finite(), (step, ago), member.config, kept)
    with average.in_place():
        begun = start_loss(member.model, *stack.shown(e), mix_seed(member.seed, "start", step))
        return look(member.model, member.dev, step, loss, begun, member.answered)


class All:
    """Several states as one, for a checkpoint."""

    def __init__(self, each: Sequence[Stateful]) -> None:
        self._each = each

    def state_dict(self) -> dict[str, Any]:
        """By number."""
        return {str(i): one.state_dict() for i, one in enumerate(self._each)}

    def load_state_dict(self, state: Any) -> None:
        """Take what `state_dict` gave."""
        for i, one in enumerate(self._each):
            one.load_state_dict(state[str(i)])


def check_alike(members: Sequence[Member]) -> None:
    """Refuse models that cannot be trained together.

    Raises:
        ConfigError: saying why.
    """
    if not members:
        raise ConfigError("there is no model to train")
    first = members[0]
    sizes = {name: p.shape for name, p in first.model.named_parameters()}
    for each in members:
        same = (
            type(each.model) is type(first.model)
            and each.model.n_classes == first.model.n_classes
            and each.train.device == first.train.device
            and each.model.trains_with(first.model)
            and {name: p.shape for name, p in each.model.named_parameters()} == sizes
            and all(getattr(each.config, key) == getattr(first.config, key) for key in _SHARED)
            and min(each.config.batch_size, len(each.train))
            == min(first.config.batch_size, len(first.train))
        )
        if not each.model.stacks or not same:
            raise ConfigError(
                "models are trained together that are of one class and size, by the same steps "
                "and batches; train these one after another"
            )
