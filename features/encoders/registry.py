"""The encoders by name. Another is one file, and one line here or in another package.

Those of the hub, and folders like theirs, need none: see load.py.
"""

from typing import TYPE_CHECKING

from gensr.estimator.registry import Registry

if TYPE_CHECKING:
    from gensr.features.encoders.base import Encoder

ENCODERS: "Registry[type[Encoder]]" = Registry(
    "encoder",
    "gensr.encoders",
    "gensr.features.encoders.base:Encoder",
    {"fbank": "gensr.features.encoders.fbank:Fbank"},
)
