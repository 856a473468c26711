"""What is wrong with a question."""

from gensr.estimator.errors import GensrError


class ProtocolError(GensrError, ValueError):
    """A protocol does not fit the clips it is asked to split."""
