"""Folds inside a training part: what is chosen there is chosen on groups that it did not learn.

Shapes: N clips, G groups.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from gensr.estimator.seeds import mix_seed
from gensr.estimator.source import Source

FOLDS = 5
"""Most inner folds."""


def inner_folds(train: Source, *, seed: int, most: int = FOLDS) -> list[tuple[Tensor, Tensor]]:
    """Divide a training part by its groups.

    Groups, shuffled by the seed and then the largest first, go one by one to the fold that has
    fewest clips; so no group is on both sides of a fold. Classes are not balanced: a group has
    those that it has.

    Args:
        train: N clips.
        seed: of the shuffling.
        most: folds; fewer where there are fewer groups.

    Returns:
        (learn, test) numbers of clips, int64 rising, of each fold; none where the groups are not
        known, there are fewer than two, or a fold would learn from fewer than two classes.
    """
    if train.groups is None:
        return []
    names, index, counts = np.unique(train.groups.numpy(), return_inverse=True, return_counts=True)
    if len(names) < 2:
        return []
    sizes_of = torch.from_numpy(counts)
    generator = torch.Generator().manual_seed(mix_seed(seed, "inner", ""))
    shuffled = torch.randperm(len(names), generator=generator)
    ordered = shuffled[torch.argsort(sizes_of[shuffled], descending=True, stable=True)]
    sizes = [0] * min(most, len(names))
    fold_of = torch.empty(len(names), dtype=torch.long)
    for group in ordered.tolist():
        fold = sizes.index(min(sizes))
        fold_of[group] = fold
        sizes[fold] += int(counts[group])
    folds = list(_parts(fold_of[torch.from_numpy(index)], len(sizes)))
    several = all((train.y[learn] != train.y[learn[0]]).any() for learn, _ in folds)
    return folds if several else []


def _parts(fold: Tensor, count: int) -> Iterator[tuple[Tensor, Tensor]]:
    for number in range(count):
        yield (fold != number).nonzero()[:, 0], (fold == number).nonzero()[:, 0]
