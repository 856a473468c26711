"""Numbers beyond reason are one line, whatever kind of number they are."""

import math

import pytest

from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.ranges import check_range


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -1, 0, 1e308, 10**400, -(10**400)]
)
def test_a_value_outside_is_one_line(value):
    with pytest.raises(ConfigError, match=r"x must be > 0 and <= 1, found \S+$"):
        check_range("x", value, above=0, most=1)


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": math.nan},
        {"weight_decay": 1e38},
        {"weight_decay": math.inf},
        {"steps": 10**400},
        {"clip_norm": math.nan},
    ],
)
def test_settings_of_a_training_beyond_reason(settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        TrainingConfig(**settings)
