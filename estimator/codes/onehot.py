"""A control: class i is the i-th axis."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gensr.estimator.codes.codes import Codes
from gensr.estimator.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHotCodes(Codes):
    """One-hot codes, as long as the sinusoids, sqrt(L/2), and as far apart.

    The geometry among codes is Eq. 2's; what differs is that a single dimension of the encoder's
    holds all that a class is.
    """

    name: ClassVar[str] = "onehot"

    def table(self, n_classes: int, width: int) -> Tensor:
        """See `Codes.table`."""
        if not 1 <= n_classes <= width:
            raise ConfigError(
                f"{n_classes} classes do not fit vectors of width {width}: there are {width} axes; "
                "use fewer classes or a wider encoder"
            )
        return torch.eye(n_classes, width) * math.sqrt(width / 2)
