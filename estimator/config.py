"""Frozen dataclasses to plain values and back: what a run keeps, and what a TOML file gives."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from gensr.estimator.errors import ConfigError

T = TypeVar("T")


def to_plain(config: Any) -> dict[str, Any]:
    """A config as JSON- or TOML-ready values; tuples become lists."""
    return {key: _plain(value) for key, value in asdict(config).items()}


def from_plain(cls: type[T], values: Mapping[str, Any], where: str, base: T | None = None) -> T:
    """A config from plain values.

    Args:
        cls: the dataclass.
        values: its fields; absent ones keep the value of `base`, or the default.
        where: what to call the source in an error, e.g. `run.toml [model]`.
        base: the config that absent fields are taken from.

    Raises:
        ConfigError: an unknown field, a value of the wrong kind, or one out of range.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: expected a table of settings, found {values!r}")
    hints = get_type_hints(cls)
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{where}: no setting {unknown[0]!r}; there are {', '.join(known)}")
    given = {
        key: _typed(value, hints[key], f"{where} {key}", getattr(base, key, None))
        for key, value in values.items()
    }
    kept = {name: getattr(base, name) for name in known} if base is not None else {}
    try:
        return cls(**{**kept, **given})
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _typed(value: Any, hint: Any, where: str, base: Any) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return from_plain(hint, value, where, base)
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for option in options:
        if option is NoneType and value is None:
            return None
        if option is float and type(value) in (int, float):
            return float(value)
        if get_origin(option) is tuple and isinstance(value, (list, tuple)):
            return tuple(value)
        if type(value) is option:
            return value
    names = " or ".join(getattr(option, "__name__", str(option)) for option in options)
    raise ConfigError(f"{where}: expected {names}, found {value!r}")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
