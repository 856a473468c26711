"""The controls as models."""

from support.contracts.model import ModelContract


class TestLinear(ModelContract):
    model = "linear"


class TestTransformerCE(ModelContract):
    model = "transformer-ce"
    options = {"network": {"hidden": 32, "depth": 1, "heads": 2, "dropout": 0.1}}


class TestMLP(ModelContract):
    model = "mlp"
    options = {"hidden": 32}


TINY = {"hidden": 32, "depth": 1, "heads": 2, "dropout": 0.1}


class TestTransformerMSE(ModelContract):
    model = "transformer-mse"
    options = {"network": TINY}


class TestTransformerMSEAtT(ModelContract):
    model = "transformer-mse"
    options = {"network": TINY, "state": "fixed"}


class TestTransformerMSEWithoutState(ModelContract):
    model = "transformer-mse"
    options = {"network": TINY, "state": "none", "inputs": {"way": "concat"}}
