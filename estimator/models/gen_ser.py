"""Gen-SER itself: codes, path, network, objective and sampler, composed by one config.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import torch
from torch import Tensor

from gensr.estimator.balance import smoothed, weight_of
from gensr.estimator.codes.codes import Codes, probabilities
from gensr.estimator.codes.registry import CODES
from gensr.estimator.codes.sinusoidal import SinusoidalCodes
from gensr.estimator.errors import ConfigError
from gensr.estimator.inputs import InputsConfig
from gensr.estimator.learner import Draws, Learner
from gensr.estimator.models.ensemble import MOST_MEMBERS
from gensr.estimator.models.model import Generative
from gensr.estimator.network import NetworkConfig
from gensr.estimator.paths.bridge import BridgeVariance
from gensr.estimator.paths.logistic import LogisticMean
from gensr.estimator.paths.path import GaussianPath, MeanSchedule, VarianceSchedule
from gensr.estimator.paths.registry import MEANS, VARIANCES
from gensr.estimator.ranges import check_range
from gensr.estimator.samplers.registry import SAMPLERS
from gensr.estimator.samplers.sampler import MAX_STEPS, Trajectory, time_grid
from gensr.estimator.targets.objective import matching_loss
from gensr.estimator.targets.registry import TARGETS
from gensr.estimator.targets.target import Target, draw_times
from gensr.estimator.targets.x0 import X0Target
from gensr.estimator.tokens import make_estimator

_DRAWN = ("mean", "variance", "t_eps", "T", "times")
"""Settings that `GenSER.draw` alone knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenSERConfig:
    """Everything that makes the method; every default here is ours, the paper states none."""

    mean: Annotated[MeanSchedule, MEANS] = field(default_factory=LogisticMean)
    """Mean schedule of the path (Eq. 6); `k` for short is the paper's with another k."""
    variance: Annotated[VarianceSchedule, VARIANCES] = field(default_factory=BridgeVariance)
    """Variance schedule of the path (Eq. 7); `sigma` for short is the paper's with another."""
    codes: Annotated[Codes, CODES] = field(default_factory=SinusoidalCodes)
    """Codes of the classes (Eq. 2)."""
    target: Annotated[Target, TARGETS] = field(default_factory=X0Target)
    """What the network is asked to give (Eq. 8)."""
    t_eps: float = 0.03
    """Smallest time, in training and sampling."""
    T: float = 0.999
    """Largest time; the field is 0 times infinity at 1."""
    sampler: Annotated[str, SAMPLERS] = "exact"
    """Name of a sampler: `exact` or `euler`."""
    sampler_steps: int = 4
    """N."""
    readout: str = "estimate"
    """What is classified: the last `estimate` x0_hat, or the `state` at t_eps."""
    temperature: float = 1.0
    """Divides the class scores before they are put on the simplex."""
    standardize: bool = True
    """Standardise each layer and dimension by the training part."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the estimator."""
    inputs: InputsConfig = field(default_factory=InputsConfig)
    """How the layers reach it."""
    times: float = 1.0
    """p of t = t_eps + (T - t_eps) u^(1/p) in training: 1 is uniform (paper), 4 draws near T,
    where the state does not give the label away."""
    smoothing: float = 0.0
    """Share e of the way from a class's code to the mean of all that is wanted in training: the
    path then ends at (1-e) x0 + e mean x0. Ours."""
    balance: bool = False
    """Whether a clip counts by the inverse of its class's frequency in training. Ours."""
    members: int = 1
    """Networks, of seeds of their own, whose probabilities are averaged. Ours."""

    def __post_init__(self) -> None:
        check_range("t_eps", self.t_eps, above=0, below=self.T)
        check_range("T", self.T, below=1)  # at 1 the field of Eq. 5 is 0 times infinity
        check_range("sampler_steps", self.sampler_steps, least=1, most=MAX_STEPS)
        check_range("temperature", self.temperature, least=1e-6, most=1e6)
        check_range("times", self.times, least=1e-3, most=1e3)
        check_range("smoothing", self.smoothing, least=0, below=1)
        check_range("members", self.members, least=1, most=MOST_MEMBERS)
        if self.sampler not in SAMPLERS:
            raise ConfigError(f"sampler must be one of {', '.join(SAMPLERS)}; found {self.sampler}")
        if self.readout not in ("estimate", "state"):
            raise ConfigError(f"readout must be estimate or state; found {self.readout}")

    @classmethod
    def paper(cls) -> "GenSERConfig":
        """The sizes of section 3.2."""
        return cls(network=NetworkConfig.paper())

    @classmethod
    def in_full(cls, plain: Mapping[str, Any], base: "GenSERConfig | None") -> dict[str, Any]:
        """Settings with `k` and `sigma` in their schedules: for short, and as 0.1 wrote them.

        Over another config they are the settings of its schedules, which may have none such.

        Raises:
            ConfigError: a setting is given both ways.
        """
        full = dict(plain)
        for short, of, long in (("k", "mean", "k"), ("sigma", "variance", "strength")):
            if short in full:
                if of in full:
                    raise ConfigError(f"{short} and {of} are both given; put {long} into {of}")
                papers = {"mean": LogisticMean.name, "variance": BridgeVariance.name}
                named = {"name": papers[of]} if base is None else {}
                full[of] = {**named, long: full.pop(short)}
        return full


class GenSER(Generative):
    """Transports x1 onto the code of its class; the nearest code is the answer."""

    name = "gen-ser"
    Config = GenSERConfig
    config: GenSERConfig
    stacks = True

    def __init__(self, n_classes: int, layers: int, width: int, config: GenSERConfig) -> None:
        super().__init__(n_classes, layers, width, config)
        self.register_buffer("codes", config.codes.table(n_classes, width), persistent=False)
        self.path = GaussianPath(mean=config.mean, variance=config.variance)
        self.network = make_estimator(layers - 1, width, config.network, config.inputs)

    def trains_with(self, other: Learner) -> bool:
        """Path and dropout may differ, where x0 is wanted. See `Learner.trains_with`."""
        if not isinstance(other, GenSER) or type(self.config.target) is not X0Target:
            return super().trains_with(other)
        theirs = {name: getattr(other.config, name) for name in _DRAWN}
        dropouts = self.config.network.dropout, other.config.network.dropout
        network = replace(self.config.network, dropout=dropouts[1])
        alike = replace(self.config, **theirs, network=network) == other.config
        return alike and (dropouts[0] > 0) == (dropouts[1] > 0)  # else one draws a mask, one none

    def draw(self, size: int) -> Draws:
        """One t and z a clip (Algorithm 1), where the path then is, and what dropout keeps."""
        t = draw_times(size, self.config.t_eps, self.config.T, self.device, self.config.times)
        a, sigma = self.path.at(t)
        z = torch.randn(size, self.width, device=self.device)
        kept = self.network.draw(size)
        drawn = {"t": t, "a": a, "sigma": sigma, "z": z} | ({} if kept is None else {"kept": kept})
        return drawn | self.draw_more(size)

    def loss(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """Eq. 8 on one draw of t and z per clip, over |x0|^2. See `Learner.loss`."""
        x1, X_c = x[:, -1], self.network.fusion.of(x)

        def network(x_t: Tensor, t: Tensor) -> Tensor:
            given: Tensor = self.network(x_t, X_c, t, draws.get("kept"), draws.get("layers"))
            return given

        return matching_loss(
            network,
            self.path,
            self.config.target,
            smoothed(self.codes, self.config.smoothing),
            y,
            x1,
            draws["t"],
            draws["z"],
            (draws["a"], draws["sigma"]),
            weight_of(y, draws),
        )

    def transport(
        self, x: Tensor, *, sampler: str | None = None, N: int | None = None, record: bool = True
    ) -> Trajectory:
        """Carry a batch from x1 to x0 (Algorithm 2). See `Generative.transport`.

        The layers are fused once, and what depends on t alone is computed once a step.
        """
        x = self.standardized(x)
        x1, condition = x[:, -1], self.network.condition(self.network.fusion.of(x))
        steps = self.config.sampler_steps if N is None else N
        times = time_grid(self.config.T, self.config.t_eps, steps)
        march = SAMPLERS[sampler or self.config.sampler]

        def estimate(x_t: Tensor, t: Tensor) -> Tensor:
            given = self.network.estimate(x_t, condition, t)
            return self.config.target.estimate(self.path, given, x_t, x1, t)

        return march(estimate, self.path, x1, times, record)

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Class probabilities of the terminal sample (Eq. 12).

        Args:
            x: (B, K+1, L).
            **options: `sampler` and `N` in place of the config's.

        Raises:
            ConfigError: another option, or no such sampler.
        """
        if unknown := set(options) - {"sampler", "N"}:
            raise ConfigError(f"{self.name} has no option {', '.join(sorted(unknown))}")
        trajectory = self.transport(x, record=False, **options)
        last = trajectory.estimates if self.config.readout == "estimate" else trajectory.states
        return probabilities(last[-1], self.codes, self.config.temperature)
