"""Codes that are learnt: a small autoencoder of the one-hot label.

Shapes: B batch, C classes, L width, H hidden width, R copies of each class.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gensr.estimator.codes.codes import Codes, Reader
from gensr.estimator.errors import ConfigError
from gensr.estimator.ranges import check_range
from gensr.estimator.seeds import mix_seed

_COPIES = 8
"""R: how often a step sees each class, with noise of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoencoderCodes(Codes):
    """The latent of an autoencoder of the label; its decoder classifies.

    As Flow-TSVAD (Chen et al. 2024) puts voice-activity labels into a latent space for flow
    matching. The encoder is two layers on the one-hot label, its output put at length sqrt(L/2), so
    that codes are as far from zero as the sinusoids and nothing else of the method changes; the
    decoder is two layers to logits. Both learn by the cross-entropy of labels from noisy codes,
    without which codes would be anywhere and the decoder know nothing between them. They learn in
    float64, from a seed of their own, before the network does, and are saved with its weights.

    Codes are neither orthogonal nor equally far apart. The sizes are ours.
    """

    name: ClassVar[str] = "autoencoder"
    kept: ClassVar[bool] = True

    seed: int = 0
    """Of the autoencoder; all folds and seeds of a run share it, as they share the sinusoids."""
    hidden: int = 32
    """H of encoder and decoder."""
    noise: float = 1.0
    """Standard deviation of what is added to each number of a code while it is learnt."""
    steps: int = 200
    """Steps of Adam, on eight noisy copies of every class."""
    learning_rate: float = 1e-2
    """Of Adam."""

    def __post_init__(self) -> None:
        check_range("seed", self.seed, least=0, most=2**53)
        check_range("hidden", self.hidden, least=1, most=16_384)
        check_range("noise", self.noise, least=0, most=1e3)
        check_range("steps", self.steps, least=1, most=1_000_000)
        check_range("learning_rate", self.learning_rate, above=0, most=1)

    def table(self, n_classes: int, width: int) -> Tensor:
        """See `Codes.table`; of one norm, not orthogonal."""
        return _learnt(self, n_classes, width)[0].clone()

    def reader(self, n_classes: int, width: int) -> Reader:
        """The decoder. See `Codes.reader`."""
        decoder = Decoder(n_classes, width, self.hidden)
        decoder.load_state_dict(_learnt(self, n_classes, width)[1])
        return decoder


class Decoder(Reader):
    """Logits of a point, from two layers that nothing trains any more."""

    def __init__(self, C: int, L: int, H: int) -> None:
        super().__init__()
        sizes = {"inner": (H, L), "inner_bias": (H,), "outer": (C, H), "outer_bias": (C,)}
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size))

    inner: Tensor
    inner_bias: Tensor
    outer: Tensor
    outer_bias: Tensor

    def logits(self, x0_hat: Tensor) -> Tensor:
        """See `Reader.logits`."""
        return _decoded(x0_hat, self.inner, self.inner_bias, self.outer, self.outer_bias)


def _decoded(x: Tensor, inner: Tensor, b: Tensor, outer: Tensor, c: Tensor) -> Tensor:
    """(B, L) -> (B, C)."""
    return F.linear(F.silu(F.linear(x, inner, b)), outer, c)


@lru_cache(maxsize=32)
def _learnt(config: AutoencoderCodes, C: int, L: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Codes (C, L) and the decoder's weights.

    Raises:
        ConfigError: the decoder does not know every code.
    """
    H = config.hidden
    generator = torch.Generator().manual_seed(mix_seed(config.seed, "autoencoder", f"{C}x{L}"))
    # Also where a model is built under `inference_mode`, as by who only asks it.
    with torch.inference_mode(False), torch.enable_grad():
        sizes = [(C, H), (H,), (H, L), (L,), (H, L), (H,), (C, H), (C,)]
        weights = [_drawn(size, generator) for size in sizes]
        adam = torch.optim.Adam(weights, lr=config.learning_rate)
        labels = torch.arange(C).repeat(_COPIES)

        def codes() -> Tensor:
            hidden = F.silu(weights[0] + weights[1])  # of the one-hot label: a row for each class
            return F.normalize(hidden @ weights[2] + weights[3], dim=-1) * math.sqrt(L / 2)

        for _ in range(config.steps):
            noise = torch.randn(len(labels), L, generator=generator, dtype=torch.float64)
            loss = F.cross_entropy(
                _decoded(codes()[labels] + config.noise * noise, *weights[4:]), labels
            )
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
        found = codes().detach()
        known = _decoded(found, *weights[4:]).argmax(-1)
    if not torch.equal(known, torch.arange(C)):
        raise ConfigError(
            f"the autoencoder of {C} classes does not know its own codes after {config.steps} "
            "steps; raise steps or hidden of its codes, or lower noise"
        )
    names = ("inner", "inner_bias", "outer", "outer_bias")
    decoder = {name: w.detach().float() for name, w in zip(names, weights[4:], strict=True)}
    return found.float(), decoder


def _drawn(size: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """A matrix of unit gain, or a bias of zero, to be learnt."""
    if len(size) == 1:
        return torch.zeros(size, dtype=torch.float64, requires_grad=True)
    drawn = torch.randn(size, generator=generator, dtype=torch.float64)
    return nn.Parameter(drawn / math.sqrt(size[-1]))
