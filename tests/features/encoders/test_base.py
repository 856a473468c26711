"""What an encoder has in common with every other; the stub of the store's tests is one too."""

import pytest

from support.contracts.encoder import EncoderContract
from support.stub import StubEncoder


class TestStub(EncoderContract):
    @pytest.fixture
    def encoder(self):
        return StubEncoder()
