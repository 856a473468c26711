"""How the layers of a clip reach a network: stage one of section 2.5, and its rivals.

    sum      x_c = sum_k w_k x_k over X_c, w learnt from 1/K on (paper)
    concat   sqrt(s_k) x_k of all layers, x1 among them, side by side
    tokens   a token each, so that attention has something to attend to (`tokens.py`)
    one      the layer with the best score, or the one that is named

The scores s_k are equal, or of inner folds of the training part (`layers.py`), and then fixed.
Weights of a sum hardly leave 1/K in some hundred steps, though they do not decay: they have a
rate of their own here, and begin at the scores where there are such.

What differs between the clips of a step, or between models trained as one program, is a tensor of
`draw`: layers that are dropped whole, and scores.

Shapes: B batch, K conditioning layers, L width, D width of what is handed on.
"""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gensr.estimator.errors import ConfigError
from gensr.estimator.layers import layer_scores
from gensr.estimator.ranges import check_range
from gensr.estimator.source import Source

WAYS = ("sum", "concat", "tokens", "one")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputsConfig:
    """How layers reach the network."""

    way: str = "sum"
    """`sum` (paper), `concat`, `tokens` or `one`."""
    layers: str = "alike"
    """`alike`: all that are read count alike at first; `auto`: by scores of inner folds of the
    training part. Without groups or with one, scores are equal. Ours."""
    layer: int | None = None
    """Which of the layers that are read is the `one`, from 0, x1 last; None: of the best score,
    so with `layers = auto`."""
    rate: float = 1.0
    """Learning rate of the weights of a `sum`, over that of all else. Ours."""
    dropout: float = 0.0
    """Share of the conditioning layers that a clip is shown without, at each step, in [0, 1).
    Ours."""

    @classmethod
    def small(cls) -> "InputsConfig":
        """All layers side by side, by their scores (docs/results/study.md)."""
        return cls(way="concat", layers="auto")

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise ConfigError(f"inputs must be one of {', '.join(WAYS)}; found {self.way!r}")
        if self.layers not in ("alike", "auto"):
            raise ConfigError(f"inputs.layers must be alike or auto; found {self.layers!r}")
        check_range("inputs.rate", self.rate, above=0, most=1e6)
        check_range("inputs.dropout", self.dropout, least=0, below=1)
        if self.way == "one":
            if (self.layer is None) == (self.layers == "alike"):
                raise ConfigError("one layer: give inputs.layer, or inputs.layers = auto, not both")
            if self.dropout:
                raise ConfigError("one layer cannot be dropped; drop inputs.dropout")
        elif self.layer is not None:
            raise ConfigError(f"inputs.layer is of the way `one`, not {self.way}; drop it")
        if self.rate != 1 and self.way != "sum":
            raise ConfigError(f"inputs.rate is of the way `sum`, not {self.way}; drop it")
        if self.layer is not None:
            check_range("inputs.layer", self.layer, least=0, most=10_000)


class Fusion(nn.Module):
    """A way of the layers into a network.

    Args:
        layers: those that it is given, x1 last where it is among them.
        config: which way.
    """

    size: int
    """D."""
    with_x1: bool = True
    """Whether x1 is among the layers that it is given."""
    scores: Tensor
    """(K+1,) where they are asked for, x1 last."""

    def __init__(self, layers: int, config: InputsConfig) -> None:
        super().__init__()
        self.config = config
        self.n = layers
        if config.layers == "auto":
            count = layers + (not self.with_x1)
            self.register_buffer("scores", torch.full((count,), 1 / count))

    def of(self, x: Tensor) -> Tensor:
        """(B, K+1, L) -> the layers that it takes."""
        return x if self.with_x1 else x[:, :-1]

    def prepare(self, train: Source, classes: int) -> None:
        """Score the layers, where the config asks for it.

        Scores depend on the training part alone: no seed, no codes and no model change them.
        """
        if self.config.layers == "auto":
            told = layer_scores(train, torch.eye(classes), seed=0)
            self.scores.copy_(told.to(self.scores.device))

    def usual(self) -> Tensor | None:
        """What each layer counts where nothing is drawn, (layers,); None: as the way has it."""
        return None

    def draw(self, B: int, device: torch.device) -> Tensor | None:
        """What each layer counts in a step, (B, layers); None where that is the same for all."""
        p, usual = self.config.dropout, self.usual()
        if not p and self.config.layers == "alike":
            return None
        if usual is None and not p:
            return None
        counts = torch.ones(self.n, device=device) if usual is None else usual
        counts = counts.repeat(B, 1)
        if p:
            counts = counts * (torch.rand(B, self.n, device=device) >= p) / (1 - p)
        return counts

    @abstractmethod
    def forward(self, X: Tensor, counts: Tensor | None = None) -> Tensor:
        """The layers (B, layers, L), and what `draw` gave -> (B, D)."""


class LayerFusion(Fusion):
    """Stage one: x_c, the weighted sum of the K conditioning layers; a learned vector if K = 0."""

    with_x1 = False

    def __init__(self, K: int, L: int, config: InputsConfig | None = None) -> None:
        super().__init__(K, config or InputsConfig())
        self.weight = nn.Parameter(torch.full((K,), 1 / K) if K else torch.zeros(L))
        self.K, self.size = K, L
        self.rate = self.config.rate

    def prepare(self, train: Source, classes: int) -> None:
        """Begin at the scores, where the config asks for them. See `Fusion.prepare`."""
        super().prepare(train, classes)
        if self.config.layers == "auto" and self.K:
            among = self.scores[:-1].clamp(min=1e-12)
            with torch.no_grad():
                self.weight.copy_(among / among.sum())

    def draw(self, B: int, device: torch.device) -> Tensor | None:
        """See `Fusion.draw`."""
        return super().draw(B, device) if self.K else None

    def forward(self, X_c: Tensor, counts: Tensor | None = None) -> Tensor:
        """X_c: (B, K, L) -> (B, L)."""
        if self.K == 0:
            alone: Tensor = self.weight.expand(len(X_c), -1)
            return alone
        if counts is not None:
            some: Tensor = torch.einsum("bk,bkl->bl", self.weight * counts, X_c)
            return some
        if torch.is_grad_enabled():
            fused: Tensor = torch.einsum("k,bkl->bl", self.weight, X_c)
            return fused
        # Forward alone a tenth of the time; with its gradient the other way is the faster one.
        return torch.matmul(self.weight, X_c)


class Concatenation(Fusion):
    """sqrt(s_k) x_k side by side: inner products are then sum_k s_k <x_k, x_k'>."""

    equal: Tensor

    def __init__(self, layers: int, L: int, config: InputsConfig) -> None:
        super().__init__(layers, config)
        self.size = layers * L
        self.register_buffer("equal", torch.full((layers,), 1 / layers), persistent=False)

    def usual(self) -> Tensor:
        """sqrt(s_k). See `Fusion.usual`."""
        s: Tensor = self.scores if self.config.layers == "auto" else self.equal
        return s.sqrt()

    def forward(self, X: Tensor, counts: Tensor | None = None) -> Tensor:
        """X: (B, K+1, L) -> (B, (K+1) L)."""
        counts = self.usual() if counts is None else counts
        return (X * counts[..., None]).flatten(1)


class OneLayer(Fusion):
    """One layer, as it is."""

    def __init__(self, layers: int, L: int, config: InputsConfig) -> None:
        super().__init__(layers, config)
        self.size = L
        if config.layer is not None and config.layer >= layers:
            raise ConfigError(
                f"inputs.layer must be one of the {layers} layers that are read, 0 to "
                f"{layers - 1}; found {config.layer}"
            )

    def usual(self) -> Tensor | None:
        """One for the layer of the best score, the first of equals. See `Fusion.usual`."""
        if self.config.layer is not None:
            return None
        return F.one_hot(self.scores.argmax(), self.n).to(self.scores)

    def forward(self, X: Tensor, counts: Tensor | None = None) -> Tensor:
        """X: (B, K+1, L) -> (B, L)."""
        if self.config.layer is not None:
            return X[:, self.config.layer]
        if counts is None:
            return X[:, int(self.scores.argmax())]
        picked: Tensor = torch.einsum("bk,bkl->bl", counts, X)
        return picked


def make_fusion(K: int, L: int, config: InputsConfig) -> Fusion:
    """The way of K conditioning layers and x1 into one vector.

    Raises:
        ConfigError: tokens are no vector, or there is no such layer.
    """
    if config.way == "sum":
        return LayerFusion(K, L, config)
    if config.way == "concat":
        return Concatenation(K + 1, L, config)
    if config.way == "one":
        return OneLayer(K + 1, L, config)
    raise ConfigError("a model without attention takes no tokens; choose sum, concat or one")
