"""The plain files of a run, read and checked: what is missing or of the wrong kind is one line.

A run is bound together by hashes. `config.json` names those of `protocol.json` and
`manifest.json`, and `run`, the identity of the run, which follows from all three; each fold's
model and `seal.json`, which holds the hash of the answers, name that identity. So a file of
another run, or one that was changed, is noticed by whoever reads it. Where the stores lie may be
edited: their vectors are known by hash. Runs of version 0.1.0 have no identity, and are checked
by the kinds of their values alone.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
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
    return (in_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n").encode()


def identity(config: Mapping[str, Any]) -> str:
    """The identity of a run: 32 hex digits that follow from its config and the hashes in it."""
    known = {key: value for key, value in config.items() if key not in _FREE}
    text = json.dumps(known, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def check_config(path: Path, config: Mapping[str, Any]) -> None:
    """Refuse a config that lacks a setting, or has one of the wrong kind.

    Raises:
        RunError: naming the setting.
    """
    _check_kinds(path, config, _CONFIG)
    if "run" not in config and "hashes" not in config:
        return  # of version 0.1.0
    _check_kinds(path, config, {"run": _text, "hashes": _hashes})
    if config["run"] != identity(config):
        raise RunError(
            f"{path} cannot be read (it was changed since the run was made: its settings are not "
            "those of its models); put it back as it was, or train again"
        )


def check_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest that lacks what a run is checked by.

    Raises:
        RunError: naming what it lacks.
    """
    _check_kinds(path, manifest, _MANIFEST)
    if "packages" in manifest:  # no run of version 0.2 noted any
        _check_kinds(path, manifest, {"packages": _hashes})
    if "spellings_joined" in manifest:  # no run of version 0.1.0 joined any
        _check_kinds(path, manifest, {"spellings_joined": _lines})


def _check_kinds(
    path: Path, plain: Mapping[str, Any], kinds: Mapping[str, Callable[[Any], bool]]
) -> None:
    for key, fits in kinds.items():
        if key not in plain:
            raise RunError(f"{path} cannot be read (it lacks {key!r}); train again")
        if not fits(plain[key]):
            shown = repr(plain[key])[:60]
            raise RunError(f"{path} cannot be read ({key} = {shown}); train again")


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _whole(value: Any) -> bool:
    return type(value) is int


def _names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_text, value))


def _lines(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _table(value: Any) -> bool:
    return isinstance(value, dict)


def _hashes(value: Any) -> bool:
    return _table(value) and all(map(_text, value.values()))


def _stores(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and _text(one.get("hash")) for one in value)
    )


def _encoder(value: Any) -> bool:
    """An object of one's own may have had no name; how long it listens at once may be absent."""
    if not isinstance(value, dict) or not _text_or_none(value.get("name")):
        return False
    longest = value.get("max_seconds", 1)
    return type(longest) in (int, float) and math.isfinite(longest) and longest > 0


_CONFIG: dict[str, Callable[[Any], bool]] = {
    "model": _text,
    "preset": _text,
    "options": _table,
    "training": lambda value: value is None or (_table(value) and _whole(value.get("steps"))),
    "choose": _text,
    "label": _text,
    "labels": _text_or_none,
    "protocol": _text_or_none,
    "fold": _text,
    "folds": _names,
    "layers": _names,
    "width": _whole,
    "seed": _whole,
    "split_seed": _whole,
    "encoder": _encoder,
    "stores": _names,
}
_MANIFEST: dict[str, Callable[[Any], bool]] = {
    "created": _text,
    "gensr": _text,
    "git_revision": _text_or_none,
    "protocol_hash": _text,
    "stores": _stores,
}
