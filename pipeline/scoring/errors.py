"""The error of this room."""

from gensr.estimator.errors import GensrError


class AnswersError(GensrError, ValueError):
    """A table of another system's answers cannot be read, or does not fit the protocol."""
