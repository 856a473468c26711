"""The codes by name. A rival is one file, and one line here or in another package."""

from typing import TYPE_CHECKING

from gensr.estimator.registry import Registry

if TYPE_CHECKING:
    from gensr.estimator.codes.codes import Codes

CODES: "Registry[type[Codes]]" = Registry(
    "code",
    "gensr.codes",
    "gensr.estimator.codes.codes:Codes",
    {
        "sinusoidal": "gensr.estimator.codes.sinusoidal:SinusoidalCodes",
        "onehot": "gensr.estimator.codes.onehot:OneHotCodes",
        "random-orthogonal": "gensr.estimator.codes.random_orthogonal:RandomOrthogonalCodes",
        "autoencoder": "gensr.estimator.codes.autoencoder:AutoencoderCodes",
    },
)
