"""The controls as models."""

from gensr.estimator.models.linear import LinearConfig
from gensr.estimator.models.transformer_ce import TransformerCEConfig
from gensr.estimator.network import NetworkConfig
from support.contracts.model import ModelContract


class TestLinear(ModelContract):
    model = "linear"
    options = LinearConfig()


class TestTransformerCE(ModelContract):
    model = "transformer-ce"
    options = TransformerCEConfig(network=NetworkConfig(hidden=32, depth=1, heads=2, dropout=0.1))
