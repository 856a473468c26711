"""What a help text says can be chosen by name, other packages' own included.

An option's help names a registry in braces, as `{models}`; what is known is looked up when the
help of that command is shown, so that `gensr --help` pays nothing for it.
"""

from importlib import import_module
from typing import Any

import typer.core

from gensr.estimator.errors import ConfigError
from gensr.estimator.registry import Registry

_KNOWN = {
    "models": "gensr.estimator.models.registry:MODELS",
    "means": "gensr.estimator.paths.registry:MEANS",
    "variances": "gensr.estimator.paths.registry:VARIANCES",
    "codes": "gensr.estimator.codes.registry:CODES",
    "targets": "gensr.estimator.targets.registry:TARGETS",
    "samplers": "gensr.estimator.samplers.registry:SAMPLERS",
    "encoders": "gensr.features.encoders.registry:ENCODERS",
    "corpora": "gensr.features.corpora.registry:CORPORA",
}


class Choosing(typer.core.TyperCommand):
    """A command whose options name registries in their help."""

    def get_params(self, ctx: Any) -> Any:
        """See click's: the parameters, with what can be chosen in their help."""
        for param in self.params:
            told = getattr(param, "help", None)
            if told and "{" in told:
                param.help = told.format_map(_Names())  # type: ignore[attr-defined]
        return super().get_params(ctx)


class _Names(dict[str, str]):
    """What stands for `{models}` and the like."""

    def __missing__(self, key: str) -> str:
        module, _, name = _KNOWN[key].partition(":")
        return choices(getattr(import_module(module), name))


def choices(registry: "Registry[Any]") -> str:
    """The names, as a sentence lists them; nothing that bears them is imported.

    >>> from gensr.estimator.samplers.registry import SAMPLERS
    >>> choices(SAMPLERS)
    'euler, exact or heun'
    """
    try:
        names = registry.names()
    except ConfigError as error:  # two packages, one name: the command itself will refuse it
        return f"({error})"
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
