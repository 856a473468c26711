"""What a target brings with it: its own start, T, sampler, N and read-out, where none are asked.

Each rival of the paper's target has settings of its own that are sensible; asked for by name alone
it gets those, and whatever is asked for beside it stands.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from gensr.estimator.targets.registry import TARGETS


def brought(config: type[Any], plain: Mapping[str, Any], base: Any | None) -> dict[str, Any]:
    """Settings that follow from a target that is asked for, over those that follow from another.

    Args:
        config: the class of `base`.
        plain: what is asked for.
        base: the config that it is over; None is the defaults.

    Returns:
        Plain values, none of a setting that was changed in `base` or is asked for.
    """
    asked = plain.get("target")
    name = asked.get("name") if isinstance(asked, Mapping) else asked
    before = "x0" if base is None else base.target.name
    if not isinstance(name, str) or name == before or name not in TARGETS:
        return {}
    usual = {each.name: each.default for each in fields(config) if each.default is not MISSING}
    now = {**usual, **({} if base is None else base.target.defaults)}
    wanted = {**usual, **TARGETS[name].defaults}
    return {
        key: value
        for key, value in wanted.items()
        if key not in plain
        and value != now[key]
        and (base is None or getattr(base, key) == now[key])
    }
