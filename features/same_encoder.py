"""When two encoders are one: the only rule, asked by all who mix or continue vectors.

Weights and config.json, known by their hashes, make an encoder; its name and its revision are
what somebody called it. So a folder that was renamed, a snapshot in the hub's cache and the hub's
id are one encoder. Where there is no hash (`fbank`, an object of one's own), the name counts.
Which file a normalisation was read from is told, and makes no difference.

Differences come in the order in which a person asks: which encoder, which revision and weights,
what precision and context, then layers and sizes, and the versions of libraries last.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_ENCODER = "encoder"
_ORDER: Sequence[str] = (
    "encoder.revision",
    "encoder.weights_sha256",
    "encoder.config_sha256",
    "encoder.dtype",
    "encoder.context",
    "encoder.max_seconds",
    "encoder.x1",
    "encoder",  # what a custom encoder says of itself
    "device",
    "layers",
    "width",
    "dtype",
    "shard_clips",
    "batch_seconds",
    "",  # what has no place of its own
    "encoder.preprocessing",
    "preprocessing",
    "encoder.libraries",
)
_CONSEQUENCES = ("encoder.", "layers", "width", "longest", "equal_lengths", "preprocessing.")
"""What another encoder has of its own: not worth a word beside it."""
_SOURCE = re.compile(r" \([^()]*\)$")
_HASH = re.compile(r"[0-9a-f]{64}")


def differences(
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    *,
    names: tuple[str, str] = ("there", "here"),
    exact: bool = True,
) -> list[str]:
    """Name what two nested settings differ in, the most telling first.

    >>> whisper = {"encoder": {"family": "whisper", "name": "base", "dtype": "float32"}}
    >>> fbank = {"encoder": {"family": "fbank", "name": "fbank", "dtype": "bfloat16"}}
    >>> differences(whisper, fbank)
    ["encoder: 'base' (whisper) there, 'fbank' here"]

    Args:
        one: settings, those of the encoder under `encoder`, as a store's header has it.
        other: settings to compare with.
        names: what the two are called.
        exact: whether every bit counts, as where vectors are written beside each other. Else
            versions of libraries, and names without a hash, may differ.
    """
    a, b = _flat(one), _flat(other)
    passed = _passed(one.get(_ENCODER), other.get(_ENCODER), exact=exact)
    keys = [
        key
        for key in a.keys() | b.keys()
        if _meant(key, a.get(key, _ABSENT)) != _meant(key, b.get(key, _ABSENT))
        and not key.startswith(passed)
    ]
    told = []
    families = [settings.get("encoder.family", _ABSENT) for settings in (a, b)]
    if "encoder.family" in keys or "encoder.name" in keys:
        called = [_called(settings, told_apart=families[0] != families[1]) for settings in (a, b)]
        told.append(f"encoder: {called[0]} {names[0]}, {called[1]} {names[1]}")
        alike = families[0] == families[1]
        keys = [
            key
            for key in keys
            if key not in ("encoder.family", "encoder.name")
            and (alike or not key.startswith(_CONSEQUENCES))
        ]
    told += [
        f"{key}: {_shown(a.get(key, _ABSENT))} {names[0]}, {_shown(b.get(key, _ABSENT))} {names[1]}"
        for key in sorted(keys, key=_rank)
    ]
    return told


def first_difference(
    one: Mapping[str, Any], other: Mapping[str, Any], *, names: tuple[str, str] = ("then", "now")
) -> str | None:
    """What tells two encoders apart where their vectors are read, if they are two.

    >>> first_difference({"family": "mine", "dtype": "float32"}, {"family": "mine"})
    "encoder.dtype: 'float32' then, absent now"

    Args:
        one: provenance of an encoder.
        other: of another.
        names: what the two are called.
    """
    told = differences({_ENCODER: one}, {_ENCODER: other}, names=names, exact=False)
    return told[0] if told else None


def named(encoder: Mapping[str, Any]) -> str:
    """Return an encoder's name, for a person; an object of one's own may have none.

    >>> named({"family": "mine"})
    'an encoder without a name'
    """
    return str(encoder.get("name") or "an encoder without a name")


class _Absent:
    """A setting that one side does not have."""

    def __repr__(self) -> str:
        return "absent"


_ABSENT = _Absent()


def _passed(one: Any, other: Any, *, exact: bool) -> tuple[str, ...]:
    """Return the beginnings of keys that may differ between encoders."""
    passed = () if exact else ("encoder.libraries.", "encoder.name")
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        hashes = [(each.get("weights_sha256"), each.get("config_sha256")) for each in (one, other)]
        if hashes[0] == hashes[1] and None not in hashes[0]:
            passed = (*passed, "encoder.name", "encoder.revision")
    return passed


def _rank(key: str) -> tuple[int, str]:
    """Place a key by the longest beginning that `_ORDER` knows."""
    parts = key.split(".")
    while parts and ".".join(parts) not in _ORDER:
        parts.pop()
    return _ORDER.index(".".join(parts)), key


def _called(settings: Mapping[str, Any], *, told_apart: bool) -> str:
    """Name an encoder; with its family where that says more than the name."""
    name, family = (settings.get(f"encoder.{key}", _ABSENT) for key in ("name", "family"))
    return f"{name!r} ({family})" if told_apart and name != family else repr(name)


def _meant(key: str, value: Any) -> Any:
    if key.endswith("preprocessing.normalisation") and isinstance(value, str):
        return _SOURCE.sub("", value)
    return value


def _shown(value: Any) -> str:
    if isinstance(value, str) and _HASH.fullmatch(value):
        return f"{value[:12]}..."
    return repr(value)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = list(value) if isinstance(value, tuple) else value
    return flat
