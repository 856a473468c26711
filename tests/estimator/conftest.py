"""The models under test are tiny: one thread is faster, and much faster on busy cores."""

from collections.abc import Iterator

import pytest

from gensr.estimator.device import threads_for


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads_for(0):
        yield
