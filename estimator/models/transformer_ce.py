"""The second control: what is left of Gen-SER without the generative part.

The whole network, given x1 as its state and t = 1, with a classification layer and cross-entropy:
same vectors, splits, budget and optimizer. With `state = "noisy"` it is given what the twin of
transformer_mse.py is, x1 + sigma_t z at the same t with the same z, and differs from it by the loss
alone.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from gensr.estimator.errors import ConfigError
from gensr.estimator.inputs import InputsConfig
from gensr.estimator.learner import Draws
from gensr.estimator.models.cross_entropy import CrossEntropyModel
from gensr.estimator.models.ensemble import MOST_MEMBERS
from gensr.estimator.network import NetworkConfig
from gensr.estimator.paths.bridge import STRONG, BridgeVariance, with_sigma
from gensr.estimator.paths.path import VarianceSchedule
from gensr.estimator.paths.registry import VARIANCES
from gensr.estimator.ranges import check_range
from gensr.estimator.targets.target import draw_times
from gensr.estimator.tokens import make_estimator

STATES = ("clean", "noisy")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerCEConfig:
    """Settings of `transformer-ce`."""

    standardize: bool = True
    """Standardise each layer and dimension by the training part."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the network, as Gen-SER's."""
    inputs: InputsConfig = field(default_factory=InputsConfig)
    """How the layers reach it, as Gen-SER's."""
    state: str = "clean"
    """What stands where Gen-SER has x_t: `clean`, x1 at t = 1; `noisy`, in training, x1 + sigma_t z
    at t as the twin's, answered at t = T without noise."""
    variance: Annotated[VarianceSchedule, VARIANCES] = field(default_factory=BridgeVariance)
    """Variance of the noise over t, as the twin's."""
    t_eps: float = 0.03
    """Smallest time in training."""
    T: float = 0.999
    """Largest time, and the time of the answer."""
    times: float = 1.0
    """p of t = t_eps + (T - t_eps) u^(1/p), as the twin's."""
    smoothing: float = 0.0
    """Label smoothing, as Gen-SER's."""
    balance: bool = False
    """Whether a clip counts by the inverse of its class's frequency, as Gen-SER's."""
    members: int = 1
    """Networks whose probabilities are averaged, as Gen-SER's."""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ConfigError(f"state must be one of {', '.join(STATES)}; found {self.state!r}")
        check_range("t_eps", self.t_eps, above=0, below=self.T)
        check_range("T", self.T, below=1)
        check_range("times", self.times, least=1e-3, most=1e3)
        check_range("smoothing", self.smoothing, least=0, below=1)
        check_range("members", self.members, least=1, most=MOST_MEMBERS)

    @property
    def idle(self) -> dict[str, str]:
        """Settings that have no say, each with the one by which that is so."""
        names = ("variance", "sigma", "t_eps", "T", "times") if self.state == "clean" else ()
        return dict.fromkeys(names, f"state = {self.state!r}")

    @classmethod
    def in_full(cls, plain: Any, base: "TransformerCEConfig | None") -> dict[str, Any]:
        """Settings with `sigma` in its schedule, for short. See `GenSERConfig.in_full`.

        Raises:
            ConfigError: a setting is given both ways.
        """
        return with_sigma(plain, base is None)

    @classmethod
    def small(cls) -> "TransformerCEConfig":
        """What development parts picked (docs/results/study.md, `transformer-ce, own`)."""
        return cls(
            network=NetworkConfig.small(),
            inputs=InputsConfig.small(),
            state="noisy",
            **STRONG,
        )

    @classmethod
    def paper(cls) -> "TransformerCEConfig":
        """The sizes of section 3.2."""
        return cls(network=NetworkConfig.paper())


class TransformerCE(CrossEntropyModel):
    """Gen-SER's network as a plain classifier."""

    name = "transformer-ce"
    Config = TransformerCEConfig
    config: TransformerCEConfig
    stacks = True

    def __init__(
        self, n_classes: int, layers: int, width: int, config: TransformerCEConfig
    ) -> None:
        super().__init__(n_classes, layers, width, config)
        self.network = make_estimator(layers - 1, width, config.network, config.inputs)
        self.head = nn.Linear(width, n_classes)

    def draw(self, size: int) -> Draws:
        """What dropout keeps, and t and noise as the twin draws them. See `Learner.draw`."""
        config, drawn = self.config, {}
        if config.state == "noisy":
            t = draw_times(size, config.t_eps, config.T, self.device, config.times)
            z = torch.randn(size, self.width, device=self.device)
            drawn = {"t": t, "noise": config.variance.sigma(t)[:, None] * z}
        kept = self.network.draw(size)
        return drawn | ({} if kept is None else {"kept": kept}) | self.draw_more(size)

    def logits(self, x: Tensor, draws: Draws | None = None) -> Tensor:
        """See `CrossEntropyModel.logits`."""
        draws, state = draws or {}, x[:, -1]
        last = 1.0 if self.config.state == "clean" else self.config.T
        t = draws.get("t", x.new_full((1,), last))
        if "noise" in draws:
            state = state + draws["noise"]
        layers = self.network.fusion.of(x)
        found = self.network(state, layers, t, draws.get("kept"), draws.get("layers"))
        out: Tensor = self.head(found)
        return out
