"""What every classifier promises, and what one that is trained by gradient promises beside."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from gensr.estimator.config import from_plain
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import Fitting, LogEntry, TrainingConfig
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.saved import load_model, save_model
from gensr.estimator.models.spec import ModelSpec, build
from gensr.estimator.resident import Resident
from gensr.estimator.source import Source
from support.toy import CLASSES, K, L, clips

C = len(CLASSES)


class ClassifierContract:
    """Inherit this, and say `model`, its name, and `options` that make it small."""

    model: ClassVar[str]
    """The hook: as `--model` takes it."""
    options: ClassVar[Mapping[str, Any]] = {}
    """The hook: settings of its config, plain."""

    @classmethod
    def spec(cls) -> ModelSpec:
        layers = (*map(str, range(K)), "last")
        options = from_plain(MODELS[cls.model].Config, cls.options, cls.model)
        return ModelSpec(model=cls.model, classes=CLASSES, layers=layers, width=L, options=options)

    @classmethod
    def fresh(cls, seed: int = 0) -> Any:
        torch.manual_seed(seed)
        return build(cls.spec())

    @classmethod
    def fit(cls, model: Classifier, train: Source, steps: int = 200, **how: Any) -> Any:
        """Fit it; by so many steps, where it is trained by steps."""
        budget = TrainingConfig(steps=steps, **how.pop("budget", {}))
        given = {"seed": 0, "budget": budget if model.by_gradient else None, **how}
        return model.fit(train, Fitting(**given))

    @pytest.fixture(scope="class")
    @classmethod
    def learnt(cls) -> Any:
        """A model that has learnt what can be learnt."""
        model = cls.fresh()
        cls.fit(model, clips(400), budget={"learning_rate": 3e-3})
        return model

    def test_it_is_built_as_it_was_asked_for(self) -> None:
        model = self.fresh()
        assert (model.name, model.n_classes) == (self.model, C)

    def test_it_learns_what_can_be_learnt(self, learnt: Any) -> None:
        test = clips(400, seed=1)
        assert (learnt.predict(test.x).argmax(-1) == test.y).float().mean() > 0.95

    def test_probabilities_are_some(self, learnt: Any) -> None:
        p = learnt.predict(clips(400, seed=1).x)
        assert p.shape == (400, C)
        assert (p >= 0).all()
        assert torch.allclose(p.sum(-1), torch.ones(400), atol=1e-5)

    def test_an_answer_is_the_clip_s_own(self, learnt: Any) -> None:
        """Not that of the batch it is in, and the same each time."""
        x = clips(40, seed=2).x
        p = learnt.predict(x)
        assert torch.equal(p, learnt.predict(x))
        assert torch.allclose(p, learnt.predict(x, batch=7), atol=1e-5)
        assert torch.allclose(p.flip(0), learnt.predict(x.flip(0)), atol=1e-5)

    def test_no_clip_is_no_answer(self) -> None:
        assert self.fresh().predict(torch.empty(0, K + 1, L)).shape == (0, C)

    def test_without_a_label_in_the_features_it_knows_nothing(self) -> None:
        """It scores chance."""
        model = self.fresh()
        self.fit(model, clips(300, informative=False), steps=150)
        test = clips(2000, informative=False, seed=1)
        right = (model.predict(test.x).argmax(-1) == test.y).float().mean().item()
        assert right == pytest.approx(1 / C, abs=4 * math.sqrt(0.25 * 0.75 / 2000))

    def test_what_it_does_not_know_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="nonsense"):
            self.fresh().predict(clips(2).x, nonsense=1)

    def test_what_is_not_finite_is_no_answer(self) -> None:
        broken = clips(50).x
        broken[3] = float("nan")
        with pytest.raises(RunError, match="not finite"):
            self.fresh().predict(broken)

    def test_a_saved_model_comes_back_the_same(self, learnt: Any, tmp_path: Path) -> None:
        x = clips(10, seed=3).x
        save_model(tmp_path, learnt, self.spec())
        loaded, known = load_model(tmp_path)
        assert known == self.spec()
        assert type(loaded) is type(learnt)
        same(loaded, learnt)
        assert torch.equal(learnt.predict(x), loaded.predict(x))

    def test_fitting_draws_from_its_seed_alone(self) -> None:
        """And leaves the global generator as it was."""
        models = [self.fresh(seed=1), self.fresh(seed=1)]
        for seed, model in enumerate(models):
            torch.manual_seed(seed)
            before = torch.get_rng_state()
            self.fit(model, clips(50), steps=3)
            assert torch.equal(torch.get_rng_state(), before)
        same(*models)

    def test_its_weights_are_all_of_it(self) -> None:
        """A fresh one that is given them answers as the one that had them."""
        model, other, x = self.fresh(), self.fresh(seed=9), clips(10, seed=3).x
        self.fit(model, clips(50), steps=3)
        other.restore({name: weight.clone() for name, weight in model.weights().items()})
        assert torch.equal(model.predict(x), other.predict(x))


class ModelContract(ClassifierContract):
    """Of a model that is trained by gradient; inherit this instead."""

    falls: ClassVar[float] = 0.4
    """The hook: to which share of its first value the loss must fall, on classes far apart."""

    def test_it_says_its_sizes(self) -> None:
        model = self.fresh()
        assert (model.layers, model.width) == (K + 1, L)

    def test_the_loss_falls(self) -> None:
        log = self.fit(self.fresh(), clips(400), budget={"learning_rate": 3e-3})
        assert log[-1].loss < self.falls * log[0].loss

    def test_a_loss_of_about_one_knows_nothing(self) -> None:
        """As before any training: gradients are clipped at a norm that is meant for this scale."""
        model = self.fresh()
        batch = model.prepare(clips(2000))
        with torch.inference_mode():
            loss = model.loss(batch.whole(), batch.y, model.draw(len(batch)))
            assert loss.item() == pytest.approx(1, abs=0.5)

    def test_scale_and_offset_of_a_feature_do_not_matter(self) -> None:
        """They are standardised, by the training part alone."""
        train, test = clips(200), clips(200, seed=1)
        scale = torch.logspace(-3, 3, L) * torch.tensor([1.0, 10.0, 0.1])[:, None]
        answers = []
        for change in (lambda x: x, lambda x: x * scale + 7 * scale):
            model = self.fresh()
            changed = Resident(change(train.x), train.y)
            self.fit(model, changed, steps=60, budget={"learning_rate": 3e-3})
            answers.append(model.predict(change(test.x)))
        assert (answers[0] - answers[1]).abs().max() < 0.02

    def test_a_resumed_training_is_an_uninterrupted_one(self, tmp_path: Path) -> None:
        """Bit for bit, whatever the state of the global generator."""
        asked = {"steps": 30, "budget": {"evaluate_every": 10}, "seed": 5}
        asked |= {"dev": clips(20, seed=2)}
        whole, file = self.fresh(), tmp_path / "checkpoint"
        log = self.fit(whole, clips(100), **_copy(asked))

        def stop(entry: LogEntry) -> None:
            if entry.step == 20:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.fit(self.fresh(), clips(100), **_copy(asked), checkpoint=file, report=stop)
        torch.manual_seed(1234)
        again = self.fresh(seed=77)
        assert self.fit(again, clips(100), **_copy(asked), checkpoint=file) == log
        same(whole, again)

    def test_the_dev_part_is_looked_at_and_never_learnt_from(self) -> None:
        budget = {"evaluate_every": 10}
        with_dev, without = self.fresh(), self.fresh()
        log = self.fit(with_dev, clips(60), 20, budget=dict(budget), dev=clips(30, seed=4))
        self.fit(without, clips(60), 20, budget=dict(budget))
        assert [entry.step for entry in log] == [10, 20]
        for entry in log:
            assert entry.dev_loss is not None
            assert entry.dev_accuracy is not None
            assert 0 <= entry.dev_loss <= 2
            assert 0 <= entry.dev_accuracy <= 1
        same(with_dev, without)

    def test_a_training_that_diverges_is_an_error(self) -> None:
        broken = clips(50)
        broken.x[3] = float("nan")
        with pytest.raises(
            RunError, match=r"diverged: loss nan at step 1, seen at 5|part is not finite"
        ):
            self.fit(self.fresh(), broken, steps=5)


def same(one: Classifier, other: Classifier) -> None:
    """Refuse two models whose weights differ in a bit."""
    weights = one.weights(), other.weights()
    assert weights[0].keys() == weights[1].keys()
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name]), name


def _copy(asked: dict[str, Any]) -> dict[str, Any]:
    """What `fit` takes apart, once more."""
    return {**asked, "budget": dict(asked["budget"])}
