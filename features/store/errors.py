"""What is wrong with a store."""

from gensr.estimator.errors import GensrError


class StoreError(GensrError, RuntimeError):
    """A store is missing, incomplete, locked, or was made with other settings."""
