"""What a fit is given: labelled clips, a budget, and where to keep what must outlive a kill.

Shapes: N clips, K conditioning layers, L width. A clip's vectors are one (K+1, L) block, x1
last, as the store holds them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gensr.estimator.ranges import check_range

MOST = 10**8
"""Bound on counts of steps and clips: 250 times the paper's budget. Beyond it a digit is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How any model is trained. The paper states batch size, steps and learning rate only."""

    steps: int = 600
    """Optimizer steps; the paper's is 400,000."""
    batch_size: int = 64
    """Clips per step; the paper's is 128."""
    learning_rate: float = 5e-4
    """Peak learning rate (paper)."""
    weight_decay: float = 0.01
    """Decoupled weight decay of AdamW. Ours."""
    warmup: float = 0.1
    """Share of the steps over which the rate rises linearly; it then falls as a cosine. Ours."""
    clip_norm: float = 1.0
    """Largest gradient norm, of a loss scaled so that 1 knows nothing. Ours."""
    ema: float = 0.99
    """Decay of the running average of the weights that is kept as the model; 0 is off. Ours.

    It warms up as min(ema, (1 + n) / (10 + n)) after n steps, so that the first weights are
    forgotten however short the training.
    """
    evaluate_every: int = 50
    """Steps between looks at the dev part, and between checkpoints."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "evaluate_every"):
            check_range(name, getattr(self, name), least=1, most=MOST)
        for name in ("warmup", "ema"):
            check_range(name, getattr(self, name), least=0, below=1)
        check_range("learning_rate", self.learning_rate, above=0, most=1)
        check_range("learning_rate", self.learning_rate, least=1e-12)
        # AdamW multiplies the weights by 1 - learning_rate * weight_decay: below 0 they explode.
        check_range(
            "weight_decay", self.weight_decay, least=0, most=min(1_000, 1 / self.learning_rate)
        )
        check_range("clip_norm", self.clip_norm, above=0)

    @classmethod
    def paper(cls) -> "TrainingConfig":
        """Batch 128, 400,000 steps, learning rate 5e-4 (section 3.2)."""
        return cls(steps=400_000, batch_size=128, ema=0.9999, evaluate_every=2000)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the training log."""

    step: int
    """Optimizer steps done."""
    loss: float
    """Mean training loss since the last line; 1 knows nothing."""
    dev_loss: float | None
    """Brier score on the dev part, 0 best, 2 worst; None without a dev part."""
    dev_accuracy: float | None
    """Accuracy on the dev part, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled clips."""

    x: Tensor
    """(N, K+1, L) float32 layer vectors, x1 last."""
    y: Tensor
    """(N,) int64 class indices."""

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: torch.device) -> "Examples":
        """The same clips on another device."""
        return Examples(self.x.to(device), self.y.to(device))


def unheard(entry: LogEntry) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """How a classifier is fitted, beside its examples."""

    seed: int
    """Of every draw."""
    budget: TrainingConfig | None = None
    """Of a model that is trained by gradient; None for one that is not."""
    dev: Examples | None = None
    """Looked at every `evaluate_every` steps; never learnt from."""
    checkpoint: Path | None = None
    """File to write at those steps, atomically, and to go on from where it is there."""
    owner: str | None = None
    """What the checkpoint belongs to beside these settings; another's is refused."""
    stop: int | None = None
    """End after this many steps of the schedule, before its end."""
    report: Callable[[LogEntry], None] = unheard
    """Called after each look."""
