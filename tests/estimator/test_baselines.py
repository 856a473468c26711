"""The controls as models."""

from support.contracts.model import ModelContract


class TestLinear(ModelContract):
    model = "linear"


class TestTransformerCE(ModelContract):
    model = "transformer-ce"
    options = {"network": {"hidden": 32, "depth": 1, "heads": 2, "dropout": 0.1}}
