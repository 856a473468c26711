"""The closed form: its formula, what it chooses, and the landmarks beside the exact one."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import Fitting
from gensr.estimator.kernels import arc_cosine, unit_rows
from gensr.estimator.layers import layer_scores
from gensr.estimator.models.closed_form import ClosedForm, ClosedFormConfig
from gensr.estimator.resident import Resident
from support.contracts.model import ClassifierContract
from support.toy import CLASSES, K, L, clips

C = len(CLASSES)


class TestClosedForm(ClassifierContract):
    model = "closed-form"


class TestClosedFormThroughLandmarks(ClassifierContract):
    model = "closed-form"
    options = {"landmarks": 40}


def fitted(train: Resident, seed: int = 0, **settings: object) -> ClosedForm:
    model = ClosedForm(C, K + 1, L, replace(ClosedFormConfig(), **settings))  # type: ignore[arg-type]
    model.fit(train, Fitting(seed=seed))
    return model


def test_the_estimate_is_the_formula() -> None:
    train, test = clips(120), clips(30, seed=1)
    model = fitted(train, penalty=0.05, temperature=1.0)
    s = layer_scores(train, model.codes, 0)
    rows, asked = (unit_rows(model.scale(part.x), s) for part in (train, test))
    y = F.one_hot(train.y, C).double()
    ybar, eye = y.mean(0), torch.eye(120, dtype=torch.float64)
    inverse = torch.linalg.inv(arc_cosine(rows, rows) + 0.05 * eye)
    y_hat = ybar + arc_cosine(asked, rows) @ inverse @ (y - ybar)
    wanted = y_hat @ model.codes.double()
    assert torch.allclose(model.estimate(model.scale(test.x)).double(), wanted, atol=1e-4)


def test_settings_that_are_given_are_taken() -> None:
    model = fitted(clips(120), penalty=0.02, temperature=0.7, layers="alike")
    assert model.arrays["penalty"].item() == pytest.approx(0.02)
    assert model.arrays["temperature"].item() == pytest.approx(0.7)
    assert torch.allclose(model.arrays["layers"], torch.full((K + 1,), 1 / (K + 1)))


def test_without_inner_folds_the_stated_defaults_hold() -> None:
    train = clips(120)
    arrays = fitted(Resident(train.x, train.y)).arrays
    told = [arrays[name].item() for name in ("penalty", "temperature")]
    assert told == pytest.approx([0.03, 0.5])
    assert torch.allclose(arrays["layers"], torch.full((K + 1,), 1 / (K + 1)))


def test_noise_asks_for_the_largest_penalty() -> None:
    noise = fitted(clips(200, informative=False)).arrays["penalty"].item()
    assert noise == pytest.approx(1.0)
    assert fitted(clips(200)).arrays["penalty"].item() <= noise


def test_landmarks_are_drawn_by_the_seed_and_come_close() -> None:
    train, test = clips(300), clips(200, seed=1)
    exact = fitted(train, penalty=0.03, temperature=0.5)
    near = fitted(train, penalty=0.03, temperature=0.5, landmarks=150)
    assert len(near.arrays["centres"]) == 150
    assert (near.predict(test.x) - exact.predict(test.x)).abs().max() < 0.2
    other = fitted(train, seed=1, penalty=0.03, temperature=0.5, landmarks=150)
    assert not torch.equal(near.arrays["centres"], other.arrays["centres"])


def test_which_orthogonal_codes_is_no_matter() -> None:
    """The geometry is the same, so are the answers; more classes than codes are refused."""
    train, test = clips(120), clips(30, seed=1)
    model = fitted(train, penalty=0.03, temperature=0.5)
    p = model.predict(test.x)
    model.codes = torch.eye(C, L) * (L / 2) ** 0.5
    assert torch.allclose(model.predict(test.x), p, atol=1e-4)
    with pytest.raises(ConfigError, match="8 classes do not fit"):
        ClosedForm(8, K + 1, L, ClosedFormConfig())


@pytest.mark.parametrize("landmarks", [20, 3000])
def test_what_is_not_finite_is_not_learnt_from(landmarks: int) -> None:
    train = clips(60)
    train.x[3] = torch.nan
    with pytest.raises(RunError, match="not finite"):
        fitted(Resident(train.x, train.y), landmarks=landmarks)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"layers": "one"}, "layers must be"),
        ({"penalty": 0.0}, "penalty must be"),
        ({"temperature": -1.0}, "temperature must be"),
        ({"landmarks": 0}, "landmarks must be"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        ClosedFormConfig(**settings)  # type: ignore[arg-type]
