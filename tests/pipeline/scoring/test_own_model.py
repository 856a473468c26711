"""A generative model of one's own without samplers: evaluated, and missed where unknown."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from gensr.cli.evaluate import _show_sweep
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.models.model import Generative
from gensr.estimator.models.registry import MODELS
from gensr.estimator.samplers.sampler import Trajectory
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class StraightConfig:
    standardize: bool = True


class Straight(Generative):
    """Straight ahead to where one layer says that x0 lies, whatever N."""

    name = "straight"
    Config = StraightConfig

    def __init__(self, n_classes, layers, width, config):
        super().__init__(n_classes, layers, width, config)
        self.register_buffer("codes", torch.eye(n_classes, width))
        self.ahead = nn.Linear(width, width)

    def loss(self, x, y, draws):
        return (self.ahead(x[:, -1]) - self.codes[y]).square().sum(-1).mean()

    def transport(self, x, *, sampler=None, N=None, record=True):
        if sampler is not None:
            raise ConfigError("straight has no samplers")
        x1 = self.standardized(x)[:, -1]
        x0_hat, times = self.ahead(x1), torch.linspace(1, 0, (N or 1) + 1)
        states = torch.stack([x0_hat + t * (x1 - x0_hat) for t in times])
        return Trajectory(times, states, x0_hat.expand(N or 1, *x0_hat.shape))

    def probabilities(self, x, **options):
        return (self.transport(x, **options).states[-1] @ self.codes.T).softmax(-1)


@pytest.fixture(scope="module")
def run(made, fit, linear):
    if Straight.name not in MODELS:
        MODELS.add(Straight.name, Straight)
    yield fit(made / "runs/own", model="straight", settings=made / "linear.toml").run
    MODELS._added.discard(Straight.name)
    MODELS._loaded.pop(Straight.name, None)


def test_it_is_swept_and_drawn_without_a_sampler(run, capsys):
    found = evaluate(run, steps=(1, 3), device="cpu")
    assert (list(found.by_steps), found.sampler, found.own) == ([1, 3], None, True)
    assert found.by_steps[3].values == found.numbers.values
    assert len(found.trajectory.times) == 21
    _show_sweep(found)
    assert "None" not in capsys.readouterr().out


def test_a_process_that_does_not_know_it_says_what_is_missing(run, monkeypatch):
    assert run.manifest.packages == {"model straight": "no package, but added by hand"}
    monkeypatch.setattr(MODELS, "_added", set())
    missing = r"model straight of no package, but added by hand\): install or add them here"
    with pytest.raises(RunError, match=missing):
        evaluate(Run.open(run.folder))
