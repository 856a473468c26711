"""Gen-SER itself: codes, path, network, objective and sampler, composed by one config.

Shapes: B batch, K conditioning layers, L width, C classes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gensr.estimator import codes
from gensr.estimator.errors import ConfigError
from gensr.estimator.model import Model
from gensr.estimator.network import NetworkConfig, TargetEstimator
from gensr.estimator.objective import draw_times, target_matching_loss
from gensr.estimator.path import BridgeVariance, GaussianPath, LogisticMean
from gensr.estimator.ranges import check_range
from gensr.estimator.sampler import MAX_STEPS, SAMPLERS, Trajectory, time_grid


@dataclass(frozen=True, slots=True, kw_only=True)
class GenSERConfig:
    """Everything that makes the method; every default here is ours, the paper states none."""

    k: float = 10.0
    """Steepness of the logistic mean (Eq. 6)."""
    sigma: float = 0.5
    """Strength of the bridge variance (Eq. 7)."""
    t_eps: float = 0.03
    """Smallest time, in training and sampling."""
    T: float = 0.999
    """Largest time; the field is 0 times infinity at 1."""
    sampler: str = "exact"
    """`exact` or `euler`."""
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

    def __post_init__(self) -> None:
        LogisticMean(k=self.k)
        BridgeVariance(strength=self.sigma)
        check_range("t_eps", self.t_eps, above=0, below=self.T)
        check_range("T", self.T, below=1)  # at 1 the field of Eq. 5 is 0 times infinity
        check_range("sampler_steps", self.sampler_steps, least=1, most=MAX_STEPS)
        check_range("temperature", self.temperature, least=1e-6, most=1e6)
        if self.sampler not in SAMPLERS:
            raise ConfigError(f"sampler must be one of {', '.join(SAMPLERS)}; found {self.sampler}")
        if self.readout not in ("estimate", "state"):
            raise ConfigError(f"readout must be estimate or state; found {self.readout}")


class GenSER(Model):
    """Transports x1 onto the code of its class; the nearest code is the answer."""

    name = "gen-ser"
    codes: Tensor

    def __init__(self, n_classes: int, layers: int, width: int, config: GenSERConfig) -> None:
        super().__init__(n_classes, layers, width, standardize=config.standardize)
        self.config = config
        self.register_buffer("codes", codes.sinusoidal_codes(n_classes, width), persistent=False)
        self.path = GaussianPath(
            mean=LogisticMean(k=config.k), variance=BridgeVariance(strength=config.sigma)
        )
        self.network = TargetEstimator(layers - 1, width, config.network)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Eq. 8 on one draw of t and z per clip (Algorithm 1), over |x0|^2."""
        x1, X_c = self.split(x)
        x0 = self.codes[y]
        t = draw_times(len(x1), self.config.t_eps, self.config.T, x1.device)
        z = torch.randn_like(x1)
        loss = target_matching_loss(self._estimate(X_c), self.path, x0, x1, t, z)
        return loss / self.codes[0].square().sum()

    def transport(
        self, x: Tensor, *, sampler: str | None = None, N: int | None = None, record: bool = True
    ) -> Trajectory:
        """Carry a batch from x1 to x0 (Algorithm 2); defaults are the config's.

        Raises:
            ConfigError: no such sampler.
        """
        x1, X_c = self.split(x)
        steps = self.config.sampler_steps if N is None else N
        times = time_grid(self.config.T, self.config.t_eps, steps)
        name = sampler or self.config.sampler
        if name not in SAMPLERS:
            raise ConfigError(f"sampler must be one of {', '.join(SAMPLERS)}; found {name}")
        march = SAMPLERS[name]
        return march(self._estimate(X_c), self.path, x1, times, record)

    def probabilities(self, x: Tensor, **options: Any) -> Tensor:
        """Class probabilities of the terminal sample (Eq. 12).

        Args:
            x: (B, K+1, L).
            **options: `sampler` and `N` in place of the config's.

        Raises:
            ConfigError: another option.
        """
        if unknown := options.keys() - {"sampler", "N"}:
            raise ConfigError(f"{self.name} has no option {', '.join(sorted(unknown))}")
        trajectory = self.transport(x, record=False, **options)
        last = trajectory.estimates if self.config.readout == "estimate" else trajectory.states
        return codes.probabilities(last[-1], self.codes, self.config.temperature)

    def _estimate(self, X_c: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda x_t, t: self.network(x_t, X_c, t)
