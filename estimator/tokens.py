"""The estimator over one token per layer, where attention has something to attend to.

The paper's sequence is one token, over which attention is a matrix and queries and keys are dead
(`network.py`). Here x_t is one token and every layer, x1 among them, is another: queries and keys
live, and which layers count is decided clip by clip. The answer is read at the token of x_t.

A layer's score s_k is a prior of the attention, softmax(q k / sqrt(d) + log s_k): where queries
and keys say nothing, layers are averaged by their scores. The token of x_t counts as all of them.

Shapes: B batch, K conditioning layers, S = K+2 tokens, L encoder width, H hidden width, A heads.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError
from gensr.estimator.inputs import Fusion, InputsConfig
from gensr.estimator.network import (
    AdaptiveRMSNorm,
    NetworkConfig,
    TargetEstimator,
    TimeEmbedding,
    draw_kept,
)


class LayerTokens(Fusion):
    """A token each: the same linear map of every layer, and which one it is."""

    def __init__(self, layers: int, L: int, H: int, config: InputsConfig) -> None:
        super().__init__(layers, config)
        self.size = layers * L
        self.map = nn.Linear(L, H)
        self.place = nn.Parameter(0.02 * torch.randn(layers, H))
        equal = torch.full((layers,), 1 / layers)
        self.register_buffer("equal", equal, persistent=False)

    def usual(self) -> Tensor:
        """s_k. See `Fusion.usual`."""
        s: Tensor = self.scores if self.config.layers == "auto" else self.equal  # type: ignore[assignment]
        return s

    def forward(self, X: Tensor, counts: Tensor | None = None) -> Tensor:
        """X: (B, K+1, L) -> (B, K+1, H); what a layer counts is for attention to know."""
        out: Tensor = self.map(X) + self.place
        return out


class TokenAttention(nn.Module):
    """Multi-head self-attention with a prior over keys."""

    def __init__(self, H: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inner, self.out = nn.Linear(H, 3 * H), nn.Linear(H, H)

    def forward(self, h: Tensor, prior: Tensor) -> Tensor:
        """h: (B, S, H), prior: (B, S) log weights, or (1, S) for all -> (B, S, H)."""
        q, k, v = (  # (B, A, S, H/A) each
            each.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for each in self.inner(h).chunk(3, -1)
        )
        scores = q @ k.mT / math.sqrt(q.shape[-1]) + prior[:, None, None, :]
        mixed = scores.float().softmax(-1).to(v.dtype) @ v
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


class TokenBlock(nn.Module):
    """One transformer layer over tokens, otherwise as `network.Block`."""

    def __init__(self, H: int, heads: int) -> None:
        super().__init__()
        self.norm_attention, self.norm_mlp = AdaptiveRMSNorm(H), AdaptiveRMSNorm(H)
        self.attention = TokenAttention(H, heads)
        self.mlp = nn.Sequential(nn.Linear(H, 4 * H), nn.GELU(), nn.Linear(4 * H, H))

    def forward(
        self, h: Tensor, time: Tensor, prior: Tensor, kept: Sequence[Tensor] | None = None
    ) -> Tensor:
        """h: (B, S, H), time: (B, 1, H), masks for both sub-layers (B, S, H) -> (B, S, H)."""
        added: Tensor = self.attention(self.norm_attention(h, time), prior)
        h = h + (added if kept is None else added * kept[0])
        added = self.mlp(self.norm_mlp(h, time))
        return h + (added if kept is None else added * kept[1])


class TokenEstimator(nn.Module):
    """x_theta(x_t, X, t) over tokens; its methods are those of `TargetEstimator`.

    Args:
        K: conditioning layers, 0 or more.
        L: width of the encoder and of the codes.
        config: sizes.
        inputs: what is said of the layers.
    """

    def __init__(self, K: int, L: int, config: NetworkConfig, inputs: InputsConfig) -> None:
        super().__init__()
        H = config.hidden or L
        if H % config.heads:
            raise ConfigError(f"width {H} is not a multiple of {config.heads} heads")
        self.config = config
        self.H, self.S = H, K + 2
        self.fusion = LayerTokens(K + 1, L, H, inputs)
        self.project = nn.Linear(L, H)
        self.time = TimeEmbedding(H)
        self.blocks = nn.ModuleList(TokenBlock(H, config.heads) for _ in range(config.depth))
        self.head = nn.Identity() if config.hidden is None else nn.Linear(H, L)
        self._masks = [L, self.fusion.size, *[self.S * H] * (2 * config.depth)]

    def draw(self, B: int) -> Tensor | None:
        """What dropout keeps of a batch. See `TargetEstimator.draw`."""
        return draw_kept(B, sum(self._masks), self.config.dropout, self.project.weight.device)

    def forward(
        self,
        x_t: Tensor,
        X: Tensor,
        t: Tensor,
        kept: Tensor | None = None,
        counts: Tensor | None = None,
    ) -> Tensor:
        """Estimate x0 (B, L). See `TargetEstimator.forward`; X is (B, K+1, L), x1 last."""
        masks = None if kept is None else torch.split(kept, self._masks, -1)
        if masks is not None:
            x_t, X = x_t * masks[0], X * torch.unflatten(masks[1], -1, X.shape[1:])
        rest = (
            None if masks is None else [torch.unflatten(m, -1, (self.S, self.H)) for m in masks[2:]]
        )
        tokens = torch.cat([self.project(x_t)[:, None], self.fusion(X)], 1)  # (B, S, H)
        return self._through(tokens, t, counts, rest)

    def condition(self, X: Tensor) -> Tensor:
        """The tokens of the layers, once for all steps of a sampler, (B, (K+1) H)."""
        tokens: Tensor = self.fusion(X)
        return tokens.flatten(1)

    def estimate(self, x_t: Tensor, condition: Tensor, t: Tensor) -> Tensor:
        """`forward` behind `condition`, (B, L). See `TargetEstimator.estimate`."""
        layers = torch.unflatten(condition, -1, (self.S - 1, self.H))
        return self._through(torch.cat([self.project(x_t)[:, None], layers], 1), t)

    def _through(
        self,
        h: Tensor,
        t: Tensor,
        counts: Tensor | None = None,
        masks: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """h: (B, S, H), t: (B,) or (1,) -> (B, L)."""
        h = h.float()
        time = F.silu(self.time(t))[:, None]
        counts = self.fusion.usual()[None] if counts is None else counts
        # A layer that is dropped counts nothing: its key is out of reach.
        prior = F.pad(counts.log().clamp(min=-1e4), (1, 0))
        for i, block in enumerate(self.blocks):
            h = block(h, time, prior, None if masks is None else masks[2 * i : 2 * i + 2])
        out: Tensor = self.head(h[:, 0])
        return out


def make_estimator(
    K: int, L: int, config: NetworkConfig, inputs: InputsConfig
) -> TargetEstimator | TokenEstimator:
    """The estimator of one token, or of one per layer."""
    if inputs.way == "tokens":
        return TokenEstimator(K, L, config, inputs)
    return TargetEstimator(K, L, config, inputs)
