"""A control: orthogonal codes in directions drawn at random."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gensr.estimator.codes.codes import Codes
from gensr.estimator.errors import ConfigError
from gensr.estimator.ranges import check_range
from gensr.estimator.seeds import mix_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomOrthogonalCodes(Codes):
    """C orthogonal directions, uniformly at random, sqrt(L/2) long: Eq. 2's geometry, turned.

    A setting's seed and not the training's: all folds and seeds of a run have the same codes, as
    they have the same sinusoids.
    """

    name: ClassVar[str] = "random-orthogonal"
    kept: ClassVar[bool] = True

    seed: int = 0
    """Of the directions."""

    def __post_init__(self) -> None:
        check_range("seed", self.seed, least=0, most=2**53)

    def table(self, n_classes: int, width: int) -> Tensor:
        """See `Codes.table`; the first factor of a normal matrix, of which the signs are mended.

        QR alone is uniform up to signs (Mezzadri 2007).
        """
        if not 1 <= n_classes <= width:
            raise ConfigError(
                f"{n_classes} classes do not fit vectors of width {width}: no more than {width} "
                "directions are orthogonal; use fewer classes or a wider encoder"
            )
        generator = torch.Generator().manual_seed(mix_seed(self.seed, "codes", ""))
        drawn = torch.randn(width, n_classes, generator=generator, dtype=torch.float64)
        q, r = torch.linalg.qr(drawn)
        turned: Tensor = (q * r.diagonal().sign()).T * math.sqrt(width / 2)
        return turned.float().contiguous()
