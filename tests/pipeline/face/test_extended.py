"""What docs/extending.md brings keeps the promises that our own keep."""

import importlib
import sys

import pytest

from gensr.estimator import registry
from gensr.estimator.models.registry import MODELS
from gensr.features.corpora.registry import CORPORA
from gensr.features.encoders import load_encoder
from gensr.features.encoders.registry import ENCODERS
from support.contracts.corpus import AdapterContract
from support.contracts.encoder import EncoderContract
from support.contracts.model import ClassifierContract, ModelContract

SMALL = {"network": {"hidden": 32, "depth": 1, "heads": 2, "dropout": 0.1}}
PARTS = {"mean": "cosine", "variance": "sine", "codes": "one-hot", "target": "difference"}
pytestmark = pytest.mark.usefixtures("acme")


@pytest.fixture(scope="module", autouse=True)
def acme(site):
    """The package, as if it were installed beside us, for as long as this module's tests run."""
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    registry._brought.cache_clear()
    yield
    sys.path.remove(str(site))
    registry._brought.cache_clear()
    for known in (MODELS, CORPORA, ENCODERS):
        for name in set(known._loaded) - set(known.names()):
            del known._loaded[name]
    for name in [name for name in sys.modules if name.startswith("gensr_acme")]:
        del sys.modules[name]


class TestBands(EncoderContract):
    @pytest.fixture
    def encoder(self):
        return load_encoder("bands")


class TestActed(AdapterContract):
    names = ("f03_happy_012.wav", "speech/m10_sad_000.wav", "f03_angry_001.wav")
    emotions = ("happy", "sad", "angry")

    @property
    def adapter(self):
        return CORPORA["acted"]


class TestPerceptron(ModelContract):
    model = "perceptron"


class TestNearestMean(ClassifierContract):
    model = "nearest-mean"


@pytest.mark.slow
class TestGenSEROfOtherParts(ModelContract):
    model = "gen-ser"
    options = SMALL | PARTS | {"sampler": "midpoint"}
    falls = 0.8  # x1 itself is wanted too, noise and all
