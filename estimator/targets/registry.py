"""The targets by name. A rival is one file, and one line here or in another package."""

from typing import TYPE_CHECKING

from gensr.estimator.registry import Registry

if TYPE_CHECKING:
    from gensr.estimator.targets.target import Target

TARGETS: "Registry[type[Target]]" = Registry(
    "target",
    "gensr.targets",
    "gensr.estimator.targets.target:Target",
    {
        "x0": "gensr.estimator.targets.x0:X0Target",
        "flow": "gensr.estimator.targets.flow:FlowTarget",
        "score": "gensr.estimator.targets.score:ScoreTarget",
    },
)
