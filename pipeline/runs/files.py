"""The plain files of a run, read and checked: what is missing or of the wrong kind is one line.

A run is bound together by hashes. `config.json` names those of `protocol.json` and
`manifest.json`, and `run`, the identity of the run, which follows from all three; each fold's
model and `seal.json`, which holds the hash of the predictions, name that identity. So a file of
another run, or one that was changed, is noticed by whoever reads it. Where the stores lie may be
edited: their vectors are known by hash. Runs of version 0.1.0 have no identity, and are checked
by the kinds of their values alone.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gensr.estimator.errors import RunError
from gensr.estimator.files import read_whole
from gensr.features.shown import in_json

MOST = 2**30
"""Bytes of the largest plain file of a run."""
_FREE = ("run", "stores")
"""What the identity of a run does not follow from."""


def read_plain(path: Path, sha256: str | None = None) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Args:
        path: the file.
        sha256: of its bytes, where that is known.

    Raises:
        RunError: it is missing, damaged, or not the file that was written.
    """
    try:
        data = read_whole(path, MOST)
    except FileNotFoundError as error:
        raise RunError(f"{path} cannot be read ({error}); train again") from error
    check_hash(path, data, sha256)
    return plain_of(path, data)


def plain_of(path: Path, data: bytes) -> dict[str, Any]:
    """The JSON object that the bytes of a file are.

    Raises:
        RunError: they are none.
    """
    try:
        plain = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read ({error}); train again") from error
    if not isinstance(plain, dict):
        raise RunError(f"{path} cannot be read (it is no JSON object); train again")
    return plain


def check_hash(path: Path, data: bytes, sha256: str | None) -> None:
    """Refuse bytes that are not those that were written.

    Raises:
        RunError: they are not.
    """
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise RunError(
            f"{path} cannot be read (it was changed, or is another run's: its SHA-256 is not the "
            "one that this run noted); train again"
        )


def plain_bytes(value: Mapping[str, Any]) -> bytes:
    """A JSON object as a run keeps it; what is no UTF-8 in a path is an escape in it."""
    return in_json(value).encode()


def identity(config: Mapping[str, Any]) -> str:
    """The identity of a run: 32 hex digits that follow from its config and the hashes in it."""
    known = {key: value for key, value in config.items() if key not in _FREE}
    text = json.dumps(known, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
