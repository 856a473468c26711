"""What a file of a run says, held to the kinds of the dataclass that is made of it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from gensr.estimator.errors import RunError

Kind = Callable[[Any], bool]
"""Whether a value is of a kind."""


def values_of(
    cls: type[Any], plain: Mapping[str, Any], path: Path, kinds: Mapping[str, Kind]
) -> dict[str, Any]:
    """The values of a dataclass's fields, as a JSON object has them; its lists become tuples.

    Args:
        cls: the dataclass; a field with a default may be absent.
        plain: the object; what is no field of `cls` is passed over.
        path: of its file.
        kinds: of the fields whose type does not say what they must be.

    Raises:
        RunError: a field is missing, or of the wrong kind.
    """
    hints = get_type_hints(cls)
    values = {}
    for field in fields(cls):
        name = field.name
        if name not in plain:
            if field.default is MISSING and field.default_factory is MISSING:
                raise lacks(path, name)
            continue
        if not (kinds.get(name) or _KINDS[hints[name]])(plain[name]):
            shown = repr(plain[name])[:60]
            raise RunError(f"{path} cannot be read ({name} = {shown}); train again")
        values[name] = tuple(plain[name]) if isinstance(plain[name], list) else plain[name]
    return values


def lacks(path: Path, name: str) -> RunError:
    """What to raise where a file lacks a setting."""
    return RunError(f"{path} cannot be read (it lacks {name!r}); train again")


def text(value: Any) -> bool:
    """A text."""
    return isinstance(value, str)


def text_or_none(value: Any) -> bool:
    """A text, or nothing."""
    return value is None or text(value)


def whole(value: Any) -> bool:
    """A whole number."""
    return type(value) is int


def truth(value: Any) -> bool:
    """True or false."""
    return type(value) is bool


def table(value: Any) -> bool:
    """Names with values."""
    return isinstance(value, dict)


def texts(value: Any) -> bool:
    """Texts, perhaps none."""
    return isinstance(value, list) and all(map(text, value))


def names(value: Any) -> bool:
    """Texts, at least one."""
    return texts(value) and bool(value)


def hashes(value: Any) -> bool:
    """Names with a text for each."""
    return table(value) and all(map(text, value.values()))


def length(value: Any) -> bool:
    """A number above zero."""
    return type(value) in (int, float) and math.isfinite(value) and value > 0


def share(value: Any) -> bool:
    """A number from 0 to 1."""
    return type(value) in (int, float) and 0 <= value <= 1


_KINDS: dict[Any, Kind] = {
    str: text,
    str | None: text_or_none,
    int: whole,
    bool: truth,
    int | None: lambda value: value is None or whole(value),
    tuple[str, ...]: names,
    Mapping[str, Any]: table,
    Mapping[str, str]: hashes,
}
