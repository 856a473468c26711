"""A generative rival that asks every class: the diffusion classifier of Li et al. 2023.

A network learns to find the noise in a speech vector, given the class. To answer, the vector is
noised a number of times, and each class is asked for the noise: the class that finds it best is
the one whose speech this is (Li et al. 2023, "Your Diffusion Model is Secretly a Zero-Shot
Classifier"). It costs C x draws estimates a clip, where Gen-SER takes N.

The vector is x1: what a generative model of more layers would weigh them by is another question.

Shapes: B batch, D draws, L width, C classes.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from gensr.estimator.errors import ConfigError
from gensr.estimator.learner import Draws
from gensr.estimator.models.model import Model
from gensr.estimator.network import NetworkConfig, TargetEstimator
from gensr.estimator.paths.preserving import PreservingMean
from gensr.estimator.ranges import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusionClassifierConfig:
    """Settings of `diffusion-classifier`; every default is ours."""

    noise: PreservingMean = field(default_factory=PreservingMean)
    """beta(t) of the variance-preserving diffusion of x1 (Song et al. 2021), theirs."""
    t_eps: float = 0.01
    """Smallest time, in training and answers; t = 1 is noise."""
    draws: int = 64
    """Times and noises that all classes of all clips are asked with, an even number. The times are
    spread evenly, as Li et al. found best; at each one a noise is asked with both its signs, by
    which what the noise has in common with a class by chance cancels (ours)."""
    temperature: float = 1.0
    """Divides the errors before the softmax over classes."""
    standardize: bool = True
    """Standardise each layer and dimension by the training part."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes of the network, as Gen-SER's."""

    def __post_init__(self) -> None:
        check_range("t_eps", self.t_eps, above=0, below=1)
        check_range("draws", self.draws, least=2, most=10_000)
        if self.draws % 2:
            raise ConfigError(f"draws must be even (each noise has two signs), found {self.draws}")
        check_range("temperature", self.temperature, least=1e-6, most=1e6)

    @classmethod
    def small(cls) -> "DiffusionClassifierConfig":
        """Width 64, as all rivals of Gen-SER have."""
        return cls(network=NetworkConfig.small())

    @classmethod
    def paper(cls) -> "DiffusionClassifierConfig":
        """The sizes of Gen-SER's network in section 3.2."""
        return cls(network=NetworkConfig.paper())


class DiffusionClassifier(Model):
    """The class by which the noise in x1 is found best."""

    name = "diffusion-classifier"
    Config = DiffusionClassifierConfig
    config: DiffusionClassifierConfig
    stacks = True
    reads_layers = False
    asked: Tensor
    """(D / 2, L): the noises, drawn when the model is made and kept with its weights: so a clip's
    answer is the same at every call, and depends on no other clip."""

    def __init__(
        self, n_classes: int, layers: int, width: int, config: DiffusionClassifierConfig
    ) -> None:
        super().__init__(n_classes, layers, width, config)
        self.classes = nn.Parameter(torch.randn(n_classes, width))  # (C, L), in the place of x_c
        self.network = TargetEstimator(1, width, config.network)
        self.register_buffer("asked", torch.randn(config.draws // 2, width))

    def draw(self, size: int) -> Draws:
        """One t and one noise a clip, and what dropout keeps. See `Learner.draw`."""
        eps = self.config.t_eps
        t = eps + (1 - eps) * torch.rand(size, device=self.device)
        z = torch.randn(size, self.width, device=self.device)
        kept = self.network.draw(size)
        return {"t": t, "z": z} | ({} if kept is None else {"kept": kept})

    def loss(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """|z_theta(x_t, t, b) - z|^2 over L: 1 is an answer of zero. See `Learner.loss`."""
        t, z = draws["t"], draws["z"]
        found = self.network(
            self.noised(x[:, -1], t, z), self.classes[y][:, None], t, draws.get("kept")
        )
        error: Tensor = (found - z).square().mean()
        return error

    def noised(self, x1: Tensor, t: Tensor, z: Tensor) -> Tensor:
        """x_t = c x1 + sqrt(1 - c^2) z, c what the diffusion leaves of x1 at t.

        Args:
            x1: (B, L).
            t: (B,), or (1,) for all.
            z: (B, L), or (L,) for all.
        """
        left = 1 - self.config.noise.a(t)[:, None]
        return left * x1 + (1 - left.square()).sqrt() * z

    def errors(self, x: Tensor) -> Tensor:
        """Mean over draws of the squared error of the noise, by class.

        Args:
            x: (B, K+1, L), as a store has them.

        Returns:
            (B, C), sums over the width.
        """
        x1 = self.standardized(x)[:, -1]
        B, C, half = len(x1), self.n_classes, len(self.asked)
        # Of all classes at once: (B, L) -> (C * B, L), a class at a time.
        condition = self.network.condition(self.classes[:, None]).repeat_interleave(B, 0)
        # In the middle of equal parts of [t_eps, 1].
        parts = (torch.arange(half, device=x1.device) + 0.5) / half
        times = self.config.t_eps + (1 - self.config.t_eps) * parts
        total = x1.new_zeros(B, C)
        for t, noise in zip(times, self.asked, strict=True):
            for z in (noise, -noise):
                x_t = self.noised(x1, t[None], z).repeat(C, 1)
                found = self.network.estimate(x_t, condition, t[None])
                total += (found.float() - z).square().sum(-1).view(C, B).T
        return total / (2 * half)

    def probabilities(self, x: Tensor, **options: object) -> Tensor:
        """Softmax of the negative errors over the temperature (Li et al., uniform prior).

        Raises:
            ConfigError: an option; there are none.
        """
        if options:
            raise ConfigError(f"{self.name} has no option {', '.join(options)}")
        return (-self.errors(x) / self.config.temperature).softmax(-1)
