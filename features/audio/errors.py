"""What is wrong with a clip's audio."""

from gensr.estimator.errors import GensrError


class AudioError(GensrError, ValueError):
    """A clip cannot be used: the message holds the reason, the caller adds the path."""
