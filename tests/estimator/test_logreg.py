"""Logistic regression: scikit-learn's own answers, also of rows wider than clips are many."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from gensr.estimator.errors import RunError
from gensr.estimator.fitting import Fitting
from gensr.estimator.kernels import layer_rows
from gensr.estimator.models import logreg
from gensr.estimator.models.logreg import Logreg, LogregConfig, LogregProblem
from gensr.estimator.resident import Resident
from support.contracts.model import ClassifierContract
from support.toy import CLASSES, K, L, clips

C = len(CLASSES)


class TestLogreg(ClassifierContract):
    model = "logreg"


class TestLogregOfOneLayer(ClassifierContract):
    model = "logreg"
    options = {"layers": "one", "C": 10.0}


@pytest.mark.parametrize("n", [30, 200])
def test_answers_are_scikit_learn_s(n: int) -> None:
    """30 clips span fewer dimensions than the 48 of a row: they are fitted on coordinates."""
    train, test = clips(n), clips(100, seed=1)
    model = Logreg(C, K + 1, L, LogregConfig(C=3.0))
    model.fit(Resident(train.x, train.y), Fitting(seed=0))  # no groups: temperature 1
    rows = layer_rows(model.scale(train.x), None).double().numpy()
    theirs = LogisticRegression(C=3.0, tol=1e-8, max_iter=5000).fit(rows, train.y.numpy())
    p = theirs.predict_proba(layer_rows(model.scale(test.x), None).double().numpy())
    assert torch.allclose(model.predict(test.x).double(), torch.from_numpy(p), atol=5e-3)


def test_two_classes_have_one_form() -> None:
    train, test = clips(100), clips(60, seed=1)
    some, others = (train.y < 2).nonzero()[:, 0], (test.y < 2).nonzero()[:, 0]
    model = Logreg(C, K + 1, L, LogregConfig(C=3.0))
    model.fit(train.take(some), Fitting(seed=0))
    p = model.predict(test.x[others])
    assert (p[:, 2:] == 0).all()
    assert (p.argmax(-1) == test.y[others]).float().mean() > 0.95


def test_a_fit_without_end_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logreg, "ITERATIONS", 1)
    rows = layer_rows(clips(60).x, None)
    with pytest.raises(RunError, match="lower C"):
        LogregProblem(rows, clips(60).y, C, "linear").fit(torch.arange(60), 1e3)
