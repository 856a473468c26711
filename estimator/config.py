"""Frozen dataclasses to plain values and back: what a run keeps, and what a TOML file gives.

A field that is chosen by name is `Annotated[Base, REGISTRY]`. Plain, it is the name, or a table
of the name and the settings of what is called so: `{"name": "logistic", "k": 200}`. What has no
settings, as a sampler, is `Annotated[str, REGISTRY]` and stays its name.

A config with short forms of its fields, or older ones, says how they read in full by a
classmethod `in_full(plain, base)`.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from gensr.estimator.errors import ConfigError
from gensr.estimator.registry import Registry

T = TypeVar("T")


def to_plain(config: Any) -> dict[str, Any]:
    """A config as JSON- or TOML-ready values; tuples become lists."""
    hints = get_type_hints(type(config), include_extras=True)
    plain = {}
    for field in fields(config):
        value = getattr(config, field.name)
        settings = _plain(value)
        if _registry(hints[field.name]) is not None and not isinstance(value, str):
            settings = {"name": value.name, **(settings if is_dataclass(value) else {})}
        plain[field.name] = settings
    return plain


def chosen(config: Any) -> list[tuple[Registry[Any], str]]:
    """What a config has chosen by name: (registry, name) of each such field."""
    hints = get_type_hints(type(config), include_extras=True)
    found = []
    for field in fields(config):
        value, registry = getattr(config, field.name), _registry(hints[field.name])
        if registry is not None:
            found.append((registry, value if isinstance(value, str) else value.name))
    return found


def from_plain(cls: type[T], values: Any, where: str, base: T | None = None) -> T:
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
    hints = get_type_hints(cls, include_extras=True)
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    try:
        if in_full := getattr(cls, "in_full", None):
            values = in_full(values, base)
        if unknown := sorted(set(values) - set(known)):
            there = f"there are {', '.join(known)}" if known else "there are none"
            raise ConfigError(f"no setting {unknown[0]!r}; {there}")
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
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
    registry = _registry(hint)
    if registry is not None:
        hint = get_args(hint)[0]
        if hint is not str:
            return _chosen(registry, value, where, base)
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


def _chosen(registry: Registry[Any], value: Any, where: str, base: Any) -> Any:
    """Return what a name, or a table with one, stands for; without one, of the base's kind."""
    table = {"name": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: expected a name or a table of settings, found {value!r}")
    name = table.get("name", getattr(base, "name", None))
    if not isinstance(name, str):
        raise ConfigError(f"{where}: expected a name, found {name!r}")
    try:
        cls = registry[name]
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    rest = {key: given for key, given in table.items() if key != "name"}
    if is_dataclass(cls):
        kind: type[Any] = cls  # type: ignore[assignment]
        return from_plain(kind, rest, where, base if type(base) is cls else None)
    if rest:
        raise ConfigError(f"{where}: {name} has no setting {min(rest)!r}; there are none")
    return cls()


def _registry(hint: Any) -> Registry[Any] | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((about for about in hint.__metadata__ if isinstance(about, Registry)), None)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return to_plain(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
