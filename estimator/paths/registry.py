"""The schedules by name. A rival is one file, and one line here or in another package."""

from typing import TYPE_CHECKING

from gensr.estimator.registry import Registry

if TYPE_CHECKING:
    from gensr.estimator.paths.path import MeanSchedule, VarianceSchedule

MEANS: "Registry[type[MeanSchedule]]" = Registry(
    "mean schedule",
    "gensr.means",
    "gensr.estimator.paths.path:MeanSchedule",
    {
        "logistic": "gensr.estimator.paths.logistic:LogisticMean",
        "linear": "gensr.estimator.paths.linear:LinearMean",
        "ve": "gensr.estimator.paths.exponential:ExponentialMean",
        "vp": "gensr.estimator.paths.preserving:PreservingMean",
    },
)
VARIANCES: "Registry[type[VarianceSchedule]]" = Registry(
    "variance schedule",
    "gensr.variances",
    "gensr.estimator.paths.path:VarianceSchedule",
    {
        "bridge": "gensr.estimator.paths.bridge:BridgeVariance",
        "constant": "gensr.estimator.paths.constant:ConstantVariance",
        "exploding": "gensr.estimator.paths.exploding:ExplodingVariance",
    },
)
