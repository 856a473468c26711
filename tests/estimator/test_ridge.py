"""Kernel ridge: its own equation, scikit-learn's answers, and landmarks that become exact."""

import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from gensr.estimator.inner import inner_folds
from gensr.estimator.kernels import arc_cosine, unit_rows
from gensr.estimator.ridge import Exact, Nystroem
from support.toy import CLASSES, K, clips

C = len(CLASSES)
ALIKE = torch.ones(K + 1) / (K + 1)
TRAIN = clips(150)
ROWS, ASKED = unit_rows(TRAIN.x, ALIKE), unit_rows(clips(40, seed=1).x, ALIKE)
FOLDS = inner_folds(TRAIN, seed=0)
Y = torch.nn.functional.one_hot(TRAIN.y, C).double()


def through(landmarks: torch.Tensor, block: int = 64) -> Nystroem:
    blocks = torch.split(ROWS, block)
    return Nystroem(landmarks, ROWS[landmarks], blocks, TRAIN.y, C, arc_cosine, FOLDS)


def answers(ridge: Exact | Nystroem, penalty: float) -> torch.Tensor:
    found = ridge.solved(penalty)
    return found.offset + arc_cosine(ASKED, ridge.centres) @ found.a


EXACT = Exact(ROWS, TRAIN.y, C, arc_cosine, FOLDS)


def test_it_is_scikit_learn_s_kernel_ridge_around_the_mean() -> None:
    theirs = KernelRidge(alpha=0.03, kernel="precomputed")
    theirs.fit(arc_cosine(ROWS, ROWS).numpy(), (Y - Y.mean(0)).numpy())
    wanted = Y.mean(0) + torch.from_numpy(theirs.predict(arc_cosine(ASKED, ROWS).numpy()))
    assert torch.allclose(answers(EXACT, 0.03), wanted, atol=1e-6)


@pytest.mark.parametrize("penalty", [0.003, 0.3])
def test_held_out_answers_are_those_of_the_fold_s_own_ridge(penalty: float) -> None:
    held_out = EXACT.held_out(penalty)
    for learn, test in FOLDS:
        own = Exact(ROWS[learn], TRAIN.y[learn], C, arc_cosine, []).solved(penalty)
        wanted = own.offset + arc_cosine(ROWS[test], ROWS[learn]) @ own.a
        assert torch.allclose(held_out[test], wanted, atol=1e-8)


@pytest.mark.parametrize("penalty", [0.003, 0.03, 0.3])
def test_with_every_clip_a_landmark_nystroem_is_exact(penalty: float) -> None:
    ridge = through(torch.arange(150))
    assert torch.allclose(answers(ridge, penalty), answers(EXACT, penalty), atol=2e-3)
    assert torch.allclose(ridge.held_out(penalty), EXACT.held_out(penalty), atol=2e-3)


def test_more_landmarks_come_closer() -> None:
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0))
    wanted = answers(EXACT, 0.03)
    away = [
        float((answers(through(order[:count].sort().values), 0.03) - wanted).abs().max())
        for count in (10, 40, 140)
    ]
    assert away == sorted(away, reverse=True)
    assert away[-1] < 0.1 * away[0]


def test_blocks_are_no_setting() -> None:
    landmarks = torch.arange(0, 150, 3)
    one, other = (answers(through(landmarks, block), 0.03) for block in (64, 150))
    assert torch.allclose(one, other, atol=1e-5)
