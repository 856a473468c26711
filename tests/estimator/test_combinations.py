"""Every allowed combination of the parts of the method: it trains, answers, and cannot cheat.

Features without a label: whatever the schedules, codes, sampler and read-out, all score chance.
"""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from gensr.estimator.codes.registry import CODES
from gensr.estimator.config import from_plain
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import Fitting, TrainingConfig
from gensr.estimator.models.gen_ser import GenSER, GenSERConfig
from gensr.estimator.paths.registry import MEANS, VARIANCES
from gensr.estimator.samplers.readout import READOUTS
from gensr.estimator.samplers.registry import SAMPLERS
from gensr.estimator.targets.registry import TARGETS
from support.toy import CLASSES, K, L, clips

PARTS = {
    "target": TARGETS.names(),
    "mean": MEANS.names(),
    "variance": VARIANCES.names(),
    "codes": CODES.names(),
}
ALL = [dict(zip(PARTS, names, strict=True)) for names in itertools.product(*PARTS.values())]
FEW = [
    {
        name: names[number % len(names)]
        for (name, names), number in zip(PARTS.items(), (i, i, i // 4, i // 3), strict=True)
    }
    for i in range(12)
]
"""In which every target stands with every mean, variance and code."""
C = len(CLASSES)
TEST = clips(2000, informative=False, seed=1)


def trained(parts: dict[str, str]) -> GenSER | None:
    """On features without a label; None where the combination is refused, in one line."""
    small = {"hidden": 16, "depth": 1, "heads": 2, "dropout": 0.0}
    options = from_plain(GenSERConfig, {**parts, "draws": 1, "network": small}, "asked")
    try:
        options.check_training()
    except ConfigError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None
    torch.manual_seed(0)
    model = GenSER(C, K + 1, L, options)
    budget = TrainingConfig(steps=30, learning_rate=3e-3, batch_size=32)
    model.fit(clips(200, informative=False), Fitting(seed=0, budget=budget))
    return model


def check_chance(parts: dict[str, str]) -> None:
    model = trained(parts)
    if model is None:
        assert (parts["target"], parts["variance"]) == ("flow", "bridge")
        assert parts["mean"] in ("ve", "vp")
        return
    for sampler, readout in itertools.product(SAMPLERS.names(), READOUTS):
        model.config = replace(model.config, readout=readout)
        p = model.predict(TEST.x, sampler=sampler, N=2)
        right = (p.argmax(-1) == TEST.y).float().mean().item()
        assert right == pytest.approx(1 / C, abs=4 * math.sqrt(0.25 * 0.75 / 2000)), readout


@pytest.mark.parametrize("parts", FEW, ids=lambda parts: "-".join(parts.values()))
def test_without_a_label_in_the_features_some_know_nothing(parts: dict[str, str]) -> None:
    check_chance(parts)


@pytest.mark.slow
@pytest.mark.parametrize("parts", ALL, ids=lambda parts: "-".join(parts.values()))
def test_without_a_label_in_the_features_none_knows_anything(parts: dict[str, str]) -> None:
    check_chance(parts)


def test_the_few_have_every_target_with_every_other_part() -> None:
    for name, names in PARTS.items():
        met = {(parts["target"], parts[name]) for parts in FEW}
        assert met >= {*itertools.product(PARTS["target"], names)} or name == "target"
