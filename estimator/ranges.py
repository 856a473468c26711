"""Ranges of settings, checked where each config is made; NaN is in no range."""

import sys

from gensr.estimator.errors import ConfigError


def check_range(
    name: str,
    value: float,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> None:
    """Refuse a value outside its range, naming both.

    Raises:
        ConfigError: the value is outside, infinite, or not a number.
    """
    limits = {">=": least, ">": above, "<=": most, "<": below}
    said = " and ".join(f"{sign} {limit}" for sign, limit in limits.items() if limit is not None)
    inside = (
        abs(value) <= sys.float_info.max  # false for nan too; a whole number may have any length
        and (least is None or value >= least)
        and (above is None or value > above)
        and (most is None or value <= most)
        and (below is None or value < below)
    )
    if not inside:
        raise ConfigError(f"{name} must be {said}, found {str(value)[:40]}")
