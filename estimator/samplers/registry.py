"""The samplers by name. A rival is one file, and one line here or in another package."""

from typing import TYPE_CHECKING

from gensr.estimator.registry import Registry

if TYPE_CHECKING:
    from gensr.estimator.samplers.sampler import Sampler

SAMPLERS: "Registry[Sampler]" = Registry(
    "sampler",
    "gensr.samplers",
    None,
    {
        "euler": "gensr.estimator.samplers.euler:euler",
        "exact": "gensr.estimator.samplers.exact:exact",
        "heun": "gensr.estimator.samplers.heun:heun",
    },
)
