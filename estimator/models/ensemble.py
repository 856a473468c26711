"""Several networks of one fold, each of a seed of its own, whose probabilities are averaged.

Every model trained by gradient may be one: `members = M` in its settings. Where its loss is a
function of tensors, small ones on a CPU are trained as one batched program (`together.py`), so M
cost far less than M times one; else one after another. Members have the same clips, and so the
same layer scores; weights, batches, times, noise and dropout are their own.

An ensemble has no way through the space: no sweep over N is drawn of it, though `N` and `sampler`
are handed to its members.

Shapes: M members, B batch, N clips, K conditioning layers, L width, C classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from gensr.estimator.device import SMALL
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import Fitting, LogEntry, TrainingConfig, unkept
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.seeds import mix_seed
from gensr.estimator.source import Source
from gensr.estimator.stack import Member
from gensr.estimator.together import fit_together

MOST_MEMBERS = 1000
"""Bound on M: beyond it a digit is wrong."""


class Ensemble(Classifier):
    """M models as one.

    Args:
        members: of one class and config, weights drawn each for itself; at least one.
    """

    by_gradient = True

    def __init__(self, members: Sequence[Any]) -> None:
        self.members = list(members)
        first = self.members[0]
        self.name = first.name  # type: ignore[misc]
        self.n_classes, self.layers, self.width = first.n_classes, first.layers, first.width
        self.config = first.config

    def fit(self, train: Source, how: Fitting) -> list[LogEntry]:
        """Train all members. See `Classifier.fit`.

        Returns:
            Their log: means of losses, Brier scores and accuracies over members, not those of the
            mean of their answers: so it follows from what each has kept, killed or not.

        Raises:
            ConfigError: there is no clip, or no budget.
            RunError: a checkpoint of other settings, or a loss that is not finite.
        """
        if how.budget is None:
            raise ConfigError(f"{self.name} is trained by steps; it needs a budget")
        train = train.shared()  # what one member may scale in place, the next would scale again
        looks = _Looks(len(self.members), how)
        if self._stacks(how, len(train)):
            return self._together(train, how, how.budget, looks)
        return self._in_turn(train, how, looks)

    def _stacks(self, how: Fitting, clips: int) -> bool:
        small = self.members[0].stacks and self.members[0].size < SMALL
        return small and self.device.type == "cpu" and how.group.size == 1 and clips > 0

    def _together(
        self, train: Source, how: Fitting, budget: TrainingConfig, looks: "_Looks"
    ) -> list[LogEntry]:
        members = [
            Member(
                model=model,
                train=train,
                config=budget,
                seed=_seed(how, m),
                dev=how.dev,
                stop=how.stop,
                answered=looks.of(m),
            )
            for m, model in enumerate(self.members)
        ]
        logs = fit_together(
            members,
            checkpoint=how.checkpoint,
            owner=how.owner,
            looked=lambda last: how.report(_merged(last)),
        )
        return [_merged(lines) for lines in zip(*logs, strict=True)]

    def _in_turn(self, train: Source, how: Fitting, looks: "_Looks") -> list[LogEntry]:
        """A checkpoint each, which stays until the last is done: a kill costs one its steps.

        Where somebody wants the answers of a look there is none, and a kill costs all: who goes on
        behind a look does not answer it again, and the answer of all is made of everyone's.
        """
        logs: list[list[LogEntry]] = []

        def report(entry: LogEntry) -> None:
            if len(logs) == len(self.members) - 1:  # the last knows what all have done
                before = [line for log in logs for line in log if line.step == entry.step]
                how.report(_merged([*before, entry]))

        for m, model in enumerate(self.members):
            file = how.checkpoint if how.answered is unkept else None
            mine = replace(
                how,
                seed=_seed(how, m),
                checkpoint=None if file is None else file.with_name(f"{file.name}.{m}"),
                answered=looks.of(m),
                report=report,
            )
            logs.append(model.fit(train, mine))
        return [_merged(lines) for lines in zip(*logs, strict=True)]

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """The mean of the members'. See `Classifier.probabilities`."""
        return torch.stack([each.probabilities(x, **options) for each in self.members]).mean(0)

    def predict(self, x: Tensor, *, batch: int = 1024, **options: Any) -> Tensor:
        """The mean of the members'. See `Classifier.predict`."""
        each = [one.predict(x, batch=batch, **options) for one in self.members]
        return torch.stack(each).mean(0)

    def weights(self) -> dict[str, Tensor]:
        """Those of all, each name behind its member's number. See `Classifier.weights`."""
        return {
            f"members.{m}.{name}": weight
            for m, each in enumerate(self.members)
            for name, weight in each.weights().items()
        }

    def restore(self, weights: dict[str, Tensor]) -> None:
        """Take what `weights` gave. See `Classifier.restore`."""
        parts: list[dict[str, Tensor]] = [{} for _ in self.members]
        for name, weight in weights.items():
            of, m, rest = name.split(".", 2)
            if of != "members" or int(m) >= len(parts):
                raise LookupError(f"{name} is of no member: there are {len(parts)}")
            parts[int(m)][rest] = weight
        for each, part in zip(self.members, parts, strict=True):
            each.restore(part)

    def place(self, device: torch.device) -> None:
        """Move all to a device. See `Classifier.place`."""
        for each in self.members:
            each.place(device)

    def eval(self) -> None:
        """All in evaluation mode."""
        for each in self.members:
            each.eval()

    @property
    def device(self) -> torch.device:
        """Where all are."""
        found: torch.device = self.members[0].device
        return found

    @property
    def size(self) -> int:
        """Parameters of all."""
        return sum(each.size for each in self.members)


def _seed(how: Fitting, m: int) -> int:
    """The seed of a member; the first has that of a model on its own."""
    return how.seed if m == 0 else mix_seed(how.seed, "member", m)


class _Looks:
    """What members answer of the dev part, until all have looked at a step."""

    def __init__(self, members: int, how: Fitting) -> None:
        self._members, self._how = members, how
        self._told: dict[int, dict[int, tuple[LogEntry, Tensor]]] = {}

    def of(self, m: int) -> Callable[[LogEntry, Tensor], None]:
        """What member m tells its answers."""

        def answered(entry: LogEntry, p: Tensor) -> None:
            at = self._told.setdefault(entry.step, {})
            at[m] = entry, p
            if len(at) == self._members:
                lines, each = zip(*(at[i] for i in range(self._members)), strict=True)
                del self._told[entry.step]
                self._how.answered(_merged(lines), torch.stack(each).mean(0))

        return answered


def _merged(lines: Sequence[LogEntry]) -> LogEntry:
    """The line of one step of all members: what is a number in each, as its mean."""
    means: dict[str, Any] = {}
    for name in (field.name for field in fields(LogEntry) if field.name != "step"):
        values = [getattr(line, name) for line in lines]
        means[name] = None if None in values else sum(values) / len(values)
    return replace(lines[0], **means)
