"""What a help text says can be chosen by name, other packages' own included."""

from gensr.estimator.errors import ConfigError
from gensr.estimator.registry import Registry


def choices(registry: "Registry[object]") -> str:
    """The names, as a sentence lists them; nothing that bears them is imported.

    >>> from gensr.estimator.samplers.registry import SAMPLERS
    >>> choices(SAMPLERS)
    'euler or exact'
    """
    try:
        names = registry.names()
    except ConfigError as error:  # two packages, one name: the command itself will refuse it
        return f"({error})"
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
