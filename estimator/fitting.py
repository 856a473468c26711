"""What a fit is given: labelled clips, a budget, and where to keep what must outlive a kill."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.parallel import ALONE, Group
from gensr.estimator.ranges import check_range
from gensr.estimator.source import Source

MOST = 10**8
"""Bound on counts of steps and clips: 250 times the paper's budget. Beyond it a digit is wrong."""
PRECISIONS = ("float32", "bfloat16")


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
    """Decoupled weight decay of AdamW, of matrices: biases, the adaptive norms and the weights of
    the layers do not decay. Ours."""
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
    precision: str = "float32"
    """Of the matrix products: `float32`, or `bfloat16` with float32 weights and sums. Ours."""
    window: int = 16_384
    """Most clips that are shuffled with each other; a training part that fits is shuffled whole.
    Ours, as `block`: see order.py."""
    block: int = 256
    """Consecutive clips that go into a window together."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "evaluate_every", "window", "block"):
            check_range(name, getattr(self, name), least=1, most=MOST)
        if self.window < 4 * self.batch_size:
            raise ConfigError(
                f"window ({self.window}) must hold at least four batches of {self.batch_size}; "
                "raise window, or lower batch_size"
            )
        if self.window % self.block:
            raise ConfigError(
                f"window ({self.window}) must be a multiple of block ({self.block}); change either"
            )
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"precision must be one of {', '.join(PRECISIONS)}; found {self.precision!r}"
            )
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
    def small(cls) -> "TrainingConfig":
        """Of a network of width 64: 300 steps at 2e-3 (docs/results/study.md)."""
        return cls(steps=300, learning_rate=2e-3)

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
    start_loss: float | None = None
    """Loss of the last batch at t = T alone, where every answer begins, by the averaged weights and
    without dropout; None of a model that has no such time, and in logs of earlier versions."""


def unheard(entry: LogEntry) -> None:
    """Report to nobody."""


def unkept(entry: LogEntry, p: Tensor) -> None:
    """Keep no answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """How a classifier is fitted, beside its examples."""

    seed: int
    """Of every draw."""
    budget: TrainingConfig | None = None
    """Of a model that is trained by gradient; None for one that is not."""
    dev: Source | None = None
    """Looked at every `evaluate_every` steps; never learnt from."""
    checkpoint: Path | None = None
    """File to write at those steps, atomically, and to go on from where it is there."""
    owner: str | None = None
    """What the checkpoint belongs to beside these settings; another's is refused."""
    stop: int | None = None
    """End after this many steps of the schedule, before its end."""
    report: Callable[[LogEntry], None] = unheard
    """Called after each look."""
    answered: Callable[[LogEntry, Tensor], None] = unkept
    """Called at each look at the dev part with what was answered of it, (n, C), before the
    checkpoint is written: after a kill a look may be taken, and answered, once more."""
    group: Group = ALONE
    """The processes that train together, of a model that is trained by gradient."""
