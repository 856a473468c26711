"""What is wrong with a corpus."""

from gensr.estimator.errors import GensrError


class CorpusError(GensrError, ValueError):
    """A corpus folder or manifest does not say what it must."""
