"""What is wrong with a cluster."""

from gensr.estimator.errors import GensrError


class ClusterError(GensrError, RuntimeError):
    """A cluster cannot be reached, does not fit, or has lost its workers."""
