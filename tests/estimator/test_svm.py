"""Support vector machines: scikit-learn's own answers, what inner folds choose, what is refused."""

import numpy as np
import pytest
import torch
from sklearn.svm import SVC

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import Fitting
from gensr.estimator.kernels import MOST, layer_rows
from gensr.estimator.models.svm import Svm, SvmConfig
from gensr.estimator.resident import Resident
from support.contracts.model import ClassifierContract, same
from support.toy import CLASSES, K, L, clips

C = len(CLASSES)


class TestSvm(ClassifierContract):
    model = "svm"
    options = {"kernel": "linear"}


class TestSvmOfOneLayer(ClassifierContract):
    model = "svm"
    options = {"layers": "one", "kernel": "rbf", "C": 10.0}


def fitted(train: Resident, seed: int = 0, **settings: object) -> Svm:
    model = Svm(C, K + 1, L, SvmConfig(**settings))  # type: ignore[arg-type]
    model.fit(train, Fitting(seed=seed))
    return model


def hard(n: int, **how: int) -> Resident:
    """Clips that nobody tells apart without fail."""
    easy, noise = clips(n, **how), clips(n, informative=False, seed=77)  # type: ignore[arg-type]
    return Resident(0.5 * easy.x + noise.x, easy.y, groups=easy.groups)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_scores_are_scikit_learn_s_one_against_the_rest(kernel: str) -> None:
    train, test = hard(160), hard(80, seed=1)
    model = fitted(train, kernel=kernel, C=2.0)
    scores = model.answers(model.scale(test.x)).log() * model.arrays["temperature"]
    rows = layer_rows(model.scale(train.x), None).numpy()
    wanted = [
        SVC(C=2.0, kernel=kernel, gamma=1.0)
        .fit(rows, train.y.numpy() == label)
        .decision_function(layer_rows(model.scale(test.x), None).numpy())
        for label in range(C)
    ]
    theirs = torch.from_numpy(np.stack(wanted, 1))
    differences = theirs - theirs[:, :1], scores - scores[:, :1]  # a softmax forgets an offset
    assert torch.allclose(differences[0].float(), differences[1].float(), atol=2e-2)
    assert torch.equal(theirs.argmax(-1), scores.argmax(-1))


def test_the_layer_that_tells_the_class_is_chosen() -> None:
    train = clips(120)
    for layer in range(K + 1):
        x = clips(120, informative=False, seed=5).x.clone()
        x[:, layer] = train.x[:, layer]
        part = Resident(x, train.y, groups=train.groups)
        assert fitted(part, layers="one", kernel="linear", C=1.0).arrays["layer"] == layer


def test_a_kernel_is_chosen_by_what_it_can_tell() -> None:
    """Classes within each other, as rings are: no plane parts them."""
    g = torch.Generator().manual_seed(0)
    x = torch.nn.functional.normalize(torch.randn(240, K + 1, L, generator=g), dim=-1)
    y = torch.arange(240) % 2
    rings = x * (1 + 2.0 * y)[:, None, None]
    model = Svm(2, K + 1, L, SvmConfig())
    model.fit(Resident(rings, y, groups=torch.arange(240) // 24), Fitting(seed=0))
    assert "support" in model.arrays


def test_without_inner_folds_the_defaults_hold() -> None:
    train = clips(120)
    model = fitted(Resident(train.x, train.y), layers="one")
    assert model.arrays["layer"] == K  # x1
    assert model.arrays["temperature"] == 1
    assert "support" not in model.arrays


def test_what_is_chosen_does_not_depend_on_the_clips_that_are_tested() -> None:
    """The same training part, the same model, whoever else is in the array."""
    every = hard(300)
    some = torch.arange(0, 300, 2)
    first = fitted(every.take(some))
    other = Resident(every.x.clone(), every.y, groups=every.groups)
    other.x[1::2] = 9.0
    same(first, fitted(other.take(some)))


def test_held_out_temperature_makes_probabilities_mean_what_they_say() -> None:
    train, test = hard(600, groups=12), hard(3000, seed=3)
    p = fitted(train, kernel="linear", C=1.0).predict(test.x)
    sure, right = p.max(-1).values, (p.argmax(-1) == test.y).float()
    assert abs(sure.mean() - right.mean()) < 0.05


def test_a_class_that_nobody_shows_is_never_answered() -> None:
    train = clips(200)
    some = (train.y != 2).nonzero()[:, 0]
    p = fitted(train.take(some)).predict(clips(100, seed=1).x)
    assert (p[:, 2] == 0).all()
    assert torch.allclose(p.sum(-1), torch.ones(100))


def test_too_many_clips_and_too_few_classes_are_one_line() -> None:
    many = Resident(torch.zeros(MOST + 1, K + 1, L), torch.arange(MOST + 1) % C)
    with pytest.raises(ConfigError, match=f"at most {MOST} clips"):
        fitted(many, standardize=False)
    with pytest.raises(ConfigError, match="two classes"):
        fitted(Resident(clips(9).x, torch.zeros(9, dtype=torch.long)))


def test_what_is_not_finite_is_not_learnt_from() -> None:
    train = clips(60)
    train.x[3] = torch.nan
    with pytest.raises(RunError, match="not finite"):
        fitted(train)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"layers": "two"}, "layers must be"),
        ({"kernel": "poly"}, "kernel must be"),
        ({"C": 0.0}, "C must be"),
        ({"by": "f1"}, "by must be"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SvmConfig(**settings)  # type: ignore[arg-type]


def test_arrays_of_another_model_are_refused() -> None:
    model = fitted(clips(60), C=1.0)
    weights = model.weights()
    del weights["b"]
    with pytest.raises(ValueError, match="no arrays of svm"):
        model.restore(weights)
