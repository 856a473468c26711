"""matplotlib as it comes, whatever settings lie in the current folder or are the user's own.

On its first import matplotlib reads a `matplotlibrc`, and looks for one in the current folder
first: one that is damaged is lines on stderr or a traceback, a pipe of that name is waited for.
So it is imported from beside its own, which is then the one that it finds. Where the caller has
imported it before, what he has is left to him, and our pictures are drawn without.

Whoever draws imports this module before matplotlib.
"""

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def _beside_its_settings() -> Iterator[None]:
    """Be in the folder of matplotlib's own settings; the current folder may be gone by now."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None or "matplotlib" in sys.modules:
        yield
        return
    own = Path(found.origin).parent
    before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir(own / "mpl-data" if (own / "mpl-data").is_dir() else own)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let matplotlib say nothing of fonts and caches."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


with _quiet():
    with _beside_its_settings():
        import matplotlib
    import matplotlib.font_manager  # which makes a list of the machine's fonts, once


@contextmanager
def plain(families: Sequence[str]) -> Iterator[None]:
    """Draw the same on every machine.

    Args:
        families: of the fonts, the first first.
    """
    with _quiet(), matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["font.family"] = list(families)
        yield
