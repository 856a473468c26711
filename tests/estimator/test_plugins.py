"""What other packages bring by entry points, and what they may not, each in one line."""

import importlib
import sys

import pytest

from gensr.estimator import registry
from gensr.estimator.errors import ConfigError
from gensr.estimator.registry import Registry


@pytest.fixture
def known(monkeypatch):
    """known(**entries): a registry of numbers that other packages add to."""

    class Entry:
        def __init__(self, name, value, package):
            self.name, self.value, self.module = name, value, package
            self.dist = type("Dist", (), {"name": package, "version": "1"})

        def load(self):
            module, _, name = self.value.partition(":")
            return getattr(importlib.import_module(module), name)

    def known(*entries):
        found = [Entry(*entry) for entry in entries]
        monkeypatch.setattr(registry, "entry_points", lambda group: found)
        registry._brought.cache_clear()
        return Registry("number", "gensr.numbers", "numbers:Number", {"int": "builtins:int"})

    yield known
    registry._brought.cache_clear()


def test_ours_come_first_and_theirs_by_name(known):
    numbers = known(("real", "builtins:float", "b"), ("exact", "fractions:Fraction", "a"))
    assert numbers.names() == ("int", "exact", "real")
    assert (numbers["real"], numbers.origin("real")) == (float, "b 1")
    assert (numbers.foreign(), numbers.origin("int")) == (("exact", "real"), "gensr")


@pytest.mark.parametrize(
    ("entries", "asked", "message"),
    [
        ([], "real", "no number 'real'; choose one of int"),
        ([("int", "builtins:float", "a")], "int", "a 1 brings 'int' .* gensr's own name"),
        (
            [("real", "builtins:float", "a"), ("real", "fractions:Fraction", "b")],
            "int",
            "a 1 and b 1 both bring 'real'",
        ),
        ([("real", "builtins:str", "a")], "real", "'real' of a 1 is not a numbers.Number"),
        ([("real", "nowhere.at.all:x", "a")], "real", "of a 1 cannot be loaded .*nowhere"),
        ([("real", "builtins:x", "a")], "real", "of a 1 cannot be loaded .*builtins:x"),
    ],
)
def test_what_cannot_be_is_one_line(known, entries, asked, message):
    numbers = known(*entries)
    with pytest.raises(ConfigError, match=message) as error:
        _ = numbers[asked], numbers.names()
    assert "\n" not in str(error.value)


def test_a_thing_with_another_name_is_refused(known, monkeypatch):
    numbers = known(("real", "tests_acme:Real", "a"))
    module = type(sys)("tests_acme")
    module.Real = type("Real", (float,), {"name": "unreal"})
    monkeypatch.setitem(sys.modules, "tests_acme", module)
    with pytest.raises(ConfigError, match="'real' of a 1 calls itself 'unreal'"):
        numbers["real"]


def test_a_notebook_adds_one_for_its_own_life(known):
    numbers = known()
    numbers.add("real", float)
    assert (numbers["real"], numbers.names()) == (float, ("int", "real"))
    with pytest.raises(ConfigError, match="a number 'real' already"):
        numbers.add("real", float)
    with pytest.raises(ConfigError, match=r"is not a numbers\.Number"):
        numbers.add("text", str)


def test_what_a_notebook_adds_is_not_ours(known):
    numbers = known(("real", "builtins:float", "b"))
    numbers.add("exact", float)
    assert (numbers.foreign(), numbers.names()) == (("exact", "real"), ("int", "exact", "real"))
    assert numbers.origin("exact") == "no package, but added by hand"
    assert (numbers.added("exact"), numbers.added("real"), numbers.added("int")) == (1, 0, 0)
