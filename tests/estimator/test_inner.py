"""Inner folds: every clip is tested once, by a fold that learnt from nobody of its group."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from gensr.estimator.inner import FOLDS, inner_folds
from gensr.estimator.resident import Resident
from support.toy import clips


def part(groups: torch.Tensor | None, y: torch.Tensor | None = None) -> Resident:
    n = 8 if groups is None else len(groups)
    y = torch.arange(n) % 2 if y is None else y
    return Resident(torch.zeros(n, 1, 1), y, groups=groups)


@given(st.lists(st.integers(0, 9), min_size=8, max_size=80), st.integers(0, 3))
def test_groups_are_on_one_side_and_every_clip_is_tested_once(given: list[int], seed: int) -> None:
    groups = torch.tensor(given)
    folds = inner_folds(part(groups), seed=seed)
    for learn, test in folds:
        assert not set(groups[learn].tolist()) & set(groups[test].tolist())
        assert sorted([*learn.tolist(), *test.tolist()]) == list(range(len(groups)))
    if folds:
        assert sorted(torch.cat([test for _, test in folds]).tolist()) == list(range(len(groups)))
        assert len(folds) == min(FOLDS, len(set(given)))


def test_folds_are_of_like_size_and_follow_from_the_seed() -> None:
    groups = torch.arange(240) % 24
    folds = inner_folds(part(groups), seed=1)
    assert {len(test) for _, test in folds} <= {40, 50}
    again = inner_folds(part(groups), seed=1)
    assert all(torch.equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))
    other = inner_folds(part(groups), seed=2)
    assert any(not torch.equal(a[1], b[1]) for a, b in zip(folds, other, strict=True))


def test_there_are_none_without_two_groups_or_two_classes() -> None:
    assert inner_folds(part(None), seed=0) == []
    assert inner_folds(part(torch.zeros(8, dtype=torch.long)), seed=0) == []
    groups = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    assert inner_folds(part(groups, groups), seed=0) == []  # a group is a class


def test_parts_keep_their_groups() -> None:
    whole = clips(60)
    assert whole.groups is not None
    some = torch.arange(5, 50, 3)
    for one in (whole.take(some), whole.take(some).shared(), whole.take(some).scaled(_Nothing())):
        assert one.groups is not None
        assert torch.equal(one.groups, whole.groups[some])


class _Nothing:
    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def into(self, x: torch.Tensor) -> None:
        return
