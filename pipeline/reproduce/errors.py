"""What keeps an experiment from being run at all."""

from gensr.estimator.errors import GensrError


class ReproduceError(GensrError, ValueError):
    """An experiment that cannot be asked for so."""
