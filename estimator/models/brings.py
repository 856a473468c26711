"""What a target or a variance brings: its own start, T, sampler, N, read-out, where none are asked.

Each rival of the paper's has settings of its own that are sensible; asked for by name alone it gets
those, and whatever is asked for beside it stands.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from gensr.estimator.paths.registry import VARIANCES
from gensr.estimator.registry import Registry
from gensr.estimator.targets.registry import TARGETS


def brought(config: type[Any], plain: Mapping[str, Any], base: Any | None) -> dict[str, Any]:
    """Settings that follow from a target and a variance, over those that follow from others.

    Args:
        config: the class of `base`.
        plain: what is asked for.
        base: the config that it is over; None is the defaults.

    Returns:
        Plain values, none of a setting that was changed in `base` or is asked for.
    """
    by_variance = _brought(config, plain, base, ("variance", "bridge", VARIANCES))
    return by_variance | _brought(config, plain, base, ("target", "x0", TARGETS))


def _brought(
    config: type[Any],
    plain: Mapping[str, Any],
    base: Any | None,
    part: tuple[str, str, Registry[Any]],
) -> dict[str, Any]:
    """The same of one part: its field, the paper's name of it, and where names are known."""
    field, papers, known = part
    asked = plain.get(field)
    name = asked.get("name") if isinstance(asked, Mapping) else asked
    before = papers if base is None else getattr(base, field).name
    if not isinstance(name, str) or name == before or name not in known:
        return {}
    usual = {each.name: each.default for each in fields(config) if each.default is not MISSING}
    now = {**usual, **({} if base is None else getattr(base, field).defaults)}
    wanted = {**usual, **known[name].defaults}
    return {
        key: value
        for key, value in wanted.items()
        if key not in plain
        and value != now[key]
        and (base is None or getattr(base, key) == now[key])
    }
