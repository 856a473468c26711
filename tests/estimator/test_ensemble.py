"""Several networks as one model."""

from pathlib import Path
from typing import Any

import pytest
import torch

from gensr.estimator.fitting import Fitting, LogEntry, TrainingConfig
from gensr.estimator.models.ensemble import Ensemble
from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.models.spec import ModelSpec, build
from gensr.estimator.network import NetworkConfig
from gensr.estimator.resident import Resident
from support.contracts.model import ClassifierContract, same
from support.toy import CLASSES, K, L, clips

TINY = {"hidden": 16, "depth": 1, "heads": 2, "dropout": 0.1}


def test_members_are_scaled_by_the_same_moments_however_they_are_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clips that nobody else learns from are scaled in place: by the first member alone."""
    monkeypatch.setattr(Ensemble, "_stacks", lambda *asked: False)
    options = GenSERConfig(network=NetworkConfig(hidden=16, depth=1, heads=2), members=3)
    layers = tuple(map(str, range(K + 1)))
    model = build(
        ModelSpec(model="gen-ser", classes=CLASSES, layers=layers, width=L, options=options)
    )
    found = clips(60)
    x = 100 * found.x + 50
    train = Resident(x.clone(), found.y).take(torch.arange(60), alone=True)
    model.fit(train, Fitting(seed=0, budget=TrainingConfig(steps=1)))
    assert isinstance(model, Ensemble)
    for one in model.members:
        assert torch.allclose(one.scale.mean, x.mean(0), rtol=1e-4)
        assert torch.allclose(one.scale.std, x.std(0, correction=0), rtol=1e-3)


class TestEnsemble(ClassifierContract):
    model = "gen-ser"
    options = {"network": TINY, "members": 3}

    def test_its_answer_is_the_mean_and_members_differ(self, learnt: Any) -> None:
        x = clips(30, seed=1).x
        each = torch.stack([one.predict(x) for one in learnt.members])
        assert torch.allclose(learnt.predict(x), each.mean(0))
        assert not torch.equal(each[0], each[1])

    @pytest.mark.parametrize("together", [True, False])
    def test_a_resumed_training_is_an_uninterrupted_one(
        self, together: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Ensemble, "_stacks", lambda *asked: together)

        def asked() -> dict[str, Any]:
            return {"steps": 20, "budget": {"evaluate_every": 5}, "dev": clips(20, seed=2)}

        def stop(entry: LogEntry) -> None:
            if entry.step == 10:
                raise KeyboardInterrupt

        whole, file = self.fresh(), tmp_path / "checkpoint"
        log = self.fit(whole, clips(100), **asked())
        with pytest.raises(KeyboardInterrupt):
            self.fit(self.fresh(), clips(100), **asked(), checkpoint=file, report=stop)
        torch.manual_seed(7)
        again = self.fresh(seed=0 if together else 5)
        assert self.fit(again, clips(100), **asked(), checkpoint=file) == log
        same(whole, again)
