"""Matrix products in bfloat16; weights, sums and answers in float32."""

from typing import Any

import pytest
import torch

from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.network import NetworkConfig
from gensr.estimator.stack import Member
from gensr.estimator.together import fit_together
from gensr.estimator.training import fit
from support.toy import CLASSES, K, L, clips

TINY = NetworkConfig(hidden=32, depth=2, heads=2)
BUDGET = TrainingConfig(steps=120, batch_size=32, learning_rate=3e-3)


def fresh(model: str) -> Any:
    torch.manual_seed(0)
    options = {} if model == "linear" else {"network": TINY}
    return MODELS[model](len(CLASSES), K + 1, L, MODELS[model].Config(**options))


@pytest.mark.parametrize("model", ["gen-ser", "linear", "transformer-ce"])
def test_bfloat16_learns_as_well_with_float32_weights(model: str) -> None:
    exact, coarse = fresh(model), fresh(model)
    lines = [
        fit(exact, clips(400), BUDGET, seed=0)[-1],
        fit(coarse, clips(400), TrainingConfig(**_with("bfloat16")), seed=0)[-1],
    ]
    assert lines[0].loss != lines[1].loss
    assert lines[1].loss == pytest.approx(lines[0].loss, abs=0.02)
    assert {p.dtype for p in coarse.parameters()} == {torch.float32}
    assert coarse.precision == "bfloat16"
    test = clips(400, seed=1)
    p = coarse.predict(test.x)
    assert p.dtype == torch.float32
    assert torch.allclose(p.sum(-1), torch.ones(400), atol=1e-5)
    assert (p.argmax(-1) == test.y).float().mean() > 0.9
    coarse.precision = "float32"
    assert (coarse.predict(test.x) - p).abs().max() < 0.1


def test_together_too() -> None:
    alone, one = fresh("gen-ser"), fresh("gen-ser")
    config = TrainingConfig(**_with("bfloat16"), evaluate_every=120)
    member = Member(model=one, train=clips(100), config=config, seed=0)
    fit_together([member])
    fit(alone, clips(100), config, seed=0)
    for mine, theirs in zip(one.parameters(), alone.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=3e-3, rtol=0)


def test_another_precision_is_refused() -> None:
    with pytest.raises(ConfigError, match="precision must be one of float32, bfloat16; found"):
        TrainingConfig(precision="float16")


def _with(precision: str) -> dict[str, Any]:
    return {"steps": 120, "batch_size": 32, "learning_rate": 3e-3, "precision": precision}
