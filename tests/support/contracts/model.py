"""What every classifier promises that is trained by gradient."""

import math
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.model import Examples, Model, predict
from gensr.estimator.registry import ModelSpec, build
from gensr.estimator.saved import load_model, save_model
from gensr.estimator.training import Progress, TrainingConfig, fit
from support.toy import CLASSES, K, L, clips

C = len(CLASSES)


class ModelContract:
    """Inherit this, and say `model`, its name, and `options`, a small one of its config."""

    model: ClassVar[str]
    """The hook: as `--model` takes it."""
    options: ClassVar[Any]
    """The hook: the model's own config."""

    @classmethod
    def spec(cls) -> ModelSpec:
        layers = (*map(str, range(K)), "last")
        return ModelSpec(
            model=cls.model, classes=CLASSES, layers=layers, width=L, options=cls.options
        )

    @classmethod
    def fresh(cls, seed: int = 0) -> Model:
        torch.manual_seed(seed)
        return build(cls.spec())

    @pytest.fixture(scope="class")
    @classmethod
    def learnt(cls) -> tuple[Model, list[Progress]]:
        """A model that has learnt what can be learnt, and its log."""
        model = cls.fresh()
        log = fit(model, clips(400), TrainingConfig(steps=200, learning_rate=3e-3), seed=0)
        return model, log

    def test_it_is_built_as_it_was_asked_for(self) -> None:
        model = self.fresh()
        assert model.name == self.model
        assert (model.n_classes, model.layers, model.width) == (C, K + 1, L)

    def test_it_learns_what_can_be_learnt(self, learnt: tuple[Model, list[Progress]]) -> None:
        model, log = learnt
        assert log[-1].loss < 0.4 * log[0].loss
        test = clips(400, seed=1)
        assert (predict(model, test.x).argmax(-1) == test.y).float().mean() > 0.95

    def test_probabilities_are_some(self, learnt: tuple[Model, list[Progress]]) -> None:
        p = predict(learnt[0], clips(400, seed=1).x)
        assert p.shape == (400, C)
        assert (p >= 0).all()
        assert torch.allclose(p.sum(-1), torch.ones(400), atol=1e-5)

    def test_an_answer_is_the_clip_s_own(self, learnt: tuple[Model, list[Progress]]) -> None:
        """Not that of the batch it is in, and the same each time."""
        model, x = learnt[0], clips(40, seed=2).x
        p = predict(model, x)
        assert torch.equal(p, predict(model, x))
        assert torch.allclose(p, predict(model, x, batch=7), atol=1e-5)
        assert torch.allclose(p.flip(0), predict(model, x.flip(0)), atol=1e-5)

    def test_no_clip_is_no_answer(self) -> None:
        assert predict(self.fresh(), torch.empty(0, K + 1, L)).shape == (0, C)

    def test_without_a_label_in_the_features_it_knows_nothing(self) -> None:
        """It scores chance."""
        model = self.fresh()
        fit(model, clips(300, informative=False), TrainingConfig(steps=150), seed=0)
        test = clips(2000, informative=False, seed=1)
        right = (predict(model, test.x).argmax(-1) == test.y).float().mean().item()
        assert right == pytest.approx(1 / C, abs=4 * math.sqrt(0.25 * 0.75 / 2000))

    def test_a_loss_of_about_one_knows_nothing(self) -> None:
        """As before any training: gradients are clipped at a norm that is meant for this scale."""
        batch = clips(2000)
        with torch.inference_mode():
            assert self.fresh().loss(batch.x, batch.y).item() == pytest.approx(1, abs=0.5)

    def test_scale_and_offset_of_a_feature_do_not_matter(self) -> None:
        """They are standardised, by the training part alone."""
        train, test = clips(200), clips(200, seed=1)
        scale = torch.logspace(-3, 3, L) * torch.tensor([1.0, 10.0, 0.1])[:, None]
        budget = TrainingConfig(steps=60, learning_rate=3e-3)
        answers = []
        for change in (lambda x: x, lambda x: x * scale + 7 * scale):
            model = self.fresh()
            fit(model, Examples(change(train.x), train.y), budget, seed=0)
            answers.append(predict(model, change(test.x)))
        assert (answers[0] - answers[1]).abs().max() < 0.02

    def test_what_it_does_not_know_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="nonsense"):
            predict(self.fresh(), clips(2).x, nonsense=1)

    def test_a_saved_model_comes_back_the_same(
        self, learnt: tuple[Model, list[Progress]], tmp_path: Path
    ) -> None:
        model, x = learnt[0], clips(10, seed=3).x
        save_model(tmp_path, model, self.spec())
        loaded, known = load_model(tmp_path)
        assert known == self.spec()
        assert type(loaded) is type(model)
        for name, weight in model.state_dict().items():
            assert torch.equal(weight, loaded.state_dict()[name]), name
        assert torch.equal(predict(model, x), predict(loaded, x))

    def test_a_resumed_training_is_an_uninterrupted_one(self, tmp_path: Path) -> None:
        """Bit for bit, whatever the state of the global generator."""
        budget, dev = TrainingConfig(steps=30, evaluate_every=10), clips(20, seed=2)
        whole, file = self.fresh(), tmp_path / "checkpoint"
        log = fit(whole, clips(100), budget, seed=5, dev=dev)

        def stop(entry: Progress) -> None:
            if entry.step == 20:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fit(self.fresh(), clips(100), budget, seed=5, dev=dev, checkpoint=file, report=stop)
        torch.manual_seed(1234)
        again = self.fresh(seed=77)
        assert fit(again, clips(100), budget, seed=5, dev=dev, checkpoint=file) == log
        for name, weight in whole.state_dict().items():
            assert torch.equal(weight, again.state_dict()[name]), name

    def test_training_leaves_the_global_generator_as_it_was(self) -> None:
        model = self.fresh()
        torch.manual_seed(3)
        before = torch.get_rng_state()
        fit(model, clips(50), TrainingConfig(steps=3), seed=0)
        assert torch.equal(torch.get_rng_state(), before)

    def test_the_dev_part_is_looked_at_and_never_learnt_from(self) -> None:
        budget = TrainingConfig(steps=20, evaluate_every=10)
        with_dev, without = self.fresh(), self.fresh()
        log = fit(with_dev, clips(60), budget, seed=0, dev=clips(30, seed=4))
        fit(without, clips(60), budget, seed=0)
        assert [entry.step for entry in log] == [10, 20]
        for entry in log:
            assert entry.dev_loss is not None
            assert entry.dev_accuracy is not None
            assert 0 <= entry.dev_loss <= 2
            assert 0 <= entry.dev_accuracy <= 1
        for name, weight in with_dev.state_dict().items():
            assert torch.equal(weight, without.state_dict()[name]), name

    def test_a_training_that_diverges_is_an_error(self) -> None:
        broken = clips(50)
        broken.x[3] = float("nan")
        with pytest.raises(RunError, match="diverged: loss nan at step 5"):
            fit(self.fresh(), broken, TrainingConfig(steps=5), seed=0)
        with pytest.raises(RunError, match="not finite"):
            predict(self.fresh(), broken.x)
