"""Where local encoders were when they were extracted with, so that `predict` finds them again.

A store and a run are made to be passed on, so they hold no location: an encoder's name and hashes
alone. This machine remembers the folder instead, in the user's cache, one small file an encoder
(`~/.cache/gensr/encoders/<hash>`, under `XDG_CACHE_HOME` where that is set). It is a hint: whoever
follows it loads the encoder and compares the hashes, and where nothing can be written or read
nothing is remembered.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_LONGEST = 1 << 14
"""Bytes of a path; more is not ours."""


def remember(encoder: Mapping[str, Any], folder: Path) -> None:
    """Note where an encoder is.

    Args:
        encoder: its provenance; without hashes there is nothing to know it by.
        folder: of its files.
    """
    noted = _note(encoder)
    if noted is None:
        return
    with suppress(OSError):  # a home that cannot be written
        noted.parent.mkdir(parents=True, exist_ok=True)
        descriptor, written = tempfile.mkstemp(dir=noted.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.fsencode(folder.absolute()))
            Path(written).replace(noted)
        except OSError:
            Path(written).unlink(missing_ok=True)


def recall(encoder: Mapping[str, Any]) -> Path | None:
    """Return the folder where an encoder was last, if there is one still."""
    noted = _note(encoder)
    if noted is None:
        return None
    try:
        with noted.open("rb") as file:
            content = file.read(_LONGEST)
        folder = Path(os.fsdecode(content))
        return folder if folder.is_absolute() and folder.is_dir() else None
    except (OSError, ValueError):  # no note, or one that holds no path
        return None


def _note(encoder: Mapping[str, Any]) -> Path | None:
    hashes = [encoder.get(name) for name in ("weights_sha256", "config_sha256")]
    if not all(isinstance(each, str) and each for each in hashes):
        return None
    cache = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # Only an absolute one counts, by the XDG specification: the current folder is no cache.
        root = Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache"
    except RuntimeError:  # nobody's home
        return None
    key = hashlib.sha256("\n".join(map(str, hashes)).encode()).hexdigest()
    return root / "gensr" / "encoders" / key
