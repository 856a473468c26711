"""What is wrong with an encoder."""

from gensr.estimator.errors import GensrError


class EncoderError(GensrError, RuntimeError):
    """An encoder cannot be found, loaded or used."""
