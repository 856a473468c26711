"""What the SVM and logistic regression share: one layer or all, and what inner folds choose.

    1. which layer, where one is asked for: the one that is best at the default C, by a linear form
    2. the kernel, where there are several, and C, of what that leaves
    3. a temperature, of the held-out scores of what was chosen

All by folds inside the training part whose speakers are not on both sides (`inner.py`). Vectors
are standardised by the whole training part before: moments know no class. Where there are no
such folds (groups unknown, one speaker), the layer is x1, the kernel the first, C the default,
the temperature 1.

C is that of rows divided by the root of their width, so that a value means the same for any
encoder, for one layer and for all: scikit-learn's C of the rows themselves, times their width.

Shapes: B batch, N clips, M clips with a say, K+1 layers, x1 last, L width, D width of a row,
C classes.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
from sklearn import config_context
from threadpoolctl import threadpool_limits
from torch import Tensor

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import Fitting
from gensr.estimator.held_out import best, by_folds, check_measure, temperature_of
from gensr.estimator.inner import inner_folds
from gensr.estimator.kernels import check_count, held, layer_rows, rbf
from gensr.estimator.models.fitted import Fitted
from gensr.estimator.ranges import check_range
from gensr.estimator.source import Scale, Source

Folds: TypeAlias = Sequence[tuple[Tensor, Tensor]]
NEVER = -torch.inf
"""Score of a class that was not learnt."""
_UNASKED = {"assume_finite": True, "skip_parameter_validation": True}
"""What scikit-learn need not check at each of hundreds of fits: it was checked here, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginConfig:
    """Settings of both; ours, the paper has neither."""

    layers: str = "all"
    """`all`, concatenated, or `one`, chosen by inner folds."""
    C: float | None = None
    """Weight of the errors beside the squared norm; None: chosen by inner folds."""
    by: str = "uar"
    """What is chosen by: `uar`, so that a class of few clips counts as much as another and no
    choice is won by the commonest, or `accuracy`."""
    standardize: bool = True
    """Standardise each layer and dimension by the training part."""

    def __post_init__(self) -> None:
        if self.layers not in ("all", "one"):
            raise ConfigError(f"layers must be all or one; found {self.layers!r}")
        if self.C is not None:
            check_range("C", self.C, above=0, most=1e9)
        check_measure(self.by)


@dataclass(frozen=True, slots=True)
class Forms:
    """A linear form for each class, of what a `Problem` makes of a row."""

    w: Tensor
    """(features, C) float64."""
    b: Tensor
    """(C,) float64."""


class Problem(ABC):
    """Rows and their classes, to be fitted many times: what fits share is computed once.

    Args:
        rows: (N, D) float32.
        y: (N,) classes.
        n_classes: C.
        kernel: a name.
    """

    @abstractmethod
    def __init__(self, rows: Tensor, y: Tensor, n_classes: int, kernel: str) -> None: ...

    @abstractmethod
    def fit(self, learn: Tensor, C: float) -> Forms:
        """Fit on some of the rows, by their numbers."""

    @abstractmethod
    def scores(self, forms: Forms, learn: Tensor, test: Tensor) -> Tensor:
        """Scores (n, C) of the rows `test` by forms that were fitted on `learn`."""

    @abstractmethod
    def arrays(self, forms: Forms) -> dict[str, Tensor]:
        """Forms that were fitted on all rows, as the model keeps them: `w`, `b`, `support`."""


class Margins(Fitted):
    """Linear forms of a row, or of its kernel with the rows of `support`."""

    needs = (
        frozenset({"layer", "w", "b", "temperature"}),
        frozenset({"layer", "support", "w", "b", "temperature"}),
    )
    config: MarginConfig
    problem: ClassVar[type[Problem]]
    """How it is fitted."""
    grid: ClassVar[Sequence[float]]
    """Values of C to choose from, rising: of equals the plainest is taken."""
    default: ClassVar[float]
    """C where nothing is chosen, and while the layer is."""

    @property
    def kernels(self) -> tuple[str, ...]:
        """Kernels to choose from; the first where nothing is chosen."""
        return ("linear",)

    def check(self, train: Source) -> None:
        """At most 10,000 clips, for their Gram matrix. See `Fitted.check`."""
        check_count(train, self.name)

    def learn(self, train: Source, scale: Scale | None, how: Fitting) -> dict[str, Tensor]:
        """See `Fitted.learn`.

        Raises:
            RunError: a vector is not finite.
        """
        x = held(train, scale)
        if not x.isfinite().all():
            raise RunError(
                f"{self.name}: a vector of the training part is not finite; extract anew"
            )
        folds = inner_folds(train, seed=how.seed)
        # BLAS, which scikit-learn computes by, as torch has it: the same bits on any cores.
        with threadpool_limits(torch.get_num_threads()), config_context(**_UNASKED):
            layer = self._layer(x, train.y, folds)
            posed, C, temperature = self._chosen(layer_rows(x, layer), train.y, folds)
            forms = posed.fit(torch.arange(len(train)), C)
        return {
            "layer": torch.tensor(-1 if layer is None else layer),
            "temperature": torch.tensor(temperature),
            **posed.arrays(forms),
        }

    def answers(self, x: Tensor) -> Tensor:
        """Softmax of the scores over the temperature. See `Fitted.answers`."""
        layer = int(self.arrays["layer"])
        rows = layer_rows(x, None if layer < 0 else layer)
        if "support" in self.arrays:
            rows = rbf(rows, self.arrays["support"])
        w, b = self.arrays["w"], self.arrays["b"]
        return ((rows.to(w) @ w + b) / self.arrays["temperature"]).softmax(-1)

    def _layer(self, x: Tensor, y: Tensor, folds: Folds) -> int | None:
        """Which layer is learnt from; None is all."""
        if self.config.layers == "all":
            return None
        last = x.shape[1] - 1
        if not folds or not last:
            return last
        C = self.config.C or self.default

        def held_out(layer: int) -> Tensor:
            posed = self.problem(layer_rows(x, layer), y, self.n_classes, self.kernels[0])
            return self._held_out(posed, C, y, folds)

        return best(range(last, -1, -1), held_out, y, self.config.by)[0]

    def _chosen(self, rows: Tensor, y: Tensor, folds: Folds) -> tuple[Problem, float, float]:
        """The problem by the kernel that was chosen, C, and the temperature."""
        if not folds:
            first = self.problem(rows, y, self.n_classes, self.kernels[0])
            return first, self.config.C or self.default, 1.0
        posed = [self.problem(rows, y, self.n_classes, kernel) for kernel in self.kernels]
        values = self.grid if self.config.C is None else (self.config.C,)
        (chosen, C), scores = best(
            [(one, C) for one in posed for C in values],
            lambda candidate: self._held_out(*candidate, y, folds),
            y,
            self.config.by,
        )
        return chosen, C, temperature_of(scores, y)

    def _held_out(self, posed: Problem, C: float, y: Tensor, folds: Folds) -> Tensor:
        """Scores (N, C) of every row, by the inner fold that did not learn it."""

        def scores(learn: Tensor, test: Tensor) -> Tensor:
            return posed.scores(posed.fit(learn, C), learn, test)

        return by_folds(folds, scores, len(y), self.n_classes)
