"""Gen-SER as a model."""

from support.contracts.model import ModelContract


class TestGenSER(ModelContract):
    model = "gen-ser"
    options = {"network": {"hidden": 32, "depth": 1, "heads": 2, "dropout": 0.1}}
