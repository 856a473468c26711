"""Gen-SER itself: codes, path, network, objective and sampler, composed by one config.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import torch
from torch import Tensor

from gensr.estimator.balance import smoothed, weight_of
from gensr.estimator.codes.codes import Codes, class_probabilities
from gensr.estimator.codes.registry import CODES
from gensr.estimator.codes.sinusoidal import SinusoidalCodes
from gensr.estimator.device import send
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.inputs import InputsConfig
from gensr.estimator.learner import Draws, Learner
from gensr.estimator.models.brings import brought
from gensr.estimator.models.ensemble import MOST_MEMBERS
from gensr.estimator.models.model import Generative
from gensr.estimator.network import NetworkConfig
from gensr.estimator.paths.bridge import STRONG, BridgeVariance
from gensr.estimator.paths.logistic import LogisticMean
from gensr.estimator.paths.path import GaussianPath, MeanSchedule, VarianceSchedule
from gensr.estimator.paths.registry import MEANS, VARIANCES
from gensr.estimator.ranges import check_range
from gensr.estimator.samplers.readout import check_readout, read
from gensr.estimator.samplers.registry import SAMPLERS
from gensr.estimator.samplers.sampler import MAX_STEPS, Trajectory, time_grid
from gensr.estimator.samplers.start import (
    check_start,
    check_takes_start,
    mean_over,
    noisy,
    over_draws,
    start_noise,
)
from gensr.estimator.targets.checks import check_carried, check_estimate, check_told
from gensr.estimator.targets.objective import matching_loss
from gensr.estimator.targets.registry import TARGETS
from gensr.estimator.targets.target import Target, draw_times
from gensr.estimator.targets.x0 import X0Target
from gensr.estimator.tokens import make_estimator

STATES_N = 20
"""N of who reads the state and asks for none; the flow target's too."""
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
    """What the network is asked to give (Eq. 8); a rival brings its own T, start, draws, sampler,
    N and read-out where none are asked for."""
    t_eps: float = 0.03
    """Smallest time, in training and sampling."""
    T: float = 0.999
    """Largest time; the field is 0 times infinity at 1."""
    sampler: Annotated[str, SAMPLERS] = "exact"
    """Name of a sampler: `exact`, `euler` or `heun`."""
    sampler_steps: int = 4
    """N."""
    readout: str = "estimate"
    """What is classified: the last `estimate` x0_hat that a step was taken with, the `state` at
    t_eps, or the estimate `after` the last update (Algorithm 2 as printed, N + 1 estimates)."""
    start: str = "speech"
    """Where an answer begins: at `speech`, x1 (paper), or `noisy`, at x1 + sigma_T z."""
    draws: int = 1
    """Noisy starts that an answer is the mean of, each at the price of one."""
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
        check_readout(self.readout)
        check_start(self.start, self.draws)

    @classmethod
    def small(cls, target: str = X0Target.name) -> "GenSERConfig":
        """What docs/results/study.md picked for the paper's target, and for its rivals."""
        small = cls(inputs=InputsConfig.small())
        if TARGETS[target].strong:
            small = replace(small, **STRONG)
        if target != X0Target.name:
            return replace(small, network=NetworkConfig.small())
        return replace(small, sampler_steps=1)

    @classmethod
    def paper(cls) -> "GenSERConfig":
        """The sizes of section 3.2."""
        return cls(network=NetworkConfig.paper())

    @property
    def path(self) -> GaussianPath:
        """Mean and variance in one."""
        return GaussianPath(mean=self.mean, variance=self.variance)

    def check_training(self) -> None:
        """Refuse what can be read and asked, but is not worth a training.

        Raises:
            ConfigError: x_T still holds the label, or the target says nothing of x0.
        """
        check_carried(self.path, self.T)
        check_estimate(self.target, self.path, self.t_eps, self.T)

    def check_sizes(self, n_classes: int, width: int) -> None:
        """Refuse what is not worth a training of so many classes and this width.

        Raises:
            ConfigError: x_T tells the class to a network that has x1 among its inputs.
        """
        if self.inputs.way != "sum":
            check_told(self.path, self.T, self.codes.table(n_classes, width))

    def small_budget(self) -> TrainingConfig:
        """That of `small`."""
        paper = type(self.target) is X0Target
        return TrainingConfig() if paper else TrainingConfig.small()

    def budget(self, usual: TrainingConfig) -> TrainingConfig:
        """The budget with the target's own learning rate."""
        rate = self.target.learning_rate
        return usual if rate is None else replace(usual, learning_rate=rate)

    @classmethod
    def in_full(cls, plain: Mapping[str, Any], base: "GenSERConfig | None") -> dict[str, Any]:
        """Settings with `k` and `sigma` in their schedules: for short, and as 0.1 wrote them.

        Over another config they are the settings of its schedules, which may have none such. What
        a target brings is among them.

        Raises:
            ConfigError: a setting is given both ways.
        """
        full = brought(cls, plain, base) | dict(plain)
        if full.get("readout") == "state" and base is not None and base.sampler_steps == 1:
            full.setdefault("sampler_steps", STATES_N)  # after one step it has hardly moved
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
    noise: Tensor | None
    """(D, L): z of each noisy start; None where answers begin at speech."""

    def __init__(self, n_classes: int, layers: int, width: int, config: GenSERConfig) -> None:
        super().__init__(n_classes, layers, width, config)
        codes = config.codes.table(n_classes, width)
        self.register_buffer("codes", codes, persistent=config.codes.kept)
        self.reader = config.codes.reader(n_classes, width)
        self.path = config.path
        self.network = make_estimator(layers - 1, width, config.network, config.inputs)
        self.register_buffer("noise", start_noise(config.start, config.draws, width))

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

    def start_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Eq. 8 at t = T, without dropout. See `Learner.start_loss`."""
        t = torch.full((len(x),), self.config.T, device=self.device)
        a, sigma = self.path.at(t)
        z = torch.randn(len(x), self.width, device=self.device)
        return self.loss(x, y, {"t": t, "a": a, "sigma": sigma, "z": z} | self.weights_of(y))

    def transport(
        self, x: Tensor, *, sampler: str | None = None, N: int | None = None, record: bool = True
    ) -> Trajectory:
        """Carry a batch from x1 to x0 (Algorithm 2). See `Generative.transport`.

        From several noisy starts it is the mean way.
        """
        way = self._carried(x, sampler, N, record)[0]
        return way if self.noise is None else over_draws(way, self.config.draws)

    def end(self, x: Tensor) -> Tensor:
        """The mean over draws of what is classified. See `Generative.end`."""
        return mean_over(self._carried(x)[1], self.config.draws)

    def _carried(
        self, x: Tensor, sampler: str | None = None, N: int | None = None, record: bool = False
    ) -> tuple[Trajectory, Tensor]:
        """The ways of D draws, (.., D * B, L), and what is classified of them, (D * B, L).

        The layers are fused once, and what depends on t alone is computed once a step.
        """
        x = self.standardized(x)
        x1, condition = x[:, -1], self.network.condition(self.network.fusion.of(x))
        steps = self.config.sampler_steps if N is None else N
        times = time_grid(self.config.T, self.config.t_eps, steps)
        name = sampler or self.config.sampler
        march, begun = SAMPLERS[name], {}
        if self.noise is not None:
            check_takes_start(march, name)
            begun = {"x_T": noisy(x1, self.path, send(times, x1.device)[0], self.noise)}
            x1, condition = (each.repeat(len(self.noise), 1) for each in (x1, condition))

        def estimate(x_t: Tensor, t: Tensor) -> Tensor:
            given = self.network.estimate(x_t, condition, t)
            return self.config.target.estimate(self.path, given, x_t, x1, t)

        way = march(estimate, self.path, x1, times, record, **begun)
        return way, read(way, estimate, self.config.readout)

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Class probabilities of the terminal sample (Eq. 12), the mean over noisy starts.

        Args:
            x: (B, K+1, L).
            **options: `sampler` and `N` in place of the config's.

        Raises:
            ConfigError: another option, or no such sampler.
        """
        if unknown := set(options) - {"sampler", "N"}:
            raise ConfigError(f"{self.name} has no option {', '.join(sorted(unknown))}")
        x0_hat, temperature = self._carried(x, **options)[1], self.config.temperature
        p = class_probabilities(x0_hat, self.codes, self.reader, temperature)
        return p if self.noise is None else mean_over(p, len(self.noise))
