"""A part of the method that is chosen by name: a schedule, codes, a target."""

from abc import ABC
from typing import ClassVar


class Part(ABC):
    """One with settings is a frozen dataclass; two without any are equal if of one class."""

    __slots__ = ()
    name: ClassVar[str]
    """As a config names it."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
