"""AdamW as this project uses it: what decays, how fast it learns, and what average is kept.

The learnt weights of a model lie in one row of memory, those that decay first, and so do their
gradients and their average: clipping, AdamW and the average are a handful of operations, however
many layers there are. What changes from step to step is a tensor on the model's device, so that a
step can be captured once and replayed.

Shapes: P learnt weights.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from gensr.estimator.fitting import TrainingConfig


def decayed(model: nn.Module) -> set[str]:
    """Names of the parameters that weight decay acts on: matrices, but for those of the norms.

    Biases, the weights of the layers, and norms, whose modulation by the time is a matrix too.
    """
    exempt = {
        id(parameter)
        for module in model.modules()
        if getattr(module, "is_norm", False)
        for parameter in module.parameters()
    }
    return {
        name
        for name, parameter in model.named_parameters()
        if parameter.ndim > 1 and id(parameter) not in exempt
    }


def own_rates(model: nn.Module) -> dict[str, float]:
    """Parameters by name whose learning rate is not the usual one, and how many times that.

    A module says so of its own parameters by an attribute `rate`.
    """
    return {
        f"{prefix}.{name}" if prefix else name: float(module.rate)
        for prefix, module in model.named_modules()
        if getattr(module, "rate", 1.0) != 1.0
        for name, _ in module.named_parameters(recurse=False)
    }


class Weights:
    """The learnt weights of a model, which become parts of one row.

    Args:
        model: its parameters are pointed into the row.
        row: (P,) where they go; None makes one.
    """

    def __init__(self, model: nn.Module, row: Tensor | None = None) -> None:
        matrices, rates = decayed(model), own_rates(model)
        learnt = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.names = sorted(  # stable
            learnt, key=lambda name: (name not in matrices, rates.get(name, 1.0))
        )
        self.parameters = [learnt[name] for name in self.names]
        self.shapes = [p.shape for p in self.parameters]
        self.sizes = [p.numel() for p in self.parameters]
        self.decayed = sum(
            size for name, size in zip(self.names, self.sizes, strict=True) if name in matrices
        )
        """How many of the first decay."""
        self.parts_alike = _runs(
            [(name in matrices, rates.get(name, 1.0)) for name in self.names], self.sizes
        )
        """Slices of the row by (whether it decays, its rate over the usual one)."""
        values = torch.cat([p.detach().flatten() for p in self.parameters])
        self.row = values if row is None else row.copy_(values)
        for parameter, part in zip(self.parameters, self.parts(self.row), strict=True):
            parameter.data = part

    def parts(self, rows: Tensor) -> list[Tensor]:
        """Rows (..., P) cut up, in the shapes of the parameters."""
        cut = torch.split(rows, self.sizes, -1)
        return [
            part.view(*rows.shape[:-1], *shape)
            for part, shape in zip(cut, self.shapes, strict=True)
        ]

    def release(self) -> None:
        """Give each parameter memory of its own again."""
        for parameter in self.parameters:
            parameter.data = parameter.detach().clone()


def joined(gradients: Sequence[Tensor], out: Tensor) -> None:
    """Put gradients, (..., shape) each, into rows (..., P)."""
    torch.cat([gradient.reshape(*out.shape[:-1], -1) for gradient in gradients], -1, out=out)


class Average:
    """The running average of the learnt weights, which is what is kept as the model."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.row = weights.row.clone()

    def update(self, share: float | Tensor) -> None:
        """Move it by a share of the way to the weights as they are now; see `share_at`."""
        self.row.lerp_(self._weights.row, share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model with these weights, for a look; then again with its own."""
        own = self._weights.row.clone()
        self._weights.row.copy_(self.row)
        try:
            yield
        finally:
            self._weights.row.copy_(own)

    def keep(self) -> None:
        """Leave the model with these weights, for good."""
        self._weights.row.copy_(self.row)
        self._weights.release()

    def is_finite(self) -> bool:
        """Whether every number of it is one."""
        return bool(torch.isfinite(self.row).all())

    def state_dict(self) -> dict[str, Tensor]:
        """See `Checkpoint`."""
        return {"row": self.row}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take what `state_dict` gave.

        Raises:
            RuntimeError: it is of another model.
        """
        self.row.copy_(state["row"])


class Update:
    """What one model does with its gradient: clip, AdamW, average.

    Args:
        weights: of the model.
        config: the budget.
        gradient: (P,) where the gradient is when `run` is called; None makes a place.
    """

    def __init__(
        self, weights: Weights, config: TrainingConfig, gradient: Tensor | None = None
    ) -> None:
        self.gradient = torch.zeros_like(weights.row) if gradient is None else gradient
        self.average = Average(weights)
        self._config = config
        self._captured = weights.row.device.type == "cuda"
        self._share = torch.zeros((), device=weights.row.device)
        self.optimizer = self._adamw(weights)

    def take(self, step: int) -> None:
        """Set what changes from step to step, and run."""
        self.set(step)
        self.run(share_at(step, self._config))

    def set(self, step: int) -> None:
        """Set the tensors that `run` reads where it is captured; never waits for a device."""
        for group, times in zip(self.optimizer.param_groups, self._times, strict=True):
            rate = rate_at(step, self._config) * times
            if not self._captured:
                group["lr"] = rate
                continue
            if group["lr"].device != self.gradient.device:  # as a checkpoint gave it
                group["lr"] = group["lr"].to(self.gradient.device)
            group["lr"].fill_(rate)
        if self._captured:
            self._share.fill_(share_at(step, self._config))

    def run(self, share: float | None = None) -> None:
        """Take the step.

        Args:
            share: of the way that the average moves; None: as it was set.
        """
        norm = torch.linalg.vector_norm(self.gradient)
        self.gradient.mul_((self._config.clip_norm / (norm + 1e-6)).clamp(max=1.0))
        self.optimizer.step()
        self.average.update(self._share if share is None else share)

    def _adamw(self, weights: Weights) -> torch.optim.AdamW:
        """Fused AdamW over the parts of the row; its rate is a tensor where that serves."""
        groups, self._times = [], []
        for part, decays, times in weights.parts_alike:
            some = weights.row[part]
            some.grad = self.gradient[part]
            decay = self._config.weight_decay if decays else 0.0
            groups.append({"params": [some], "weight_decay": decay})
            self._times.append(times)
        rate = torch.zeros((), device=self.gradient.device)
        return torch.optim.AdamW(
            groups,
            lr=rate if self._captured else self._config.learning_rate,
            fused=True,
            capturable=self._captured,
        )


def _runs(
    kinds: Sequence[tuple[bool, float]], sizes: Sequence[int]
) -> list[tuple[slice, bool, float]]:
    """Consecutive weights of one kind, as a slice each."""
    runs: list[tuple[slice, bool, float]] = []
    start = 0
    for kind, size in zip(kinds, sizes, strict=True):
        if runs and runs[-1][1:] == kind:
            runs[-1] = slice(runs[-1][0].start, start + size), *kind
        else:
            runs.append((slice(start, start + size), *kind))
        start += size
    return runs


def rate_at(step: int, config: TrainingConfig) -> float:
    """Learning rate of a step: linear warm-up to the peak, then a half cosine to zero."""
    warm = config.warmup * config.steps
    if step < warm:
        return config.learning_rate * (step + 1) / (warm + 1)
    turn = math.pi * (step - warm) / (config.steps - warm)
    return config.learning_rate * (1 + math.cos(turn)) / 2


def share_at(step: int, config: TrainingConfig) -> float:
    """How far the average moves at a step, by `TrainingConfig.ema` and its warm-up."""
    if step == 0:
        return 1.0
    return 1 - min(config.ema, (1 + step) / (10 + step))
