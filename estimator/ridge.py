"""Kernel ridge regression onto classes, exactly or through landmarks (Nystroem), with held-outs.

    y_hat = ybar + k (K + lambda I)^-1 (Y - ybar)

K and k are kernels among the clips and with them, Y one-hot, ybar its mean over the clips learnt.
With a code of each class in place of its axis the answer is codes^T y_hat: it is linear in Y.

Beyond some thousand clips the same is sought among combinations of the kernels of M landmarks,
drawn from the clips: features phi = k_M V S^-1/2 of K_MM = V S V^T, whose inner products are
k_M K_MM^-1 k_M^T (Williams and Seeger 2001), under the same penalty. With every clip a landmark
it is the exact one. Then no matrix is larger than M x M, and clips are read once, by blocks.

Shapes: N clips, n clips of a block, M centres, D width of a row, R <= M features, C classes,
F inner folds.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F_

from gensr.estimator.held_out import by_folds

Folds: TypeAlias = Sequence[tuple[Tensor, Tensor]]
Kernel: TypeAlias = Callable[[Tensor, Tensor], Tensor]
LEAST = 1e-6
"""Least eigenvalue of K_MM, of unit rows, that is a feature's: far below any penalty it has no
say, and rounding makes such by itself."""


@dataclass(frozen=True, slots=True)
class Solution:
    """y_hat = offset + k a, k the kernels with the centres."""

    a: Tensor
    """(M, C) float64."""
    offset: Tensor
    """(C,) float64: ybar."""


class Ridge(ABC):
    """A regression that is solved for several penalties."""

    centres: Tensor
    """(M, D) float32 rows."""
    asked: Tensor
    """(n,) numbers of the clips that `held_out` answers of."""

    @abstractmethod
    def held_out(self, penalty: float) -> Tensor:
        """y_hat (n, C) of the clips `asked`, each by the inner folds that did not learn it."""

    @abstractmethod
    def solved(self, penalty: float) -> Solution:
        """The regression of all clips."""


class Exact(Ridge):
    """By the Gram matrix of all clips.

    Args:
        rows: (N, D).
        y: (N,) classes.
        n_classes: C.
        kernel: of rows with rows.
        folds: inner ones; may be none, and then nothing is held out.
    """

    def __init__(
        self, rows: Tensor, y: Tensor, n_classes: int, kernel: Kernel, folds: Folds
    ) -> None:
        self.centres, self.asked = rows, torch.arange(len(rows))
        self._gram, self._folds = kernel(rows, rows), folds
        self._y = F_.one_hot(y, n_classes).double()

    def held_out(self, penalty: float) -> Tensor:
        """See `Ridge.held_out`."""

        def answers(learn: Tensor, test: Tensor) -> Tensor:
            found = self._fitted(learn, penalty)
            return found.offset + self._gram[test][:, learn] @ found.a

        return by_folds(self._folds, answers, *self._y.shape)

    def solved(self, penalty: float) -> Solution:
        """See `Ridge.solved`."""
        return self._fitted(self.asked, penalty)

    def _fitted(self, learn: Tensor, penalty: float) -> Solution:
        offset = self._y[learn].mean(0)
        gram = self._gram[learn][:, learn]
        gram.diagonal().add_(penalty)
        return Solution(_solve(gram, self._y[learn] - offset), offset)


class Nystroem(Ridge):
    """By landmarks.

    Args:
        landmarks: (M,) their numbers among the clips.
        centres: (M, D) their rows.
        blocks: the rows (n, D) of all clips, in order.
        y: (N,) classes.
        n_classes: C.
        kernel: of rows with rows.
        folds: inner ones; may be none, and then nothing is held out.
    """

    def __init__(
        self,
        landmarks: Tensor,
        centres: Tensor,
        blocks: Iterable[Tensor],
        y: Tensor,
        n_classes: int,
        kernel: Kernel,
        folds: Folds,
    ) -> None:
        self.centres, self.asked = centres, landmarks
        gram = kernel(centres, centres)
        values, vectors = torch.linalg.eigh(gram)
        some = values > LEAST
        self._to_features = vectors[:, some] / values[some].sqrt()  # (M, R)
        self._features = gram @ self._to_features  # (M, R) of the landmarks themselves
        fold_of = torch.zeros(len(y), dtype=torch.long)
        for number, (_, test) in enumerate(folds):
            fold_of[test] = number
        self._fold_of, self._count = fold_of, len(folds)
        width = self._features.shape[1]
        self._sums = [_Sums(width, n_classes) for _ in range(max(1, len(folds)))]
        done = 0
        for rows in blocks:
            features = kernel(rows, centres) @ self._to_features  # (n, R)
            theirs = slice(done, done + len(rows))
            told = F_.one_hot(y[theirs], n_classes).double()
            for number in sorted(set(fold_of[theirs].tolist())):
                mine = fold_of[theirs] == number
                self._sums[number].add(features[mine], told[mine])
            done += len(rows)

    def held_out(self, penalty: float) -> Tensor:
        """See `Ridge.held_out`; of the landmarks."""
        answers = torch.empty(len(self.asked), self._sums[0].counts.shape[0], dtype=torch.float64)
        for number in range(self._count):
            others = [sums for other, sums in enumerate(self._sums) if other != number]
            w, offset = _Sums.solved(others, penalty)
            mine = self._fold_of[self.asked] == number
            answers[mine] = offset + self._features[mine] @ w
        return answers

    def solved(self, penalty: float) -> Solution:
        """See `Ridge.solved`."""
        w, offset = _Sums.solved(self._sums, penalty)
        return Solution(self._to_features @ w, offset)


class _Sums:
    """What a ridge needs of the clips of a fold: their features phi and classes, summed."""

    def __init__(self, width: int, n_classes: int) -> None:
        self.square = torch.zeros(width, width, dtype=torch.float64)
        self.cross = torch.zeros(width, n_classes, dtype=torch.float64)
        self.first = torch.zeros(width, dtype=torch.float64)
        self.counts = torch.zeros(n_classes, dtype=torch.float64)

    def add(self, features: Tensor, y: Tensor) -> None:
        """Add clips: (n, R), (n, C) one-hot."""
        self.square.addmm_(features.T, features)
        self.cross += features.T @ y
        self.first += features.sum(0)
        self.counts += y.sum(0)

    @staticmethod
    def solved(parts: Sequence["_Sums"], penalty: float) -> tuple[Tensor, Tensor]:
        """Weights (R, C) of the features, and ybar (C,), by the clips of several folds."""
        square = torch.stack([part.square for part in parts]).sum(0)
        counts = torch.stack([part.counts for part in parts]).sum(0)
        offset = counts / counts.sum()
        first = torch.stack([part.first for part in parts]).sum(0)
        cross = torch.stack([part.cross for part in parts]).sum(0) - first[:, None] * offset
        square.diagonal().add_(penalty)
        return _solve(square, cross), offset


def _solve(a: Tensor, b: Tensor) -> Tensor:
    """a^-1 b of a positive definite a."""
    return torch.cholesky_solve(b, torch.linalg.cholesky(a))
