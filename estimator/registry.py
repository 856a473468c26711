"""Things of one kind by name: ours, and those that other packages bring by entry points.

A package brings a model, an encoder, a schedule ... by naming it in its own pyproject.toml:

    [project.entry-points."gensr.models"]
    nearest-mean = "acme.nearest_mean:NearestMean"

and every command and function knows it. Names are known without importing anything that bears
them, so that `--help` stays instant; a thing is imported when it is asked for.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from gensr.estimator.errors import ConfigError, one_line

T = TypeVar("T")
HOME = "gensr"
"""What brings our own."""
BY_HAND = "no package, but added by hand"
"""What brings one that `Registry.add` was given."""


class Registry(Generic[T]):
    """One kind of thing, by name.

    Args:
        kind: what a message calls one of them.
        group: the group of entry points that brings more.
        base: `module:name` of the class that each of them derives from, or is of; functions
            have none.
        ours: `module:name` of each of our own.

    >>> numbers = Registry[type]("number", "gensr.none", "builtins:object", {"int": "builtins:int"})
    >>> numbers.names(), numbers["int"]
    (('int',), <class 'int'>)
    """

    def __init__(self, kind: str, group: str, base: str | None, ours: Mapping[str, str]) -> None:
        self.kind, self.group = kind, group
        self._base, self._ours = base, dict(ours)
        self._loaded: dict[str, T] = {}
        self._added: set[str] = set()

    def names(self) -> tuple[str, ...]:
        """Every name, ours first; nothing is imported."""
        return (*self._ours, *self.foreign())

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self._ours or name in self._added or name in self._theirs()

    def __getitem__(self, name: str) -> T:
        """The thing itself.

        Raises:
            ConfigError: nothing is called so, or the package that brings it does not work.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def foreign(self) -> tuple[str, ...]:
        """Names that other packages bring, or that were added."""
        return tuple(sorted({*self._theirs(), *self._added}))

    def added(self, name: str) -> bool:
        """Whether this process alone knows a name: its workers do not, nor whoever comes later."""
        return name in self._added

    def origin(self, name: str) -> str:
        """The package that brings a thing, and its version.

        Raises:
            ConfigError: nothing is called so.
        """
        if name in self._ours:
            return HOME
        if name in self._added:
            return BY_HAND
        return _package(self._entry(name))

    def add(self, name: str, thing: T) -> None:
        """Know one thing more for as long as this process lives: for a notebook.

        Raises:
            ConfigError: the name is taken, or it is no thing of this kind.
        """
        if name in self:
            raise ConfigError(f"there is a {self.kind} {name!r} already; choose another name")
        self._check(name, thing, "this process")
        self._loaded[name] = thing
        self._added.add(name)

    def _load(self, name: str) -> T:
        if name in self._ours:
            return cast(T, _named(self._ours[name]))
        entry = self._entry(name)
        package = _package(entry)
        try:
            thing = entry.load()
        except Exception as error:  # whatever somebody else's module raises
            raise ConfigError(
                f"the {self.kind} {name!r} of {package} cannot be loaded ({entry.value}: "
                f"{one_line(error)}); mend or remove that package"
            ) from error
        self._check(name, thing, package)
        return cast(T, thing)

    def _entry(self, name: str) -> EntryPoint:
        theirs = self._theirs()
        if name not in theirs:
            raise ConfigError(f"no {self.kind} {name!r}; choose one of {', '.join(self.names())}")
        return theirs[name]

    def _theirs(self) -> dict[str, EntryPoint]:
        """What other packages bring.

        Raises:
            ConfigError: two bring the same name, or one brings a name of ours.
        """
        return _brought(self.group, tuple(self._ours))

    def _check(self, name: str, thing: Any, package: str) -> None:
        base: Any = _named(self._base) if self._base else None
        derived = base is not None and isinstance(thing, type) and issubclass(thing, base)
        fits = callable(thing) if base is None else derived or isinstance(thing, base)
        if not fits:
            wanted = "a function" if base is None else f"a {base.__module__}.{base.__qualname__}"
            raise ConfigError(f"the {self.kind} {name!r} of {package} is not {wanted}")
        called = getattr(thing, "name", name)
        if called != name:
            raise ConfigError(
                f"the {self.kind} {name!r} of {package} calls itself {called!r}; give it one name"
            )


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


@cache
def _brought(group: str, ours: tuple[str, ...]) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        if entry.name in ours:
            raise ConfigError(
                f"{_package(entry)} brings {entry.name!r} in {group}, which is gensr's own name: "
                "remove that package, or have it choose another"
            )
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:  # an editable installation may be listed twice
            raise ConfigError(
                f"{_package(other)} and {_package(entry)} both bring {entry.name!r} in {group}: "
                "remove one of them"
            )
    return found


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.module
