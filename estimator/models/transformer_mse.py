"""The twin that decides: Gen-SER's network, codes, loss, times and noise, without a path.

Gen-SER's state is x_t = mu_t(x0, x1) + sigma_t z, which holds the label. The twin's is x1 +
sigma_t z at the same t with the same z, which does not: it regresses the code from speech alone,
and answers by one call at t = T. What Gen-SER is ahead of it by is the transport's; what both are
ahead of cross-entropy by is the squared error's.

At one seed t, z, batches, dropout and first weights are Gen-SER's, bit for bit.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import torch
from torch import Tensor

from gensr.estimator.balance import smoothed, weight_of
from gensr.estimator.codes.codes import Codes, class_probabilities
from gensr.estimator.codes.registry import CODES
from gensr.estimator.codes.sinusoidal import SinusoidalCodes
from gensr.estimator.errors import ConfigError
from gensr.estimator.inputs import InputsConfig
from gensr.estimator.learner import Draws, Learner
from gensr.estimator.models.ensemble import MOST_MEMBERS
from gensr.estimator.models.model import Model
from gensr.estimator.network import NetworkConfig
from gensr.estimator.paths.bridge import STRONG, BridgeVariance, with_sigma
from gensr.estimator.paths.path import VarianceSchedule
from gensr.estimator.paths.registry import VARIANCES
from gensr.estimator.ranges import check_range
from gensr.estimator.targets.target import draw_times
from gensr.estimator.tokens import make_estimator

STATES = ("noisy", "fixed", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerMSEConfig:
    """Settings of `transformer-mse`; those that Gen-SER has too have its defaults."""

    state: str = "noisy"
    """What stands where Gen-SER has x_t: `noisy`, x1 + sigma_t z at t as Gen-SER's; `fixed`, the
    same at t = T in every step; `none`, nothing, at t = T: the layers alone tell."""
    variance: Annotated[VarianceSchedule, VARIANCES] = field(default_factory=BridgeVariance)
    """Variance of the noise over t, as Gen-SER's (Eq. 7). Of training alone: an answer has none,
    however much of it there is at T, as with dropout."""
    codes: Annotated[Codes, CODES] = field(default_factory=SinusoidalCodes)
    """Codes of the classes (Eq. 2)."""
    t_eps: float = 0.03
    """Smallest time in training."""
    T: float = 0.999
    """Largest time, and the time of the answer."""
    times: float = 1.0
    """p of t = t_eps + (T - t_eps) u^(1/p), as Gen-SER's."""
    temperature: float = 1.0
    """Divides the class scores before they are put on the simplex."""
    standardize: bool = True
    """Standardise each layer and dimension by the training part."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the network."""
    inputs: InputsConfig = field(default_factory=InputsConfig)
    """How the layers reach it."""
    smoothing: float = 0.0
    """Label smoothing in code space, as Gen-SER's."""
    balance: bool = False
    """Whether a clip counts by the inverse of its class's frequency in training."""
    members: int = 1
    """Networks whose probabilities are averaged."""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ConfigError(f"state must be one of {', '.join(STATES)}; found {self.state!r}")
        check_range("t_eps", self.t_eps, above=0, below=self.T)
        check_range("T", self.T, below=1)
        check_range("times", self.times, least=1e-3, most=1e3)
        check_range("temperature", self.temperature, least=1e-6, most=1e6)
        check_range("smoothing", self.smoothing, least=0, below=1)
        check_range("members", self.members, least=1, most=MOST_MEMBERS)

    @property
    def idle(self) -> dict[str, str]:
        """Settings that have no say, each with the one by which that is so."""
        of_times, of_noise = ("times", "t_eps"), ("variance", "sigma")
        names = {"noisy": (), "fixed": of_times, "none": of_times + of_noise}[self.state]
        return dict.fromkeys(names, f"state = {self.state!r}")

    @classmethod
    def small(cls) -> "TransformerMSEConfig":
        """What docs/results/study.md picked."""
        return cls(
            network=NetworkConfig.small(),
            inputs=InputsConfig.small(),
            **STRONG,
        )

    @classmethod
    def paper(cls) -> "TransformerMSEConfig":
        """The sizes of section 3.2."""
        return cls(network=NetworkConfig.paper())

    @classmethod
    def in_full(cls, plain: Any, base: "TransformerMSEConfig | None") -> dict[str, Any]:
        """Settings with `sigma` in its schedule, for short. See `GenSERConfig.in_full`.

        Raises:
            ConfigError: a setting is given both ways.
        """
        return with_sigma(plain, base is None)


class TransformerMSE(Model):
    """Gen-SER's network as a plain regression onto the codes."""

    name = "transformer-mse"
    Config = TransformerMSEConfig
    config: TransformerMSEConfig
    codes: Tensor
    """(C, L)."""
    stacks = True

    def __init__(
        self, n_classes: int, layers: int, width: int, config: TransformerMSEConfig
    ) -> None:
        super().__init__(n_classes, layers, width, config)
        codes = config.codes.table(n_classes, width)
        self.register_buffer("codes", codes, persistent=config.codes.kept)
        self.reader = config.codes.reader(n_classes, width)
        self.network = make_estimator(layers - 1, width, config.network, config.inputs)

    def trains_with(self, other: Learner) -> bool:
        """What `draw` alone knows may differ. See `Learner.trains_with`."""
        if not isinstance(other, TransformerMSE):
            return super().trains_with(other)
        names = ("variance", "t_eps", "T", "times")
        theirs = {name: getattr(other.config, name) for name in names}
        return replace(self.config, **theirs) == other.config

    def draw(self, size: int) -> Draws:
        """One t and z a clip, as Gen-SER draws them, and what dropout keeps."""
        config = self.config
        t = draw_times(size, config.t_eps, config.T, self.device, config.times)
        z = torch.randn(size, self.width, device=self.device)
        if config.state != "noisy":
            t = torch.full_like(t, config.T)
        kept = self.network.draw(size)
        drawn = {"t": t, "sigma": config.variance.sigma(t), "z": z}
        return drawn | ({} if kept is None else {"kept": kept}) | self.draw_more(size)

    def loss(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """|x_theta(x1 + sigma_t z, X_c, t) - x0|^2 over |x0|^2. See `Learner.loss`."""
        x0 = smoothed(self.codes, self.config.smoothing)
        state = self._state(x[:, -1])
        if self.config.state != "none":
            state = torch.addcmul(state, draws["sigma"][:, None], draws["z"])
        layers, t = self.network.fusion.of(x), draws["t"]
        x0_hat = self.network(state, layers, t, draws.get("kept"), draws.get("layers"))
        cost, weight = (x0_hat - x0[y]).square().sum(-1), weight_of(y, draws)
        cost = (cost if weight is None else cost * weight).mean()
        loss: Tensor = cost / x0[0].square().sum()
        return loss

    def start_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The loss at t = T, where it answers. See `Learner.start_loss`."""
        t = torch.full((len(x),), self.config.T, device=self.device)
        z = torch.randn(len(x), self.width, device=self.device)
        drawn = {"t": t, "sigma": self.config.variance.sigma(t), "z": z}
        return self.loss(x, y, drawn | self.weights_of(y))

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Class probabilities of the estimate at t = T (Eq. 12).

        Raises:
            ConfigError: an option; there are none.
        """
        if options:
            raise ConfigError(f"{self.name} has no option {', '.join(sorted(options))}")
        x = self.standardized(x)
        condition = self.network.condition(self.network.fusion.of(x))
        t = torch.full((1,), self.config.T, device=x.device)
        x0_hat = self.network.estimate(self._state(x[:, -1]), condition, t)
        return class_probabilities(x0_hat, self.codes, self.reader, self.config.temperature)

    def _state(self, x1: Tensor) -> Tensor:
        """Where the network stands without noise: at speech, or nowhere."""
        return torch.zeros_like(x1) if self.config.state == "none" else x1
