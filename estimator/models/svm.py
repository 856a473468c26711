"""A support vector machine for each class against all others: what the field reaches for first.

scikit-learn's `SVC` on a Gram matrix, which costs the same for one layer and for all. One against
the rest, not each class against each: the scores of C machines are one number a class, where
votes of C (C - 1) / 2 are ties and steps; and on two corpora it was about a point ahead of the
votes (docs/log.md). Probabilities are a softmax of the scores over a temperature of
the inner folds' held-out clips.

Time grows with the square of the clips: seconds at a thousand, minutes at several thousand.

Shapes: N clips, M support vectors, D width of a row, C classes.
"""

from dataclasses import dataclass

import torch
from sklearn.svm import SVC
from torch import Tensor

from gensr.estimator.errors import ConfigError
from gensr.estimator.kernels import linear, rbf
from gensr.estimator.models.margins import NEVER, Forms, MarginConfig, Margins, Problem

_KERNELS = {"linear": linear, "rbf": rbf}


@dataclass(frozen=True, slots=True, kw_only=True)
class SvmConfig(MarginConfig):
    """Settings of `svm`."""

    kernel: str = "chosen"
    """`linear`, `rbf` (scikit-learn's with gamma `scale`, where rows are standardised), or `chosen`
    of the two by inner folds."""

    def __post_init__(self) -> None:
        super(SvmConfig, self).__post_init__()
        if self.kernel not in ("chosen", *_KERNELS):
            raise ConfigError(f"kernel must be chosen, linear or rbf; found {self.kernel!r}")


class SvmProblem(Problem):
    """Machines on a Gram matrix. See `Problem`; forms are of the kernel with the rows learnt."""

    def __init__(self, rows: Tensor, y: Tensor, n_classes: int, kernel: str) -> None:
        self.rows, self.y, self.n_classes, self.kernel = rows, y, n_classes, kernel
        self.gram = _KERNELS[kernel](rows, rows).double()

    def fit(self, learn: Tensor, C: float) -> Forms:
        """See `Problem.fit`."""
        gram, y = self.gram[learn][:, learn].numpy(), self.y[learn]
        w = torch.zeros(len(learn), self.n_classes, dtype=torch.float64)
        b = torch.full((self.n_classes,), NEVER, dtype=torch.float64)
        for label in sorted(set(y.tolist())):
            machine = SVC(C=C, kernel="precomputed").fit(gram, (y == label).numpy())
            support = torch.from_numpy(machine.support_).long()
            w[support, label] = torch.from_numpy(machine.dual_coef_[0])
            b[label] = float(machine.intercept_[0])
        return Forms(w, b)

    def scores(self, forms: Forms, learn: Tensor, test: Tensor) -> Tensor:
        """See `Problem.scores`."""
        return self.gram[test][:, learn] @ forms.w + forms.b

    def arrays(self, forms: Forms) -> dict[str, Tensor]:
        """See `Problem.arrays`."""
        if self.kernel == "linear":
            return {"w": (self.rows.T.double() @ forms.w).float(), "b": forms.b.float()}
        some = forms.w.any(1)
        return {"support": self.rows[some].clone(), "w": forms.w[some], "b": forms.b}


class Svm(Margins):
    """Support vector machines, one class against the rest."""

    name = "svm"
    Config = SvmConfig
    config: SvmConfig
    problem = SvmProblem
    grid = (0.1, 1.0, 10.0, 100.0)
    default = 1.0

    @property
    def kernels(self) -> tuple[str, ...]:
        """See `Margins.kernels`."""
        return tuple(_KERNELS) if self.config.kernel == "chosen" else (self.config.kernel,)
