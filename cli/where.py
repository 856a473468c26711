"""How a command reads the place of a store: a path, or a URL that fsspec knows."""

from pathlib import Path
from typing import Any

import typer


def where(text: str) -> Any:
    """Return the place that a text names, for typer's `parser`; as a Path, "s3://" would be lost.

    Raises:
        typer.BadParameter: it is a URL that cannot be used.
    """
    if "://" not in text:
        return Path(text)
    from gensr.estimator.errors import ConfigError
    from gensr.features.store.where import locate

    try:
        return locate(text)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None
