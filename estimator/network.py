"""The target estimator x_theta(x_t, X_c, t) of section 2.5, in one file.

Shapes: B batch, K conditioning layers, L encoder width, H hidden width, D width of stage one.

Three stages: a learnable weighted sum of X_c (`inputs.py`, with its rivals); a linear layer on
concat(x_t, x_c); a stack of transformer blocks into which t enters through adaptive RMS-norm.
With the paper's sizes
(L = H = 1024, depth 4, 16 heads, K = 24) this design has 71,359,512 parameters, consistent
with the paper's 71.4 M; the count does not identify the design, so it is one reading of it.

An utterance is one vector, so the transformer sees a sequence of one token, and softmax over
one key is 1: self-attention is exactly W_O(W_V h + b_V) + b_O. No gradient can reach a query or a
key, and no answer depends on one: they are counted, by `count_parameters`, and are nowhere.
(Feeding (B, L) to a stock encoder layer would make the batch a sequence: wrong.)

Nothing here draws: dropout multiplies by a mask that it is given, so that a step is a function of
its tensors, which can be captured, batched over models, and repeated.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError
from gensr.estimator.inputs import InputsConfig, make_fusion
from gensr.estimator.ranges import check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Sizes of the estimator; `paper()` gives the paper's."""

    hidden: int | None = 128
    """H, width of the transformer; None is the encoder's own L without an output layer (paper)."""
    depth: int = 2
    """Transformer blocks; the paper has 4."""
    heads: int = 4
    """Attention heads; the paper has 16."""
    dropout: float = 0.1
    """Dropout after each sub-layer and on the input, in [0, 1). Ours; the paper states none."""

    def __post_init__(self) -> None:
        check_range("depth", self.depth, least=1, most=100)
        check_range("heads", self.heads, least=1, most=1000)
        check_range("dropout", self.dropout, least=0, below=1)
        if self.hidden is not None:
            check_range("hidden", self.hidden, least=2, most=16_384)
            if self.hidden % self.heads:
                raise ConfigError(
                    f"hidden ({self.hidden}) must be a multiple of {self.heads} heads"
                )

    @classmethod
    def small(cls) -> "NetworkConfig":
        """Two layers of width 64, for two CPU cores (docs/results/study.md)."""
        return cls(hidden=64)

    @classmethod
    def paper(cls) -> "NetworkConfig":
        """Four layers as wide as the encoder, 16 heads (section 3.2)."""
        return cls(hidden=None, depth=4, heads=16, dropout=0.0)


class TimeEmbedding(nn.Module):
    """t in [0, 1] as H features: sines and cosines of 1000 t, then a two-layer SiLU network."""

    frequencies: Tensor

    def __init__(self, H: int) -> None:
        super().__init__()
        half = H // 2
        scale = torch.exp(-math.log(10_000) * torch.arange(half) / half)
        self.register_buffer("frequencies", 1000 * scale, persistent=False)
        self.layers = nn.Sequential(nn.Linear(2 * half, H), nn.SiLU(), nn.Linear(H, H))

    def forward(self, t: Tensor) -> Tensor:
        """t: (B,) -> (B, H)."""
        angle = t[:, None] * self.frequencies
        out: Tensor = self.layers(torch.cat([angle.cos(), angle.sin()], -1))
        return out


class AdaptiveRMSNorm(nn.Module):
    """rms(h)(1 + gamma(t)) + beta(t), gamma and beta linear in the time embedding, zero at first.

    The adaptive norm of DiT (Peebles and Xie 2023) on an RMS norm, without gates.
    """

    is_norm = True
    """Its weights do not decay."""

    def __init__(self, H: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(H, 2 * H)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, h: Tensor, time: Tensor) -> Tensor:
        """h: (B, H), time: (B, H), or (1, H) for all, behind its SiLU -> (B, H)."""
        gamma, beta = self.modulation(time).chunk(2, -1)
        return torch.addcmul(beta, F.rms_norm(h, h.shape[-1:]), 1 + gamma)


class OneTokenAttention(nn.Module):
    """Multi-head self-attention over a sequence of one token, by the exact shortcut."""

    def __init__(self, H: int) -> None:
        super().__init__()
        self.value, self.out = nn.Linear(H, H), nn.Linear(H, H)
        self.dead = 2 * (H * H + H)
        """Parameters of the query and the key, which one token does not have."""

    def forward(self, h: Tensor) -> Tensor:
        """h: (B, H), one token each -> (B, H)."""
        out: Tensor = self.out(self.value(h))
        return out


class Block(nn.Module):
    """One transformer layer: attention and a GELU network of 4H, each behind its adaptive norm."""

    def __init__(self, H: int) -> None:
        super().__init__()
        self.norm_attention, self.norm_mlp = AdaptiveRMSNorm(H), AdaptiveRMSNorm(H)
        self.attention = OneTokenAttention(H)
        self.mlp = nn.Sequential(nn.Linear(H, 4 * H), nn.GELU(), nn.Linear(4 * H, H))

    def forward(self, h: Tensor, time: Tensor, kept: Sequence[Tensor] | None = None) -> Tensor:
        """h: (B, H), time: (B, H) or (1, H), masks for both sub-layers (B, H) -> (B, H)."""
        added: Tensor = self.attention(self.norm_attention(h, time))
        h = h + added if kept is None else torch.addcmul(h, added, kept[0])
        added = self.mlp(self.norm_mlp(h, time))
        return h + added if kept is None else torch.addcmul(h, added, kept[1])


class TargetEstimator(nn.Module):
    """x_theta(x_t, X_c, t): the network that estimates x0.

    Args:
        K: conditioning layers, 0 or more.
        L: width of the encoder and of the codes.
        config: sizes.
        inputs: how the layers reach it; None is the paper's sum.
    """

    def __init__(
        self, K: int, L: int, config: NetworkConfig, inputs: InputsConfig | None = None
    ) -> None:
        super().__init__()
        H = config.hidden or L
        if H % config.heads:
            raise ConfigError(f"width {H} is not a multiple of {config.heads} heads")
        self.config = config
        self.L = L
        self.fusion = make_fusion(K, L, inputs or InputsConfig())
        self.project = nn.Linear(L + self.fusion.size, H)
        self.time = TimeEmbedding(H)
        self.blocks = nn.ModuleList(Block(H) for _ in range(config.depth))
        self.head = nn.Identity() if config.hidden is None else nn.Linear(H, L)
        self._masks = [L, self.fusion.size, *[H] * (2 * config.depth)]

    def draw(self, B: int) -> Tensor | None:
        """What dropout keeps of a batch, (B, widths of all masks) of 0 or 1/(1-p); None at p = 0.

        By torch's generator of the device that the network is on.
        """
        return draw_kept(B, sum(self._masks), self.config.dropout, self.project.weight.device)

    def forward(
        self,
        x_t: Tensor,
        X_c: Tensor,
        t: Tensor,
        kept: Tensor | None = None,
        counts: Tensor | None = None,
    ) -> Tensor:
        """Estimate x0.

        Args:
            x_t: (B, L) perturbed sample.
            X_c: (B, K, L) conditioning layers, or what else `fusion.of` gives.
            t: (B,) times in [0, 1].
            kept: what `draw` gave, in training.
            counts: what `fusion.draw` gave, in training.

        Returns:
            (B, L).
        """
        masks = None if kept is None else torch.split(kept, self._masks, -1)
        x_c = self.fusion(X_c, counts)
        if masks is not None:
            x_t, x_c = x_t * masks[0], x_c * masks[1]
        h = self.project(torch.cat([x_t, x_c], -1))  # (B, L + D) -> (B, H)
        return self._through(h, t, None if masks is None else masks[2:])

    def condition(self, X_c: Tensor) -> Tensor:
        """What X_c brings to the first sum, once for all steps of a sampler.

        Args:
            X_c: (B, K, L), or what else `fusion.of` gives.

        Returns:
            (B, H), for `estimate`.
        """
        return F.linear(self.fusion(X_c), self.project.weight[:, self.L :], self.project.bias)

    def estimate(self, x_t: Tensor, condition: Tensor, t: Tensor) -> Tensor:
        """`forward` behind `condition`: what depends on t alone is computed once for the batch.

        Args:
            x_t: (B, L).
            condition: (B, H).
            t: (1,), the time of all.

        Returns:
            (B, L).
        """
        return self._through(condition + F.linear(x_t, self.project.weight[:, : self.L]), t)

    def _through(self, h: Tensor, t: Tensor, masks: Sequence[Tensor] | None = None) -> Tensor:
        """h: (B, H), t: (B,) or (1,) -> (B, L)."""
        h = h.float()  # sums and norms stay float32 where products are in bfloat16
        time = F.silu(self.time(t))
        for i, block in enumerate(self.blocks):
            h = block(h, time, None if masks is None else masks[2 * i : 2 * i + 2])
        out: Tensor = self.head(h)
        return out


def draw_kept(B: int, width: int, p: float, device: torch.device) -> Tensor | None:
    """A mask of dropout (B, width): 0 with probability p, else the inverse of what is kept.

    By torch's generator. Sixteen bits a number, so p is met to 2^-17, and at a quarter of the price
    of a float each: on a CPU drawing them was a tenth of a small model's step. None at p = 0.
    """
    dropped = round(p * 2**16)
    if not dropped:
        return None
    bits = torch.empty(-(-B * width // 4), dtype=torch.int64, device=device)
    numbers = bits.random_(-(2**63), None).view(torch.int16)[: B * width].view(B, width)
    kept = numbers >= min(dropped, 2**16 - 1) - 2**15
    return kept.float().mul_(2**16 / (2**16 - dropped))


def count_parameters(module: nn.Module) -> int:
    """Number of parameters of a design, the dead ones of one-token attention included."""
    dead = sum(each.dead for each in module.modules() if isinstance(each, OneTokenAttention))
    return dead + sum(p.numel() for p in module.parameters())
