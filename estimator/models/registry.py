"""The models by name. A rival is one file, and one line here or in another package."""

from typing import TYPE_CHECKING

from gensr.estimator.registry import Registry

if TYPE_CHECKING:
    from gensr.estimator.models.classifier import Classifier

MODELS: "Registry[type[Classifier]]" = Registry(
    "model",
    "gensr.models",
    "gensr.estimator.models.classifier:Classifier",
    {
        "gen-ser": "gensr.estimator.models.gen_ser:GenSER",
        "linear": "gensr.estimator.models.linear:Linear",
        "mlp": "gensr.estimator.models.mlp:MLP",
        "transformer-ce": "gensr.estimator.models.transformer_ce:TransformerCE",
        "transformer-mse": "gensr.estimator.models.transformer_mse:TransformerMSE",
        "diffusion-classifier": "gensr.estimator.models.diffusion_classifier:DiffusionClassifier",
        "svm": "gensr.estimator.models.svm:Svm",
        "logreg": "gensr.estimator.models.logreg:Logreg",
        "closed-form": "gensr.estimator.models.closed_form:ClosedForm",
    },
)
