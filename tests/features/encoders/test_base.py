"""What an encoder has in common with every other; the stub of the store's tests is one too."""

import pytest

from gensr.features.encoders.errors import EncoderError
from support.contracts.encoder import EncoderContract
from support.sounds import noise
from support.stub import StubEncoder


class TestStub(EncoderContract):
    @pytest.fixture
    def encoder(self):
        return StubEncoder()


@pytest.mark.parametrize("part", [slice(0, 1), slice(0, 2), 0])
def test_vectors_of_another_shape_than_was_said_are_refused(part):
    """Of one layer, or without layers, numpy would spread them over all."""

    class Odd(StubEncoder):
        def _encode(self, waveforms):
            return super()._encode(waveforms)[:, part]

    waves = noise(1_000, 1_000, 1_000)
    with pytest.raises(EncoderError, match=r"stub gave vectors .* \(clips, 3 layers, 4\)"):
        Odd().encode(waves)
    with pytest.raises(EncoderError, match="stub gave vectors"):
        list(Odd().stream([waves]))
