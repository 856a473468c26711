"""A choice among candidates by what each says of clips that it did not learn.

Answers of all inner folds are pooled before they are counted, so that a class which a fold lacks
costs nobody anything. Of equals the first wins: candidates are given the plainest first.

Shapes: N clips, C classes.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import Tensor

from gensr.estimator.calibration import temperature_of_scores
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.metrics import accuracy, confusion, uar

T = TypeVar("T")
MEASURES = {"uar": uar, "accuracy": accuracy}
"""What a choice can be made by."""


class NoEndError(RunError):
    """A fit that found no end."""


def check_measure(by: str) -> None:
    """Refuse a name that is no measure.

    Raises:
        ConfigError: naming those that are.
    """
    if by not in MEASURES:
        raise ConfigError(f"by must be one of {', '.join(MEASURES)}; found {by!r}")


def best(
    candidates: Iterable[T], held_out: Callable[[T], Tensor], y: Tensor, by: str
) -> tuple[T, Tensor]:
    """The candidate whose answers are best, and its scores.

    Args:
        candidates: at least one.
        held_out: gives a candidate's scores (N, C), each clip's by a fold that did not learn it.
        y: (N,) the true classes.
        by: one of `MEASURES`.

    Raises:
        NoEndError: no candidate can be fitted; one that can not is left out.
    """
    chosen: tuple[float, T, Tensor] | None = None
    last: NoEndError | None = None
    for candidate in candidates:
        try:
            scores = held_out(candidate)
        except NoEndError as error:
            last = error
            continue
        counts = confusion(y.tolist(), scores.argmax(-1).tolist(), scores.shape[-1])
        value = float(MEASURES[by](counts))
        if chosen is None or value > chosen[0]:
            chosen = value, candidate, scores
    if chosen is None:
        assert last is not None  # there is a candidate
        raise last
    return chosen[1:]


def temperature_of(scores: Tensor, y: Tensor) -> float:
    """The temperature of a softmax of held-out scores (N, C) that costs least (calibration.py).

    A clip of a class that its fold did not learn has no finite score of it, and no say: no
    temperature makes it right.
    """
    known = scores.gather(1, y[:, None])[:, 0].isfinite()
    if not known.any():
        return 1.0
    finite = scores[known].double().clamp(min=-1e4)  # of a class that nobody learnt: never
    return temperature_of_scores(finite.numpy(), y[known].numpy())


def by_folds(
    folds: Iterable[tuple[Tensor, Tensor]],
    scores: Callable[[Tensor, Tensor], Tensor],
    n: int,
    n_classes: int,
) -> Tensor:
    """Scores of every clip, by the inner fold that did not learn it. -> (N, C) float64.

    Args:
        folds: (learn, test) numbers of clips; each clip is tested once.
        scores: of the clips of `test` (second), by those of `learn` (first).
        n: N.
        n_classes: C.
    """
    pooled = torch.empty(n, n_classes, dtype=torch.float64)
    for learn, test in folds:
        pooled[test] = scores(learn, test).double()
    return pooled
