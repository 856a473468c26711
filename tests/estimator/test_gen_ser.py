"""Gen-SER as a model."""

from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.network import NetworkConfig
from support.contracts.model import ModelContract


class TestGenSER(ModelContract):
    model = "gen-ser"
    options = GenSERConfig(network=NetworkConfig(hidden=32, depth=1, heads=2, dropout=0.1))
