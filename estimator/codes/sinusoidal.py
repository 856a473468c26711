"""The paper's codes, Eq. 2: class i is a sine of i + 1 cycles over the width.

Every code has norm sqrt(L/2), and every two are sqrt(L) apart.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gensr.estimator.codes.codes import Codes
from gensr.estimator.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class SinusoidalCodes(Codes):
    """Sinusoidal taxonomy encoding (Eq. 2)."""

    name: ClassVar[str] = "sinusoidal"

    def table(self, n_classes: int, width: int) -> Tensor:
        """See `Codes.table`."""
        return sinusoidal_codes(n_classes, width)


def max_classes(width: int) -> int:
    """Largest number of classes whose sinusoidal codes of `width` are mutually orthogonal.

    Code m has m cycles over the width. Beyond (L-1)/2 cycles a sampled sine is zero (m = L/2)
    or the negative of an earlier one (m and L-m), so orthogonality ends there.

    >>> max_classes(1024)
    511
    """
    return (width - 1) // 2


def sinusoidal_codes(n_classes: int, width: int) -> Tensor:
    """Sinusoidal taxonomy encoding x0(b) = sin(2 pi l (i_b + 1) / L), l = 0 .. L-1 (Eq. 2).

    The phase is reduced in integers, (l m) mod L, before the sine is taken: in fp32, at L = 1024,
    the largest inner product of two codes then drops from 3.1e-5 to 2.1e-8 of L/2.

    Args:
        n_classes: C, at least 1 and at most `max_classes(width)`.
        width: L, the encoder's width.

    Returns:
        (C, L) float32, row i is the code of the class of index i.

    Raises:
        ConfigError: more classes than the width has orthogonal codes for.
    """
    limit = max_classes(width)
    if not 1 <= n_classes <= limit:
        raise ConfigError(
            f"{n_classes} classes do not fit vectors of width {width}: sinusoidal codes are "
            f"orthogonal for 1 to {limit} classes (Eq. 2); use fewer classes or a wider encoder"
        )
    length = torch.arange(width)
    cycles = torch.arange(1, n_classes + 1)
    phase = (cycles[:, None] * length[None, :]) % width  # (C, L), exact
    return torch.sin(phase.double() * (2 * math.pi / width)).float()
