"""Logistic regression: a softmax of one linear form a class, by maximum penalised likelihood.

scikit-learn's `LogisticRegression` (lbfgs, squared norm). Where rows are wider than there are
clips, as all layers concatenated are, it is fitted on the clips' coordinates in the space that
they span: a rotation, which the penalty does not see, of a factor of the Gram matrix.

Time grows with the cube of the clips: seconds at a thousand, minutes at several thousand.

Shapes: N clips, D width of a row, R <= min(N, D) dimensions that the rows span, C classes.
"""

import warnings
from dataclasses import dataclass

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from gensr.estimator.held_out import NoEndError
from gensr.estimator.models.margins import NEVER, Forms, MarginConfig, Margins, Problem

ITERATIONS = 5000
"""Most steps of a fit; a hundred are common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogregConfig(MarginConfig):
    """Settings of `logreg`."""


class LogregProblem(Problem):
    """Fits on coordinates of the rows. See `Problem`; forms are of the coordinates."""

    def __init__(self, rows: Tensor, y: Tensor, n_classes: int, kernel: str) -> None:
        self.y, self.n_classes = y, n_classes
        self._rows = rows
        self._back: Tensor | None = None
        if rows.shape[1] <= len(rows):
            self._coordinates = rows.double()
            return
        values, vectors = torch.linalg.eigh((rows @ rows.T).double())
        some = values > 1e-7 * values[-1]  # what a float32 product is good for
        roots = values[some].sqrt()
        self._coordinates = vectors[:, some] * roots  # (N, R)
        self._back = vectors[:, some] / roots  # (N, R): rows^T of it are the dimensions

    def fit(self, learn: Tensor, C: float) -> Forms:
        """See `Problem.fit`.

        Raises:
            NoEndError: it found none.
        """
        x, y = self._coordinates[learn].numpy(), self.y[learn].numpy()
        model = LogisticRegression(C=C, max_iter=ITERATIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                model.fit(x, y)
            except ConvergenceWarning:
                raise NoEndError(
                    f"logreg found no end at C = {C:g}; set a lower C in --config [model]"
                ) from None
        w = torch.zeros(x.shape[1], self.n_classes, dtype=torch.float64)
        b = torch.full((self.n_classes,), NEVER, dtype=torch.float64)
        known = torch.from_numpy(model.classes_)
        if len(known) == 2:  # one form, of the second; the first has none
            b[known[0]] = 0
            known = known[1:]
        w[:, known] = torch.from_numpy(model.coef_.T)
        b[known] = torch.from_numpy(model.intercept_)
        return Forms(w, b)

    def scores(self, forms: Forms, learn: Tensor, test: Tensor) -> Tensor:
        """See `Problem.scores`."""
        return self._coordinates[test] @ forms.w + forms.b

    def arrays(self, forms: Forms) -> dict[str, Tensor]:
        """See `Problem.arrays`."""
        w = forms.w if self._back is None else self._rows.T.double() @ (self._back @ forms.w)
        return {"w": w.float(), "b": forms.b.float()}


class Logreg(Margins):
    """Multinomial logistic regression."""

    name = "logreg"
    Config = LogregConfig
    problem = LogregProblem
    grid = (1.0, 10.0, 100.0, 1000.0)
    default = 100.0
