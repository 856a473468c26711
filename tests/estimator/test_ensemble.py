"""Several networks as one model."""

from pathlib import Path
from typing import Any

import pytest
import torch

from gensr.estimator.fitting import LogEntry
from gensr.estimator.models.ensemble import Ensemble
from support.contracts.model import ClassifierContract, same
from support.toy import clips

TINY = {"hidden": 16, "depth": 1, "heads": 2, "dropout": 0.1}


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
