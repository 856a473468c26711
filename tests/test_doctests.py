"""Every example in a docstring is true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [
    f"gensr.{'.'.join(file.relative_to(ROOT).with_suffix('').parts)}"
    for room in ("cli", "pipeline", "features", "estimator")
    for file in sorted((ROOT / room).rglob("*.py"))
    if ">>> " in file.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted
    assert found.failed == 0
