"""Closed form, no transport: the optimum of Eq. 8 at t = T, by kernel ridge onto the codes.

At t = T the state is speech, so the estimate that minimises Eq. 8 there is the posterior mean of
the code given speech. A network is trained to find it; kernel ridge has it at once:

    x0_hat = codes^T [ybar + k (K + lambda I)^-1 (Y - ybar)]

with the arc-cosine kernel (kernels.py) of rows sqrt(s_k) x_k of all layers, concatenated and at
unit norm, s_k the score of layer k (layers.py). What it answers is read as Gen-SER's estimate is
(codes.py). It is the control that any gain of a path must beat.

Penalty and temperature are chosen on clips that inner folds held out, the first by Eq. 8, the
second by the Brier score. The scores of the layers are those of the whole training part in every
inner fold: K numbers that have seen its labels, never the test's. Where there are no inner folds
(groups unknown, one speaker) layers count alike, lambda is 0.03 and the temperature 0.5.

Shapes: B batch, N clips, M centres, K+1 layers, x1 last, L width, C classes.
"""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gensr.estimator.codes.codes import Codes, class_probabilities
from gensr.estimator.codes.registry import CODES
from gensr.estimator.codes.sinusoidal import SinusoidalCodes
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.fitting import Fitting
from gensr.estimator.inner import inner_folds
from gensr.estimator.kernels import MOST, arc_cosine, held, unit_rows
from gensr.estimator.layers import layer_scores
from gensr.estimator.models.fitted import Fitted
from gensr.estimator.ranges import check_range
from gensr.estimator.ridge import Exact, Nystroem, Ridge
from gensr.estimator.seeds import mix_seed
from gensr.estimator.source import Scale, Source

PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""To choose from, the plainest first."""
TEMPERATURES = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFormConfig:
    """Settings of `closed-form`; ours."""

    codes: Annotated[Codes, CODES] = field(default_factory=SinusoidalCodes)
    """Codes of the classes (Eq. 2)."""
    layers: str = "scored"
    """How much each layer counts: `scored` by a quick ridge on inner folds, or all `alike`."""
    penalty: float | None = None
    """lambda; None: chosen by inner folds."""
    temperature: float | None = None
    """Divides the class scores before they are put on the simplex; None: chosen by inner folds."""
    landmarks: int = 3000
    """Clips up to which the ridge is exact; of more, so many are drawn as landmarks (Nystroem).
    The model keeps them: 4 (K+1) L bytes each."""
    standardize: bool = True
    """Standardise each layer and dimension by the training part."""

    def __post_init__(self) -> None:
        if self.layers not in ("scored", "alike"):
            raise ConfigError(f"layers must be scored or alike; found {self.layers!r}")
        if self.penalty is not None:
            check_range("penalty", self.penalty, least=1e-6, most=1e6)
        if self.temperature is not None:
            check_range("temperature", self.temperature, least=1e-6, most=1e6)
        check_range("landmarks", self.landmarks, least=1, most=MOST)


class ClosedForm(Fitted):
    """Kernel ridge onto the codes; the nearest code is the answer."""

    name = "closed-form"
    Config = ClosedFormConfig
    config: ClosedFormConfig
    needs: ClassVar = (frozenset({"centres", "a", "offset", "layers", "penalty", "temperature"}),)

    def __init__(self, n_classes: int, layers: int, width: int, config: ClosedFormConfig) -> None:
        super().__init__(n_classes, layers, width, config)
        self.codes = config.codes.table(n_classes, width)
        self.reader = config.codes.reader(n_classes, width)

    def learn(self, train: Source, scale: Scale | None, how: Fitting) -> dict[str, Tensor]:
        """See `Fitted.learn`.

        Raises:
            RunError: a vector is not finite.
        """
        folds = inner_folds(train, seed=how.seed)
        scores = torch.full((self.layers,), 1 / self.layers)
        if self.config.layers == "scored":
            scores = layer_scores(train, self.codes, how.seed)
        ridge = self._ridge(train, scale, scores, folds, how.seed)
        penalty, temperature = self._chosen(ridge, train.y, bool(folds))
        found = ridge.solved(penalty)
        return {
            "centres": ridge.centres,
            "a": found.a,
            "offset": found.offset,
            "layers": scores,
            "penalty": torch.tensor(penalty),
            "temperature": torch.tensor(temperature),
        }

    def answers(self, x: Tensor) -> Tensor:
        """Class probabilities of the estimate (Eq. 12). See `Fitted.answers`."""
        temperature = float(self.arrays["temperature"])
        return class_probabilities(self.estimate(x), self.codes.to(x), self.reader, temperature)

    def estimate(self, x: Tensor) -> Tensor:
        """x0_hat (B, L) of x (B, K+1, L), scaled."""
        k = arc_cosine(unit_rows(x, self.arrays["layers"]), self.arrays["centres"])  # (B, M)
        y_hat = self.arrays["offset"] + k @ self.arrays["a"]
        return y_hat.float() @ self.codes.to(x)

    def _ridge(
        self,
        train: Source,
        scale: Scale | None,
        scores: Tensor,
        folds: list[tuple[Tensor, Tensor]],
        seed: int,
    ) -> Ridge:
        """The regression, exact where clips are few enough."""

        def rows_of(x: Tensor) -> Tensor:
            rows = unit_rows(x.cpu(), scores)
            if not rows.isfinite().all():
                raise RunError(
                    f"{self.name}: a vector to learn from is not finite; extract it anew"
                )
            return rows

        if len(train) <= self.config.landmarks:
            rows = rows_of(held(train, scale))
            return Exact(rows, train.y, self.n_classes, arc_cosine, folds)
        generator = torch.Generator().manual_seed(mix_seed(seed, "landmarks", ""))
        drawn = torch.randperm(len(train), generator=generator)[: self.config.landmarks]
        landmarks = drawn.sort().values
        blocks = train.blocks() if scale is None else map(scale, train.blocks())
        centres = train.batch(landmarks)
        return Nystroem(
            landmarks,
            rows_of(centres if scale is None else scale(centres)),
            map(rows_of, blocks),
            train.y,
            self.n_classes,
            arc_cosine,
            folds,
        )

    def _chosen(self, ridge: Ridge, y: Tensor, folds: bool) -> tuple[float, float]:
        """Penalty and temperature: as given, or by what was held out."""
        penalty, temperature = self.config.penalty, self.config.temperature
        if not folds:
            return penalty or 0.03, temperature or 0.5
        truth = y[ridge.asked]
        codes = self.codes.double()
        given = PENALTIES if penalty is None else (penalty,)
        estimates = {value: ridge.held_out(value) @ codes for value in given}

        def eq8(value: float) -> float:
            return float((estimates[value] - codes[truth]).square().sum())

        penalty = min(given, key=eq8)
        targets = F.one_hot(truth, self.n_classes)

        def brier(value: float) -> float:
            p = class_probabilities(estimates[penalty], self.codes, self.reader, value)
            return float((p - targets).square().sum())

        return penalty, temperature or min(TEMPERATURES, key=brier)
